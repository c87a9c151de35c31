import { expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { tooOldNode } from '../../src/cli/node-version.ts';

test.each(['20.20.2', '22.18.0', '18.0.0'])('%s is too old, and the message says what is needed', (version) => {
  expect(tooOldNode(version)).toContain(`this is ${version}`);
  expect(manifest.engines.node).toBe(`>=${/Node\.js ([\d.]+)/.exec(tooOldNode(version) ?? '')?.[1]}`);
});

test.each(['22.19.0', '22.20.1', '24.0.0', '26.1.0'])('%s will do', (version) => {
  expect(tooOldNode(version)).toBeUndefined();
});

import { join } from 'node:path';
import { expect, it } from 'vitest';
import { gate, writeFiles } from '../kit/gate.ts';
import { tempDir } from '../kit/tmp.ts';
import { hasTool } from '../kit/tools.ts';
import { chart, webTarget } from '../pipeline/cause/kit.ts';

it.skipIf(!(await hasTool('helm')))(
  'gate check --causes names the changed line, and only when it is asked',
  async () => {
    const folder = tempDir('causes');
    const base = { ...chart, ...webTarget('prod.yaml') };
    writeFiles(join(folder, 'before'), { ...base, 'prod.yaml': 'logLevel: info\n# how many\nreplicas: 4\n' });
    writeFiles(join(folder, 'after'), { ...base, 'prod.yaml': 'logLevel: debug\n# how many\nreplicas: 1\n' });
    const args = ['check', '--before', join(folder, 'before'), '--after', join(folder, 'after'), '--fail-on', 'never'];

    const asked = await gate([...args, '--causes']);
    expect(asked).toMatchObject({ code: 0 });
    expect(asked.stdout).toContain('Caused by: prod.yaml:3');
    expect(asked.stdout.replaceAll(/\s+/g, ' ')).toMatch(
      /changed lines named for 1 of 1 finding \([\d.]+ s, 2 more renders\)/,
    );

    const plain = await gate(args);
    expect(plain.stdout).toContain('Changed in: prod.yaml');
    expect(plain.stdout).not.toContain('Caused by');
  },
);

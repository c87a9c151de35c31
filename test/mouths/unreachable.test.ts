import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { gate, writeFiles } from '../kit/gate.ts';
import { tempDir } from '../kit/tmp.ts';

const configMap = (value: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\ndata: {a: "${value}"}\n`;

function world(after: string): { kubeconfig: string; sides: string[] } {
  const root = tempDir('unreachable');
  writeFiles(root, {
    'before/manifests/a.yaml': configMap('1'),
    'after/manifests/a.yaml': configMap(after),
    // Nothing listens on port 1.
    kubeconfig: `apiVersion: v1
kind: Config
current-context: test
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: very-secret}}]
contexts: [{name: test, context: {cluster: c, user: u}}]
`,
  });
  return {
    kubeconfig: join(root, 'kubeconfig'),
    sides: ['--before', join(root, 'before'), '--after', join(root, 'after')],
  };
}

const why = 'gate: not evaluated: the live cluster: https://127.0.0.1:1 refuses connections\n  Check the network';

describe('a cluster that does not answer', () => {
  test('gate render says so, and prints what the defaults give', async () => {
    const { kubeconfig, sides } = world('1');
    const ended = await gate(['render', '--all', '--live', '--kubeconfig', kubeconfig, ...sides]);
    expect(ended.stdout).toContain('kind: ConfigMap');
    expect(ended.stderr).toContain(why);
    expect(ended.code).toBe(3);
  });
  test.each(['1', '2'])('gate diff says so, with and without a change (%s)', async (after) => {
    const { kubeconfig, sides } = world(after);
    const ended = await gate(['diff', '--live', '--kubeconfig', kubeconfig, ...sides]);
    expect(ended.stderr).toContain(why);
    expect(ended.code).toBe(3);
  });
  test('nothing is said about one that was not to be asked', async () => {
    const { sides } = world('2');
    for (const command of ['diff', 'render']) {
      const ended = await gate([command, '-q', ...sides]);
      expect([ended.code, ended.stderr]).toEqual([0, '']);
    }
  });
});

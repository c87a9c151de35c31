import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { gate } from '../kit/gate.ts';
import { tempDir } from '../kit/tmp.ts';

/** Nothing of the machine's own: no kubeconfig, no cluster that the test might run in. */
async function snapshot(folder: string, ...args: readonly string[]) {
  const env = { HOME: folder, KUBECONFIG: join(folder, 'none'), KUBERNETES_SERVICE_HOST: '' };
  return gate(['snapshot', '-o', join(folder, 'x.yaml'), ...args], { env });
}

describe('gate snapshot', () => {
  test.each([
    ['a namespace that is none', ['--namespace', 'Shop/x'], '--namespace "Shop/x" is no name'],
    ['a kubeconfig that is not there', ['--kubeconfig', '/nowhere/config'], '/nowhere/config'],
    ['an option that is none', ['--namespaces', 'a'], "unknown option '--namespaces'"],
    ['a time that is none', ['--cluster-timeout', 'soon'], 'number of seconds'],
    ['a configuration that is not there', ['--config', '/nowhere/gate.yaml'], 'there is no configuration file'],
  ])('%s is a mistake of usage', async (_name, args, message) => {
    const folder = tempDir('snapshot-mouth');
    const ended = await snapshot(folder, ...args);
    expect(ended).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) as string });
    expect(readdirSync(folder).filter((name) => name.includes('x.yaml'))).toEqual([]);
  });
  test('a cluster that does not answer leaves no file and ends with 3', async () => {
    const folder = tempDir('snapshot-mouth');
    const config = join(folder, 'config');
    writeFileSync(
      config,
      `apiVersion: v1
kind: Config
current-context: dead
clusters: [{name: dead, cluster: {server: "https://127.0.0.1:1"}}]
contexts: [{name: dead, context: {cluster: dead, user: dead}}]
users: [{name: dead, user: {token: hunter2}}]
`,
    );
    const ended = await snapshot(folder, '--kubeconfig', config, '--cluster-timeout', '2');
    expect(ended.code).toBe(3);
    expect(ended.stderr).toContain('https://127.0.0.1:1');
    expect(ended.stderr).not.toContain('hunter2');
    expect(readdirSync(folder)).not.toContain('x.yaml');
  });
});

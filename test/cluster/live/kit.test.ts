import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { hasCluster, useCluster } from '../kit/cluster.ts';

describe.skipIf(!(await hasCluster()))('a server of the kit', () => {
  const cluster = useCluster();

  test('is the version that was asked for and knows its users', async () => {
    expect((await cluster().request('GET', '/version')).body.gitVersion).toBe('v1.34.3');
    const pods = '/api/v1/namespaces/default/pods';
    expect((await cluster().request('GET', pods)).status).toBe(200);
    expect((await cluster().request('GET', pods, undefined, { user: 'nobody' })).status).toBe(403);
  });

  test('takes objects, also of a kind whose definition came just before them', async () => {
    await cluster().apply(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boats.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {kind: Boat, plural: boats}
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
---
apiVersion: example.org/v1
kind: Boat
metadata: {name: one}
spec: {sails: 2}
`);
    const boat = { apiVersion: 'example.org/v1', kind: 'Boat', metadata: { name: 'one' } };
    expect((await cluster().get(boat))?.['spec']).toEqual({ sails: 2 });
    await cluster().remove(boat);
    expect(await cluster().get(boat)).toBeUndefined();
  });

  test('kubectl reaches it by the kubeconfig, and the audit log shows that it did', async () => {
    const ended = await cluster().kubectl(['get', 'namespaces', '-o', 'name']);
    expect(ended.stderr).toBe('');
    expect(ended.stdout.split('\n')).toContain('namespace/default');
    const events = await cluster().audit();
    const last = events.findLast((event) => event.userAgent?.startsWith('kubectl/'));
    expect(last).toMatchObject({ verb: 'list', user: { username: 'admin' }, objectRef: { resource: 'namespaces' } });
  });
});

describe.skipIf(!(await hasCluster({ controllers: [] })))('a server with controllers', () => {
  const cluster = useCluster({ controllers: ['job-controller'] });

  test('creates the pod of a Job', async () => {
    await cluster().apply(`
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: main, image: registry.example.org/once:1.0.0}]}
`);
    await expect
      .poll(async () => (await cluster().request('GET', '/api/v1/namespaces/default/pods')).body.items.length, {
        timeout: 20_000,
      })
      .toBe(1);
  });
});

const crashing = `
import { startServer } from ${JSON.stringify(new URL('../kit/server.ts', import.meta.url).href)};
const { processes, folder } = await startServer();
process.stdout.write(JSON.stringify({ pids: Object.values(processes).map(({ pid }) => pid), folder }), () => {
  process.kill(process.pid, 'SIGKILL');
});
`;

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!(await hasCluster()))('a run that is killed', () => {
  test('leaves no server and no folder behind', async () => {
    const text = await new Promise<string>((done) => {
      execFile(process.execPath, ['--input-type=module', '-e', crashing], (_error, stdout) => done(stdout));
    });
    const { pids, folder } = JSON.parse(text) as { pids: number[]; folder: string };
    expect(pids).toHaveLength(2);
    await expect.poll(() => [pids.filter(isRunning), existsSync(folder)], { timeout: 20_000 }).toEqual([[], false]);
  });
});

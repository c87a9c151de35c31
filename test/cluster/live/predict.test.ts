import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { hasTool, toolPath } from '../../kit/tools.ts';
import { hasCluster, useCluster } from '../kit/cluster.ts';
import { ask, engines } from './dry-run-sides.ts';
import { boat, boats, cases, config, deployment, main, side } from './merge-cases.ts';

const helmVersions = ['3.19.5', '4.2.4'] as const;
const hasHelm = (await Promise.all(helmVersions.map((version) => hasTool('helm', version)))).every(Boolean);

// What only the server writes, and what differs between a patch and an update by nature.
function comparable(object: Record<string, unknown>): unknown {
  const { metadata, status: _status, ...rest } = object as { metadata: Record<string, unknown>; status?: unknown };
  const {
    managedFields: _managers,
    resourceVersion: _version,
    generation: _generation,
    annotations,
    ...own
  } = metadata;
  const { 'kubectl.kubernetes.io/last-applied-configuration': applied, ...others } = (annotations ?? {}) as Record<
    string,
    unknown
  >;
  return {
    ...rest,
    metadata: { ...own, annotations: others, applied: JSON.parse(String(applied ?? 'null')) as unknown },
  };
}

describe.skipIf(!(await hasCluster()))('the prediction of a client-side apply', () => {
  const cluster = useCluster();

  test.each(cases)('is what the server makes of kubectl apply: $name', async ({ kind, before, meanwhile, after }) => {
    const server = cluster();
    if (kind === 'Boat') await server.apply(boats);
    expect((await server.kubectl(['apply', '-f', '-'], { input: before })).stderr).toBe('');
    try {
      if (meanwhile !== undefined) {
        const args = ['patch', kind, 'merged', '--type=merge', '-p', JSON.stringify(meanwhile)];
        expect((await server.kubectl(args)).stderr).toBe('');
      }
      const real = await server.kubectl(['apply', '--dry-run=server', '-o', 'json', '-f', '-'], { input: after });
      expect(real.stderr).toBe('');
      const asked = await ask(server, before, after, { target: engines.kubectl });
      const answer = asked.find(kind, 'merged')?.apply;
      expect(answer?.message).toBeUndefined();
      expect(comparable(answer?.object as never)).toEqual(comparable(JSON.parse(real.stdout) as never));
    } finally {
      await server.kubectl(['patch', kind, 'merged', '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
      await server.remove(before);
    }
  });

  test.skipIf(!hasHelm).each(helmVersions)('is what an upgrade by Helm %s makes of it', async (version) => {
    const server = cluster();
    const run = promisify(execFile);
    const file = await toolPath('helm', version);
    const release = `merged-${version.slice(0, 1)}`;
    const chart = join(server.folder, release);
    const helm = async (verb: string, manifests: string) => {
      mkdirSync(join(chart, 'templates'), { recursive: true });
      writeFileSync(join(chart, 'Chart.yaml'), `apiVersion: v2\nname: merged\nversion: 1.0.0\n`);
      writeFileSync(join(chart, 'templates', 'all.yaml'), manifests);
      const env = { ...process.env, KUBECONFIG: server.kubeconfigFor('admin'), HELM_CACHE_HOME: join(chart, 'cache') };
      await run(file, [verb, release, chart, '--namespace', 'default'], { env });
    };
    await server.apply(boats);
    const own = (text: string) => text.replaceAll('merged', release);
    const all = (...parts: readonly string[]) => own(parts.join('---'));
    const before = all(
      deployment('replicas: 3', `containers: [${main()}, ${side}]`, ', annotations: {a: one}'),
      config('a: one, b: two', ', annotations: {a: one}'),
      boat('sails: [{name: main, area: 10}], crew: 3, captain: ann'),
    );
    const after = all(
      deployment('', `containers: [${main('', '1.1.0')}]`, ', annotations: {a: two}'),
      config('a: three, c: four'),
      boat('sails: [{name: main, area: 10}], crew: 4'),
    );
    await helm('install', before);
    const meanwhile: Record<string, object> = {
      Deployment: {
        metadata: { annotations: { live: 'yes' } },
        spec: { template: { metadata: { annotations: { live: 'yes' } } } },
      },
      ConfigMap: { metadata: { annotations: { live: 'yes' } }, data: { live: 'yes' } },
      Boat: { spec: { anchors: 2 } },
    };
    for (const [kind, patch] of Object.entries(meanwhile)) {
      const ended = await server.kubectl(['patch', kind, release, '--type=merge', '-p', JSON.stringify(patch)]);
      expect(ended.stderr).toBe('');
    }
    const asked = await ask(server, before, after, { target: { ...engines.helm, tools: { helm: version } } });
    const expected = version.startsWith('4')
      ? 'server-side apply as helm'
      : 'three-way merge as helm, sent as an update';
    const predicted = Object.keys(meanwhile).map((kind) => {
      const said = asked.find(kind, release);
      expect(said).toMatchObject({ method: expected, apply: { outcome: 'accepted' } });
      return comparable(said?.apply?.object as never);
    });
    await helm('upgrade', after);
    const real = await Promise.all(
      Object.keys(meanwhile).map(async (kind) =>
        comparable(JSON.parse((await server.kubectl(['get', kind, release, '-o', 'json'])).stdout) as never),
      ),
    );
    expect(withoutMarks(predicted)).toEqual(withoutMarks(real));
  });
});

/** Helm adds its labels and annotations of ownership after rendering. */
function withoutMarks(objects: readonly unknown[]): unknown {
  const marks =
    /"(?:meta\.helm\.sh\/release-name|meta\.helm\.sh\/release-namespace|app\.kubernetes\.io\/managed-by)":"[^"]*",?/g;
  return JSON.parse(
    JSON.stringify(objects).replaceAll(marks, '').replaceAll(/,}/g, '}').replaceAll('"labels":{},', ''),
  ) as unknown;
}

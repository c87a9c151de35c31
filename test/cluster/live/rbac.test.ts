import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { builtInResources } from '../../../src/cluster/reading/resources.ts';
import { readDocument, splitDocuments } from '../../../src/core/yaml/read.ts';
import type { JsonObject } from '../../../src/core/model.ts';
import { gate, writeFiles } from '../../kit/gate.ts';
import type { AuditEvent } from '../kit/audit.ts';
import { hasCluster, useCluster } from '../kit/cluster.ts';
import { kubeconfig } from '../kit/server.ts';

const objects = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: 'registry.example.org/shop/api:1.0.0', envFrom: [{configMapRef: {name: api}}]}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: api, namespace: shop}
data: {LEVEL: info}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: api, namespace: shop}
spec: {rules: [{host: shop.example.org, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: api, port: {number: 80}}}}]}}]}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{port: 80}]}
`;

interface Role {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
  }[];
}

function documents(text: string): JsonObject[] {
  return splitDocuments(text)
    .map((part) => readDocument(part).value)
    .filter((value) => value !== null) as JsonObject[];
}

function roles(text: string): Role[] {
  return (documents(text) as unknown as Role[]).filter(({ rules }) => rules !== undefined);
}

/** `list apps/deployments`, with the namespace of a Role: `list /secrets in shop`. */
function granted(text: string): string[] {
  return roles(text).flatMap(({ metadata: { namespace }, rules }) =>
    rules.flatMap(({ apiGroups: [group], resources, verbs }) =>
      resources.flatMap((resource) =>
        verbs.map((verb) => `${verb} ${group}/${resource}${namespace === undefined ? '' : ` in ${namespace}`}`),
      ),
    ),
  );
}

/** What an account asked for, in the same words. Requests that are no resource requests are left out. */
function requested(events: readonly AuditEvent[]): string[] {
  const words = events.flatMap(({ verb, objectRef }) =>
    objectRef === undefined
      ? []
      : [
          `${verb} ${objectRef.apiGroup ?? ''}/${objectRef.resource}${objectRef.namespace === undefined ? '' : ` in ${objectRef.namespace}`}`,
        ],
  );
  return [...new Set(words)].toSorted();
}

describe.skipIf(!(await hasCluster()))('gate rbac', () => {
  const cluster = useCluster();
  const sides = (): string[] => {
    const { folder } = cluster();
    return ['--before', join(folder, 'before'), '--after', join(folder, 'after')];
  };

  beforeAll(async () => {
    const server = cluster();
    await server.apply(
      'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: gate}\n',
    );
    await server.apply(objects);
    writeFiles(server.folder, {
      'before/deploy/objects.yaml': objects,
      'after/deploy/objects.yaml': objects.replace('api:1.0.0', 'api:1.1.0').replace('replicas: 2', 'replicas: 1'),
    });
  });

  /** The roles as the command prints them. */
  async function generate(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await gate([
      'rbac',
      '--kubeconfig',
      cluster().kubeconfigFor('admin'),
      ...sides(),
      ...args,
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('gate:') as string });
    return stdout;
  }

  /** Applies the roles, runs a command as the account that they are bound to, and says what it asked for. */
  async function runAs(
    name: string,
    text: string,
    args: (kubeconfigFile: string) => readonly string[],
  ): Promise<{ stdout: string; stderr: string; code: number | null; events: readonly AuditEvent[] }> {
    const server = cluster();
    await server.create(text);
    const file = join(server.folder, `${name}.kubeconfig`);
    writeFileSync(
      file,
      JSON.stringify(kubeconfig({ url: server.url, ca: server.ca, token: await server.accountToken('gate', name) })),
    );
    const ended = await gate(args(file));
    const events = (await server.audit()).filter(({ user }) => user.username === `system:serviceaccount:gate:${name}`);
    return { ...ended, events };
  }

  const forbidden = (events: readonly AuditEvent[]): string[] =>
    events
      .filter(({ responseStatus }) => responseStatus?.code === 403)
      .map(({ verb, requestURI }) => `${verb} ${requestURI}`);

  test('the table of kinds is what the server serves', async () => {
    const { stdout } = await cluster().kubectl(['api-resources', '--no-headers', '--verbs=list']);
    const served = stdout
      .trim()
      .split('\n')
      .map((line) => {
        const columns = line.trim().split(/\s+/);
        const [kind, namespaced, version = ''] = columns.toReversed();
        const group = version.includes('/') ? version.slice(0, version.indexOf('/')) : '';
        return [`${group}/${kind}`, { plural: columns[0], namespaced: namespaced === 'true' }] as const;
      });
    expect(Object.fromEntries(builtInResources)).toEqual(Object.fromEntries(served));
  });

  test('check --live asks for exactly what the roles grant', async () => {
    const text = await generate('--live', '--name', 'exact', '--bind', 'gate/exact');
    const { stdout, events } = await runAs('exact', text, (file) => [
      'check',
      '--live',
      '--kubeconfig',
      file,
      ...sides(),
      '-o',
      'json',
    ]);
    expect(forbidden(events)).toEqual([]);
    expect(requested(events)).toEqual(granted(text).toSorted());
    const report = JSON.parse(stdout) as { clusters: unknown[]; coverage: { notEvaluated: { what: string }[] } };
    expect(report.clusters).toHaveLength(1);
    expect(report.coverage.notEvaluated.filter(({ what }) => / of test/.test(what))).toEqual([]);
  });

  test('without one of the rules the report names that rule, and the judgement that is weaker', async () => {
    const text = (await generate('--live', '--name', 'less', '--bind', 'gate/less')).replace(' nodes,', '');
    expect(granted(text)).not.toContain('list /nodes');
    const { stdout, events } = await runAs('less', text, (file) => [
      'check',
      '--live',
      '--kubeconfig',
      file,
      ...sides(),
      '-o',
      'json',
    ]);
    expect(forbidden(events)).toEqual([expect.stringMatching(/^list \/api\/v1\/nodes\?/)]);
    const report = JSON.parse(stdout) as {
      coverage: { notEvaluated: { what: string; reason: string; next?: string }[] };
    };
    const notes = report.coverage.notEvaluated.filter(({ what }) => / of test/.test(what));
    expect(notes.length).toBeGreaterThan(0);
    for (const note of notes) {
      expect(note.what).toMatch(/^Node of test/);
      expect(note.reason).toContain('list is forbidden for system:serviceaccount:gate:less');
      expect(note.next).toContain('{apiGroups: [""], resources: ["nodes"], verbs: ["list"]}');
    }
  });

  test('chosen namespaces: the roles reach no further, and what lies outside is named as unknown', async () => {
    const text = await generate('--live', '--name', 'narrow', '--bind', 'gate/narrow', '--namespace', 'shop');
    expect(roles(text).map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}`)).toEqual([
      'ClusterRole ',
      'Role shop',
    ]);
    const { stdout, events } = await runAs('narrow', text, (file) => [
      'check',
      '--live',
      '--kubeconfig',
      file,
      ...sides(),
      '-o',
      'json',
    ]);
    const asked = events.filter(({ responseStatus }) => responseStatus?.code === 200);
    expect(requested(asked).filter((words) => !granted(text).includes(words))).toEqual([]);
    expect(stdout).toContain('list is forbidden');
  });

  test('snapshot asks for exactly what its roles grant', async () => {
    const text = await generate('--for', 'snapshot', '--live', '--name', 'taker', '--bind', 'gate/taker');
    const { code, stderr, events } = await runAs('taker', text, (file) => [
      'snapshot',
      '--kubeconfig',
      file,
      '--output',
      join(cluster().folder, 'snapshot.yaml'),
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('could not be read') as string });
    expect(forbidden(events)).toEqual([]);
    expect(requested(events)).toEqual(granted(text).toSorted());
  });

  test('a snapshot without one of the rules says which rule it is', async () => {
    const text = await generate('--for', 'snapshot', '--live', '--name', 'poor', '--bind', 'gate/poor');
    const { code, stderr, events } = await runAs('poor', text.replace(' nodes,', ''), (file) => [
      'snapshot',
      '--kubeconfig',
      file,
      '--output',
      join(cluster().folder, 'poor.yaml'),
    ]);
    expect(code).toBe(3);
    expect(stderr).toContain('Node could not be read: list is forbidden for system:serviceaccount:gate:poor');
    expect(stderr).toContain('{apiGroups: [""], resources: ["nodes"], verbs: ["list"]}');
    expect(forbidden(events)).toEqual([expect.stringMatching(/^list \/api\/v1\/nodes\?/)]);
  });

  test('a dry run has the rights that it needs', async () => {
    const text = await generate('--live', '--name', 'dry', '--bind', 'gate/dry', '--dry-run', '--dry-run-pods');
    const { events } = await runAs('dry', text, (file) => [
      'check',
      '--live',
      '--dry-run',
      '--dry-run-pods',
      '--kubeconfig',
      file,
      ...sides(),
      '-o',
      'json',
    ]);
    expect(forbidden(events)).toEqual([]);
    expect(events.filter(({ requestURI }) => requestURI.includes('dryRun=All')).length).toBeGreaterThan(0);
    const beyond = requested(events).filter(
      (words) => !granted(text).includes(words) && !granted(text).includes(words.replace(/ in .*/, '')),
    );
    expect(beyond).toEqual([]);
  });

  test('the built bundle prints the same roles again', async () => {
    expect(await generate('--live')).toBe(await generate('--live'));
  });
});

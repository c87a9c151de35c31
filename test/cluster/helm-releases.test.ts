import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/model.ts';
import { createHelmReleases } from '../../src/cluster/helm/helm-releases.ts';

const manifest = `---
# Source: shop/templates/api.yaml
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
---
apiVersion: "policy/v1beta1" # old
kind: 'PodDisruptionBudget'
metadata: {name: api}
---
{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
---
kind: List
apiVersion: v1
items:
- {apiVersion: batch/v1, kind: CronJob, metadata: {name: a}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: worker}
`;

function release(more: JsonObject = {}): JsonObject {
  return {
    name: 'shop',
    namespace: 'shop',
    version: 3,
    info: { status: 'deployed', notes: 'password is hunter2' },
    chart: { metadata: { name: 'shop', version: '1.4.0', appVersion: '2.0' }, values: { password: 'hunter2' } },
    config: { db: { password: 'hunter2' } },
    manifest,
    ...more,
  };
}

const helmText = (value: JsonObject): string => gzipSync(JSON.stringify(value)).toString('base64');

function secret(revision: number, data: string, name = 'shop'): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'helm.sh/release.v1',
    metadata: {
      name: `sh.helm.release.v1.${name}.v${revision}`,
      namespace: 'shop',
      labels: { owner: 'helm', name, version: String(revision), status: 'deployed' },
    },
    data: { release: Buffer.from(data).toString('base64') },
  };
}

function read(...objects: readonly JsonObject[]) {
  const releases = createHelmReleases();
  for (const object of objects) releases.add(object);
  return releases.finish();
}

describe('Helm releases', () => {
  test('the record of a release names its chart and its APIs, and nothing of its values', () => {
    const found = read(secret(3, helmText(release())));
    expect(found).toEqual({
      releases: [
        {
          namespace: 'shop',
          name: 'shop',
          revision: 3,
          status: 'deployed',
          chart: 'shop',
          chartVersion: '1.4.0',
          appVersion: '2.0',
          apis: ['apps/v1/Deployment', 'batch/v1/CronJob', 'policy/v1beta1/PodDisruptionBudget', 'v1/ConfigMap'],
        },
      ],
      unread: [],
    });
    expect(JSON.stringify(found)).not.toContain('hunter2');
  });
  test('the newest revision counts, whatever the order', () => {
    const revisions = [1, 10, 2, 9].map((version) =>
      secret(version, helmText(release({ version, chart: { metadata: { name: 'shop', version: `0.${version}.0` } } }))),
    );
    const other = secret(1, helmText(release({ name: 'edge', version: 1 })), 'edge');
    for (const objects of [revisions, revisions.toReversed(), [revisions[1]!, other, revisions[0]!]]) {
      expect(read(...objects).releases.find(({ name }) => name === 'shop')).toMatchObject({
        revision: 10,
        chartVersion: '0.10.0',
      });
    }
  });
  test('a ConfigMap of Helm, and one that is none', () => {
    const { kind: _kind, type: _type, ...rest } = secret(3, '');
    const map = { ...rest, kind: 'ConfigMap', data: { release: helmText(release()) } };
    expect(read(map).releases).toHaveLength(1);
    const releases = createHelmReleases();
    expect(releases.add({ ...map, metadata: { name: 'settings', namespace: 'shop' } })).toBe(false);
    expect(releases.add({ ...secret(1, ''), type: 'Opaque' })).toBe(false);
  });
  test('a release from before Helm compressed them', () => {
    const plain = Buffer.from(JSON.stringify(release())).toString('base64');
    expect(read(secret(3, plain)).releases).toHaveLength(1);
  });
  test.each([
    ['a bomb', gzipSync(Buffer.alloc(64 * 1024 * 1024)).toString('base64'), 'more than 32 MiB'],
    ['no base64', '????', 'revision 3 of release shop'],
    ['half of it', helmText(release()).slice(0, 40), 'revision 3 of release shop'],
    ['text', gzipSync('{"config": hunter2}').toString('base64'), 'it is not JSON'],
    ['a list', gzipSync('[]').toString('base64'), 'something else than a release'],
    ['null', gzipSync('null').toString('base64'), 'something else than a release'],
    ['brackets without end', gzipSync('['.repeat(1_000_000)).toString('base64'), 'revision 3 of release shop'],
  ])('%s is named and does not stop the others', (_name, data, reason) => {
    const found = read(secret(3, data), secret(1, helmText(release({ name: 'edge' })), 'edge'));
    expect(found.releases.map(({ name }) => name)).toEqual(['edge']);
    expect(JSON.stringify(found)).not.toContain('hunter2');
    expect(found.unread).toMatchObject([
      { kind: 'helm/Release', namespaces: ['shop'], reason: expect.stringContaining(reason) as string },
    ]);
  });
  test('an older revision does not stand in for a newest one that cannot be read', () => {
    const found = read(
      secret(2, helmText(release({ version: 2 }))),
      secret(1, helmText(release()), 'a'),
      secret(3, 'x'),
    );
    expect(found.releases.map(({ name }) => name)).toEqual(['a']);
    expect(found.unread).toHaveLength(1);
  });
});

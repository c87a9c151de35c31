import { expect, test } from 'vitest';
import { parseSnapshot } from '../../../src/cluster/snapshot.ts';
import type { ClusterState } from '../../../src/core/cluster.ts';
import { buildLiveWorld } from '../../../src/rules/kit/world.ts';

const configMap = (namespace: string) =>
  `---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: ${namespace}}\n`;
const namespace = (name: string) => `---\napiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}}\n`;
const header = `apiVersion: gate/v1\nkind: ClusterSnapshot\nmetadata: {name: eu-1}\nkinds: [v1/ConfigMap]\n`;

test.each([
  ['one namespace was read: nothing is known of another', configMap('shop'), 'billing', false],
  ['the namespace that was read', configMap('shop'), 'shop', true],
  ['the kind was read in several namespaces', configMap('shop') + configMap('search'), 'billing', true],
  ['the namespace exists, and its objects were not read', configMap('shop') + namespace('billing'), 'billing', false],
  ['the list of namespaces does not have it', configMap('shop') + namespace('shop'), 'billing', true],
  ['the header says that the kind was read', header + configMap('shop'), 'billing', true],
])('%s', (_name, text, asked, expected) => {
  expect(buildLiveWorld(parseSnapshot(text, 'snapshot.yaml')).covers('', 'ConfigMap', asked)).toBe(expected);
});

const state = (part: Partial<ClusterState>): ClusterState => ({
  name: 'eu-1',
  objects: [],
  pods: [],
  helmReleases: [],
  metrics: [],
  services: [],
  unread: [],
  kinds: new Set(),
  ...part,
});
const apiVersions = ['v1', 'v1/Pod', 'v1/Node', 'apps/v1', 'apps/v1/Deployment', 'example.org/v1'];
const unread = [{ kind: '/Secret', namespaces: ['shop'], reason: 'list is forbidden' }];
const everywhere = { kinds: new Set(['/Secret', '/Node']), allNamespaces: true };

test.each([
  ['the cluster does not serve the kind: there is none', { apiVersions }, ['karpenter.sh', 'NodePool'], true],
  ['a kind of a served group that is not served', { apiVersions }, ['apps', 'StatefulSet'], true],
  ['a served kind that was not read', { apiVersions }, ['apps', 'Deployment'], false],
  ['a group whose kinds are not listed', { apiVersions }, ['example.org', 'Thing'], false],
  [
    'a list of APIs without core kinds is not complete',
    { apiVersions: ['v1', 'apps/v1'] },
    ['karpenter.sh', 'NodePool'],
    false,
  ],
  ['APIs unknown', {}, ['karpenter.sh', 'NodePool'], false],
  ['forbidden in the namespace', { ...everywhere, unread }, ['', 'Secret', 'shop'], false],
  ['forbidden in one namespace is not the whole kind', { ...everywhere, unread }, ['', 'Secret'], false],
  ['forbidden in another namespace', { ...everywhere, unread }, ['', 'Secret', 'billing'], true],
  [
    'forbidden wins over "not served"',
    { apiVersions, unread: [{ kind: 'x.io/Y', reason: 'timeout' }] },
    ['x.io', 'Y'],
    false,
  ],
  [
    'the server of its group is away',
    { apiVersions, unread: [{ kind: 'x.io/*', reason: 'no answer' }] },
    ['x.io', 'Y'],
    false,
  ],
  [
    'read in this namespace',
    { kindsInNamespaces: new Map([['/Secret', new Set(['shop'])]]) },
    ['', 'Secret', 'shop'],
    true,
  ],
  [
    'read in another namespace',
    { kindsInNamespaces: new Map([['/Secret', new Set(['shop'])]]) },
    ['', 'Secret', 'billing'],
    false,
  ],
  [
    'read in some namespaces is not everywhere',
    { kindsInNamespaces: new Map([['/Secret', new Set(['shop'])]]) },
    ['', 'Secret'],
    false,
  ],
] satisfies [string, Partial<ClusterState>, [string, string, string?], boolean][])(
  '%s',
  (_name, part, asked, expected) => {
    expect(buildLiveWorld(state(part)).covers(asked[0], asked[1], asked[2])).toBe(expected);
  },
);

import { expect, test } from 'vitest';
import { parseSnapshot } from '../../../src/cluster/snapshot.ts';
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

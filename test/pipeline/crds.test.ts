import { expect, test } from 'vitest';
import type { ResourceChange } from '../../src/core/model.ts';
import { crdsOfTree } from '../../src/pipeline/crds.ts';
import { treeOf } from '../kit/sources.ts';

const crd = (group: string) =>
  `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: queues.${group}}\nspec: {group: ${group}}\n`;
const tree = treeOf({
  'charts/mq/crds/queue.yaml': crd('mq.example.org'),
  'other/crds.yaml': crd('db.example.org'),
  'docs/text.yaml': 'note: kind CustomResourceDefinition of mq.example.org\n',
});
const change = (group: string): ResourceChange => ({
  action: 'changed',
  ref: { group, version: 'v1', kind: 'Queue', namespace: 'shop', name: 'orders' },
  target: 'shop',
  fields: [],
  impact: 'configuration',
});

test.each([
  ['the CRD of a custom resource that changes', ['mq.example.org'], ['queues.mq.example.org']],
  ['nothing for built-in kinds', ['apps', 'networking.k8s.io', ''], []],
  ['nothing when no definition is in the tree', ['gone.example.org'], []],
])('%s', (_name, groups, expected) => {
  expect(crdsOfTree(groups.map(change), tree).map((object) => object.metadata.name)).toEqual(expected);
});

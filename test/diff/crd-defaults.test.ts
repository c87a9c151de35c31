import { describe, expect, test } from 'vitest';
import { parseManifests } from '../../src/render/parse.ts';
import { diffSides } from '../../src/diff/diff.ts';
import type { RenderResult } from '../../src/core/model.ts';
import { target } from './sides.ts';

const crd = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: queues.mq.example.org}
spec:
  group: mq.example.org
  names: {kind: Queue, plural: queues}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                durable: {type: boolean, default: true}
                retry:
                  type: object
                  default: {}
                  properties: {limit: {type: integer, default: 3}}
                dead: {type: object, properties: {ttl: {type: integer, default: 60}}}
                bindings:
                  type: array
                  items: {type: object, properties: {weight: {type: integer, default: 1}, key: {type: string}}}
                limits:
                  type: object
                  additionalProperties: {type: object, properties: {burst: {type: integer, default: 5}}}
                owner: {type: string, nullable: true, default: nobody}
                team: {type: string, default: platform}
---
`;

const queue = (spec: string) => `apiVersion: mq.example.org/v1
kind: Queue
metadata: {name: orders, namespace: shop}
spec: ${spec}
`;

function diff(before: string, after: string, definitions = crd) {
  const side = (text: string): RenderResult[] => [
    { ok: true, target: target('shop'), manifests: parseManifests(definitions + text).manifests, warnings: [] },
  ];
  return diffSides({ before: side(before), after: side(after) });
}

describe('defaults of a CRD', () => {
  test.each([
    ['a default that is written out', '{}', '{durable: true}'],
    ['a default inside of a default', '{}', '{retry: {limit: 3}}'],
    ['a default in list elements', '{bindings: [{key: a}]}', '{bindings: [{key: a, weight: 1}]}'],
    ['a default in map values', '{limits: {eu: {}}}', '{limits: {eu: {burst: 5}}}'],
    ['null where it is not allowed', '{team: null}', '{team: platform}'],
  ])('%s is no change', (_name, before, after) => {
    expect(diff(queue(before), queue(after)).changes).toEqual([]);
  });

  test.each([
    ['another value than the default', '{}', '{durable: false}', '/spec/durable'],
    ['an object that has no default itself stays absent', '{}', '{dead: {ttl: 60}}', '/spec/dead'],
    ['null where it is allowed is a value', '{}', '{owner: null}', '/spec/owner'],
  ])('%s', (_name, before, after, path) => {
    expect(
      diff(queue(before), queue(after)).changes.flatMap((change) => change.fields.map((field) => field.path)),
    ).toEqual([path]);
  });

  test('without the CRD nothing is assumed', () => {
    expect(diff(queue('{}'), queue('{durable: true}'), '').changes).toHaveLength(1);
  });

  test('the effective object carries the defaults', () => {
    const entry = diff(queue('{}'), queue('{}')).entries.after.find(({ ref }) => ref.kind === 'Queue');
    expect(entry?.effective['spec']).toEqual({ durable: true, retry: { limit: 3 }, owner: 'nobody', team: 'platform' });
    expect(entry?.object['spec']).toEqual({});
  });
});

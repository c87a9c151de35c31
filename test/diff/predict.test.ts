import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/model.ts';
import { predictApply } from '../../src/diff/predict.ts';

// Object for object against kubectl: test/cluster/live/predict.test.ts.
const object = (apiVersion: string, kind: string, rest: JsonObject): JsonObject => ({
  apiVersion,
  kind,
  metadata: { name: 'x' },
  ...rest,
});
const boat = (spec: JsonObject) => object('example.org/v1', 'Boat', { spec });
const pod = (spec: JsonObject) => object('v1', 'Pod', { spec });

describe('predictApply', () => {
  test('drops status and what only the server writes, and keeps the version', () => {
    const live = {
      ...boat({ a: 1 }),
      metadata: { name: 'x', uid: 'u', resourceVersion: '7', generation: 2, creationTimestamp: 't', managedFields: [] },
      status: { ready: true },
    };
    expect(predictApply(live, undefined, boat({ b: 2 }), 'kubectl')).toEqual({
      ...boat({ a: 1, b: 2 }),
      metadata: { name: 'x', resourceVersion: '7' },
    });
  });

  test('Helm leaves alone what did not change between two manifests of a custom resource', () => {
    const live = boat({ sails: 5, crew: { cooks: 2, mates: 1 }, flags: ['live'] });
    const before = boat({ sails: 2, crew: { cooks: 1 }, flags: ['a'] });
    const after = boat({ sails: 2, crew: { cooks: 3 }, flags: ['a'] });
    expect(predictApply(live, before, after, 'helm')['spec']).toEqual({
      sails: 5,
      crew: { cooks: 3, mates: 1 },
      flags: ['live'],
    });
    expect(predictApply(live, before, after, 'kubectl')['spec']).toEqual({
      sails: 2,
      crew: { cooks: 3, mates: 1 },
      flags: ['a'],
    });
  });

  test('Helm merges built-in kinds in three ways like kubectl', () => {
    const live = pod({
      containers: [
        { name: 'a', image: 'live' },
        { name: 'mesh', image: 'm' },
      ],
    });
    const same = pod({ containers: [{ name: 'a', image: 'git' }] });
    expect(predictApply(live, same, same, 'helm')['spec']).toEqual({
      containers: [
        { name: 'a', image: 'git' },
        { name: 'mesh', image: 'm' },
      ],
    });
  });

  test('elements that cannot be told apart are replaced as a whole', () => {
    const ports = (name: string) => [
      { containerPort: 53, protocol: 'TCP', name },
      { containerPort: 53, protocol: 'UDP' },
    ];
    const live = pod({ containers: [{ name: 'a', ports: ports('old') }] });
    const after = pod({ containers: [{ name: 'a', ports: ports('new') }] });
    expect(predictApply(live, after, after, 'kubectl')['spec']).toEqual({
      containers: [{ name: 'a', ports: ports('new') }],
    });
  });

  test('keys of a hostile manifest are data', () => {
    const hostile = JSON.parse(
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"__proto__":"a","constructor":"b"}}',
    ) as JsonObject;
    const result = predictApply(object('v1', 'ConfigMap', { data: {} }), undefined, hostile, 'kubectl');
    expect(Object.entries(result['data'] as JsonObject)).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
    expect(Object.hasOwn({}, 'a')).toBe(false);
  });

  test('deep nesting is taken over as it is', () => {
    let deep: JsonObject = { end: true };
    for (let level = 0; level < 5000; level++) deep = { deep };
    expect(() => predictApply(boat({}), boat({}), boat({ deep }), 'kubectl')).not.toThrow();
  });
});

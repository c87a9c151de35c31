import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../src/core/model.ts';
import { readDocuments } from '../../src/core/yaml/read.ts';
import { withDefaults } from '../../src/diff/defaults.ts';
import { defaultPullPolicy } from '../../src/diff/defaults/pod.ts';
import { schemaOf } from '../../src/diff/list-keys.ts';
import { comparable } from '../../src/diff/normalize.ts';
import { differences } from '../../src/diff/walk.ts';

const folder = new URL('../../fixtures/defaults/', import.meta.url);
const objects = readDocuments(readFileSync(new URL('objects.yaml', folder), 'utf8')).map(
  (document) => document.value as unknown as KubeObject,
);
// Recorded: each object of objects.yaml through legacyscheme.Scheme.Default of k8s.io/kubernetes 1.34.3.
const recorded = JSON.parse(readFileSync(new URL('defaulted.json', folder), 'utf8')) as KubeObject[];

/** Status of claims inside a StatefulSet is written by the server and taken away here. */
const serverOnly = new Set(['/spec/volumeClaimTemplates/data/status']);

describe('withDefaults', () => {
  test.each(objects.map((object, index) => [`${object.apiVersion} ${object.kind} ${object.metadata.name}`, index]))(
    '%s is what Kubernetes makes of it',
    (_name, index) => {
      const object = objects[index]!;
      const before = JSON.stringify(object);
      const result = withDefaults(object);
      const schema = schemaOf(object.apiVersion, object.kind, new Map());
      const found = differences(comparable(result, false), comparable(recorded[index]!, false), schema);
      expect(found.filter((difference) => !serverOnly.has(difference.path))).toEqual([]);
      expect(JSON.stringify(object)).toBe(before);
    },
  );

  test('defaults applied twice change nothing', () => {
    for (const object of objects) {
      const once = withDefaults(object);
      expect(withDefaults(once)).toEqual(once);
    }
  });

  test('a kind of another project is left alone', () => {
    const object: KubeObject = { apiVersion: 'example.com/v1', kind: 'Deployment', metadata: { name: 'x' }, spec: {} };
    expect(withDefaults(object)).toBe(object);
  });

  test('a Rollout gets the defaults of its pods only', () => {
    const rollout: KubeObject = {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Rollout',
      metadata: { name: 'x' },
      spec: { template: { spec: { containers: [{ name: 'a', image: 'a:1' }] } } },
    };
    const result = withDefaults(rollout) as unknown as { spec: { replicas?: number; template: { spec: object } } };
    expect(result.spec.replicas).toBeUndefined();
    expect(result.spec.template.spec).toMatchObject({ dnsPolicy: 'ClusterFirst', restartPolicy: 'Always' });
  });

  test('stringData is folded into data and wins over it', () => {
    const secret: KubeObject = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'x' },
      data: { a: 'redacted:1', b: 'redacted:2' },
      stringData: { b: 'redacted:3', c: 'text' },
    };
    expect(withDefaults(secret)).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'x' },
      type: 'Opaque',
      data: { a: 'redacted:1', b: 'redacted:3', c: 'dGV4dA==' },
    });
  });

  test('fields named like the prototype are data', () => {
    const object = JSON.parse(
      '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"},"spec":{"__proto__":{"polluted":1},"containers":[{"name":"a","image":"a","__proto__":{"ports":[]}}]}}',
    ) as KubeObject;
    const result = withDefaults(object);
    expect(JSON.stringify(result)).toContain('"__proto__":{"polluted":1}');
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});

describe('defaultPullPolicy', () => {
  test.each([
    ['nginx', 'Always'],
    ['nginx:latest', 'Always'],
    ['nginx:1.27', 'IfNotPresent'],
    ['registry:5000/nginx', 'Always'],
    ['registry:5000/nginx:1', 'IfNotPresent'],
    [`nginx@sha256:${'a'.repeat(64)}`, 'IfNotPresent'],
    [`nginx:latest@sha256:${'a'.repeat(64)}`, 'Always'],
    ['', 'IfNotPresent'],
    ['${IMAGE}', 'IfNotPresent'],
    [undefined, 'IfNotPresent'],
  ] as const)('%s: %s', (image, policy) => {
    expect(defaultPullPolicy(image)).toBe(policy);
  });
});

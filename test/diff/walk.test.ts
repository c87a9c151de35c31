import fc from 'fast-check';
import { diff as oracle } from 'jsondiffpatch';
import { describe, expect, test } from 'vitest';
import { schemaOf } from '../../src/diff/list-keys.ts';
import { indexCrds } from '../../src/diff/crd-lists.ts';
import { differences, sameJson } from '../../src/diff/walk.ts';
import type { KubeObject } from '../../src/core/model.ts';
import { applyDifferences } from './apply.ts';

const deployment = schemaOf('apps/v1', 'Deployment', new Map());
const plain = schemaOf('example.com/v1', 'Thing', new Map());

function paths(before: unknown, after: unknown, schema = deployment): string[] {
  return differences(before, after, schema).map((difference) => difference.path);
}

function pods(spec: object): object {
  return { spec: { template: { spec } } };
}

describe('keyed lists', () => {
  test('a changed element has its key in the path', () => {
    const before = pods({
      containers: [
        { name: 'app', image: 'a:1' },
        { name: 'proxy', image: 'p:1' },
      ],
    });
    const after = pods({
      containers: [
        { name: 'proxy', image: 'p:1' },
        { name: 'app', image: 'a:2' },
      ],
    });
    expect(differences(before, after, deployment)).toMatchObject([
      { path: '/spec/template/spec/containers/app/image', before: 'a:1', after: 'a:2' },
    ]);
  });
  test('an added element is one change at its root', () => {
    const before = pods({ containers: [{ name: 'app', env: [{ name: 'A', value: '1' }] }] });
    const after = pods({
      containers: [
        {
          name: 'app',
          env: [
            { name: 'A', value: '1' },
            { name: 'B', value: '2' },
          ],
        },
      ],
    });
    expect(differences(before, after, deployment)).toMatchObject([
      { path: '/spec/template/spec/containers/app/env/B', after: { name: 'B', value: '2' } },
    ]);
  });
  test('keys of several fields, and slashes in keys', () => {
    const ports = (list: object[]) => pods({ containers: [{ name: 'app', ports: list, volumeMounts: [] }] });
    expect(paths(ports([{ containerPort: 53 }]), ports([{ containerPort: 53, protocol: 'UDP' }]))).toEqual([
      '/spec/template/spec/containers/app/ports/53:TCP',
      '/spec/template/spec/containers/app/ports/53:UDP',
    ]);
    const mounts = (path: string) =>
      pods({ containers: [{ name: 'app', volumeMounts: [{ mountPath: '/a~b', name: path }] }] });
    expect(paths(mounts('x'), mounts('y'))).toEqual(['/spec/template/spec/containers/app/volumeMounts/~1a~0b/name']);
  });
  test('two elements of one key fall back to positions', () => {
    const env = (value: string) =>
      pods({
        containers: [
          {
            name: 'app',
            env: [
              { name: 'A', value: '1' },
              { name: 'A', value },
            ],
          },
        ],
      });
    expect(paths(env('2'), env('3'))).toEqual(['/spec/template/spec/containers/app/env/1/value']);
  });
  test('the order of init containers is the order of execution', () => {
    const init = (names: string[]) => pods({ initContainers: names.map((name) => ({ name, image: name })) });
    expect(paths(init(['a', 'b']), init(['b', 'a']))).toEqual(['/spec/template/spec/initContainers']);
    expect(paths(init(['a', 'b']), init(['a', 'c', 'b']))).toEqual(['/spec/template/spec/initContainers/c']);
  });
  test('sets have no order', () => {
    const roles = schemaOf('rbac.authorization.k8s.io/v1', 'Role', new Map());
    expect(paths({ rules: [{ verbs: ['get', 'list'] }] }, { rules: [{ verbs: ['list', 'get'] }] }, roles)).toEqual([]);
    expect(paths({ rules: [{ verbs: ['get'] }] }, { rules: [{ verbs: ['get', 'list'] }] }, roles)).toEqual([
      '/rules/0/verbs',
    ]);
  });
  test('tolerations pair up by all their fields, also the one without any', () => {
    const tolerate = (list: object[]) => pods({ tolerations: list });
    expect(paths(tolerate([{ key: 'a' }, {}]), tolerate([{}, { key: 'a' }]))).toEqual([]);
    expect(paths(tolerate([{ key: 'a' }]), tolerate([{ key: 'a' }, {}]))).toEqual([
      '/spec/template/spec/tolerations/*',
    ]);
  });
  test('arguments have an order', () => {
    const args = (list: string[]) => pods({ containers: [{ name: 'app', args: list }] });
    expect(paths(args(['a', 'b']), args(['b', 'a']))).toHaveLength(2);
    expect(paths(args(['a']), args(['a', 'b']))).toEqual(['/spec/template/spec/containers/app/args']);
  });
  test('keys come from the CRD', () => {
    const crd: KubeObject = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'gateways.example.com' },
      spec: {
        group: 'example.com',
        names: { kind: 'Gateway', plural: 'gateways' },
        versions: [
          {
            name: 'v1',
            schema: {
              openAPIV3Schema: {
                properties: {
                  spec: {
                    properties: {
                      listeners: {
                        type: 'array',
                        'x-kubernetes-list-type': 'map',
                        'x-kubernetes-list-map-keys': ['port'],
                        items: { properties: { hosts: { type: 'array', 'x-kubernetes-list-type': 'set' } } },
                      },
                    },
                  },
                },
              },
            },
          },
        ],
      },
    };
    const schema = schemaOf('example.com/v1', 'Gateway', indexCrds([crd]));
    const listeners = (list: object[]) => ({ spec: { listeners: list } });
    const a = { port: 80, hosts: ['x', 'y'] };
    const b = { port: 443, hosts: ['z'] };
    expect(paths(listeners([a, b]), listeners([b, { ...a, hosts: ['y', 'x'] }]), schema)).toEqual([]);
    expect(paths(listeners([a, b]), listeners([a, { ...b, tls: true }]), schema)).toEqual(['/spec/listeners/443/tls']);
  });
  test('without a CRD, named elements are paired and their order counts', () => {
    const routes = (names: string[]) => ({ spec: { http: names.map((name) => ({ name, to: `svc-${name}` })) } });
    expect(paths(routes(['a', 'b']), routes(['b', 'a']), plain)).toEqual(['/spec/http']);
    expect(paths(routes(['a', 'b']), routes(['a', 'x', 'b']), plain)).toEqual(['/spec/http/x']);
  });
});

describe('what is no change', () => {
  const container = (fields: object) => pods({ containers: [{ name: 'app', ...fields }] });
  test.each([
    [
      'quantities',
      { resources: { limits: { cpu: '0.5', memory: '1Gi' } } },
      { resources: { limits: { cpu: '500m', memory: '1024Mi' } } },
    ],
    ['quantities as numbers', { resources: { limits: { cpu: 1 } } }, { resources: { limits: { cpu: '1' } } }],
    ['null', { command: null }, {}],
    ['empty mappings', { resources: {} }, {}],
    ['nested empty mappings', { securityContext: { capabilities: { drop: [] } } }, {}],
    ['values that are not stored', { stdin: false, env: [{ name: 'A', value: '' }] }, { env: [{ name: 'A' }] }],
  ])('%s', (_name, before, after) => {
    expect(paths(container(before), container(after))).toEqual([]);
    expect(paths(container(after), container(before))).toEqual([]);
  });
  test.each([
    ['a pointer to false is stored', { securityContext: { privileged: false } }, {}],
    ['another quantity', { resources: { limits: { cpu: '0.5' } } }, { resources: { limits: { cpu: '501m' } } }],
    [
      'text that only looks like a quantity',
      { env: [{ name: 'A', value: '1' }] },
      { env: [{ name: 'A', value: '1.0' }] },
    ],
  ])('but: %s', (_name, before, after) => {
    expect(paths(container(before), container(after))).toHaveLength(1);
  });
  test('an empty selector is not an absent one', () => {
    const schema = schemaOf('networking.k8s.io/v1', 'NetworkPolicy', new Map());
    const peer = (fields: object) => ({ spec: { ingress: [{ from: [{ podSelector: {}, ...fields }] }] } });
    expect(paths(peer({}), peer({ namespaceSelector: {} }), schema)).toEqual([
      '/spec/ingress/0/from/0/namespaceSelector',
    ]);
  });
  test('in custom resources an empty mapping says something', () => {
    expect(paths({ spec: {} }, { spec: { selfSigned: {} } }, plain)).toEqual(['/spec/selfSigned']);
    expect(paths({ metadata: { name: 'a' } }, { metadata: { name: 'a', labels: {} } }, plain)).toEqual([]);
  });
  test('an empty key of a ConfigMap is a key', () => {
    const schema = schemaOf('v1', 'ConfigMap', new Map());
    expect(paths({ data: { value: '' } }, { data: {} }, schema)).toEqual(['/data/value']);
  });
});

const key = fc.constantFrom('a', 'b', 'c', 'd/e', 'f~g', '__proto__', 'constructor', 'name');
const leaf = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom('x', 'y', ''), fc.boolean(), fc.constant(null));
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(key, tie('json'), { maxKeys: 4 }),
  ),
}));

/** Null is absent to Kubernetes, so the oracle sees data without it; it stumbles over keys of the prototype. */
function withoutNull(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNull);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, inner]) => inner !== null && name !== '__proto__' && name !== 'constructor')
      .map(([name, inner]) => [name, withoutNull(inner)]),
  );
}

describe('properties', () => {
  test('nothing differs from itself', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(differences(value, structuredClone(value), plain)).toEqual([]);
      }),
    );
  });
  test('finds a difference exactly when jsondiffpatch does', () => {
    fc.assert(
      fc.property(json, json, (left, right) => {
        const a = { spec: withoutNull(left) };
        const b = { spec: withoutNull(right) };
        fc.pre(!JSON.stringify(a).includes('null') && !JSON.stringify(b).includes('null'));
        expect(differences(a, b, plain).length > 0).toBe(oracle(a, b) !== undefined);
        expect(sameJson(a, b)).toBe(oracle(a, b) === undefined);
      }),
      { numRuns: 500 },
    );
  });
  test('applying the differences leads from one side to the other', () => {
    fc.assert(
      fc.property(json, json, (left, right) => {
        const a = { spec: withoutNull(left) };
        const b = { spec: withoutNull(right) };
        const result = applyDifferences(a, differences(a, b, plain), plain);
        expect(differences(result, b, plain)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
  const containers = fc.uniqueArray(
    fc.record({
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      image: fc.constantFrom('x:1', 'x:2'),
      env: fc.uniqueArray(fc.record({ name: fc.constantFrom('A', 'B', 'C'), value: fc.constantFrom('1', '2') }), {
        selector: (item) => item.name,
      }),
    }),
    { selector: (item) => item.name, minLength: 1 },
  );
  test('re-ordering keyed lists is no change', () => {
    fc.assert(
      fc.property(containers, fc.integer(), (list, seed) => {
        const shuffled = [...list].sort(
          (a, b) => ((a.name.charCodeAt(0) * seed) % 7) - ((b.name.charCodeAt(0) * seed) % 7),
        );
        const reversed = shuffled.map((item) => ({ ...item, env: [...item.env].reverse() }));
        expect(paths(pods({ containers: list }), pods({ containers: reversed }))).toEqual([]);
      }),
    );
  });
  test('the same holds for keyed lists', () => {
    fc.assert(
      fc.property(containers, containers, (left, right) => {
        const a = pods({ containers: left });
        const b = pods({ containers: right });
        const result = applyDifferences(a, differences(a, b, deployment), deployment);
        expect(differences(result, b, deployment)).toEqual([]);
        expect(differences(b, a, deployment)).toHaveLength(differences(a, b, deployment).length);
      }),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { digestManifests, objectKey } from '../../src/core/digest.ts';
import type { Json, JsonObject, KubeObject, Manifest } from '../../src/core/model.ts';
import { redactObject } from '../../src/core/redact.ts';
import { readDocuments } from '../../src/core/yaml/read.ts';
import { manifestsOf } from '../../src/render/objects.ts';

const key = (seed: number) => new Uint8Array(32).fill(seed);

/** Through the real reader, as a tool's output. */
function read(text: string, seed = 1): Manifest[] {
  return readDocuments(text).flatMap((document) => manifestsOf(document, key(seed), {}, undefined));
}

const digestOf = (text: string, seed = 1) => digestManifests(read(text, seed)).digest;

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
  namespace: shop
  annotations: {checksum/config: 0123456789abcdef0123456789abcdef}
spec:
  replicas: 3
  template:
    spec:
      containers:
        - name: app
          image: registry.example.org/api:1.0.0
          args: ["--a", "--b"]
          envFrom:
            - secretRef: {name: api-env}
`;
const secret = (value: string, more = '') => `apiVersion: v1
kind: Secret
metadata: {name: api-env, namespace: shop}
stringData:
  PASSWORD: ${value}
${more}`;
const config = `apiVersion: v1
kind: ConfigMap
metadata: {name: api, namespace: shop}
data:
  url: https://mia:hunter2hunter2@example.org/
  text: |
    a
    b
`;
const hook = `apiVersion: batch/v1
kind: Job
metadata:
  name: migrate
  annotations: {argocd.argoproj.io/hook: PreSync}
spec: {template: {spec: {containers: [{name: m, image: m}]}}}
`;
const all = [deployment, secret('one'), config, hook].join('---\n');

/** Keys and documents in another order. */
function shuffled(value: Json, random: () => number): Json {
  if (Array.isArray(value)) return value.map((item) => shuffled(item, random));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, entry]) => [name, shuffled(entry, random)] as const);
  return Object.fromEntries(entries.toSorted(() => random() - 0.5));
}

describe('digestManifests', () => {
  it('does not depend on order of documents and keys, YAML style, comments and the user', () => {
    const wanted = digestOf(all);
    fc.assert(
      fc.property(fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), fc.integer(), (numbers, style) => {
        const random = () => numbers.next().value;
        const documents = [deployment, secret('one'), config, hook]
          .map((text) => shuffled(parse(text) as Json, random))
          .toSorted(() => random() - 0.5);
        const text = documents
          .map((document) =>
            stringify(document, {
              indent: 2 + (Math.abs(style) % 4),
              defaultStringType: style % 2 === 0 ? 'QUOTE_DOUBLE' : 'QUOTE_SINGLE',
              defaultKeyType: 'PLAIN',
              collectionStyle: style % 3 === 0 ? 'flow' : 'block',
            }),
          )
          .join('---\n# a comment\n');
        expect(digestOf(text, 1 + (Math.abs(style) % 200))).toBe(wanted);
      }),
      { numRuns: 60 },
    );
  });

  it('differs for every changed, added and removed value of an object', () => {
    const base = parse(deployment) as JsonObject;
    const wanted = digestManifests(of(base)).digest;
    const places = leaves(base, []).filter((path) => !path.includes('checksum/config'));
    expect(places.length).toBeGreaterThan(9);
    for (const path of places) {
      for (const value of ['other', 7, null, true, []]) {
        expect(digestManifests(of(replaced(base, path, value))).digest, path.join('/')).not.toBe(wanted);
      }
    }
    expect(digestManifests(of(replaced(base, ['spec', 'paused'], false))).digest).not.toBe(wanted);
  });

  it.each([
    ['a removed document', all, [deployment, config, hook].join('---\n')],
    ['a removed hook', all, [deployment, secret('one'), config].join('---\n')],
    ['a key of a Secret', secret('one'), secret('one', '  TOKEN: two\n')],
    ['the type of a Secret', secret('one'), `type: Opaque\n${secret('one')}`],
    ['order of a list', deployment, deployment.replace('"--a", "--b"', '"--b", "--a"')],
    ['text and number', deployment, deployment.replace('replicas: 3', 'replicas: "3"')],
    ['a default that is spelled out', deployment, deployment.replace('replicas: 3', 'replicas: 3\n  paused: false')],
    ['another namespace', config, config.replace('shop', 'other')],
    [
      'the tag of an image that looks redacted',
      deployment.replace('api:1.0.0', 'redacted:0123456789ab'),
      deployment.replace('api:1.0.0', 'redacted:0123456789ac'),
    ],
    ['a checksum that is none', deployment, deployment.replace('0123456789abcdef0123456789abcdef', 'nightly')],
    [
      'one object twice, in another order',
      `${config}---\n${config.replace('a\n', 'c\n')}`,
      `${config.replace('a\n', 'c\n')}---\n${config}`,
    ],
  ])('differs: %s', (_what, left, right) => {
    expect(digestOf(left)).not.toBe(digestOf(right));
  });

  it.each([
    ['the value of a Secret', secret('one'), secret('two')],
    ['a password in a URL', config, config.replace('hunter2hunter2', 'correct-horse')],
    ['the envelope of SOPS', secret('one'), `${secret('one')}sops: {mac: abc, lastmodified: today}\n`],
    ['a checksum that follows from a Secret', deployment, deployment.replace('0123456789abcdef', 'fedcba9876543210')],
    ['a Secret inside of another object', nested('one'), nested('two')],
    [
      'the suffix that kustomize computes from a Secret',
      `${deployment.replace('name: api-env', 'name: api-env-2456789bcd')}---\n${secret('one').replace('api-env', 'api-env-2456789bcd')}`,
      `${deployment.replace('name: api-env', 'name: api-env-fghkmt2456')}---\n${secret('two').replace('api-env', 'api-env-fghkmt2456')}`,
    ],
  ])('is the same: %s', (_what, left, right) => {
    expect(digestOf(left)).toBe(digestOf(right));
  });

  it('does not confuse two generated Secrets with one stem', () => {
    const two = ['api-env-2456789bcd', 'api-env-fghkmt2456'].map((name) => secret('x').replace('api-env', name));
    const using = (name: string) => [...two, deployment.replace('name: api-env', `name: ${name}`)].join('---\n');
    expect(digestOf(using('api-env-2456789bcd'))).not.toBe(digestOf(using('api-env-fghkmt2456')));
  });

  it('tells nobody whether a guessed value of a Secret is right, also by its redacted forms', () => {
    const pull = (password: string) => {
      const text = JSON.stringify({ auths: { 'registry.example.org': { password } } });
      return of({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'pull' },
        data: { '.dockerconfigjson': Buffer.from(text).toString('base64') },
      });
    };
    const redacted = (manifests: Manifest[], seed: number) =>
      manifests.map((one) => ({
        ...one,
        object: redactObject(one.object as unknown as Json, key(seed)) as unknown as KubeObject,
      }));
    expect(digestManifests(redacted(pull('a'), 1)).digest).toBe(digestManifests(redacted(pull('b'), 2)).digest);
  });

  it('has a digest per object, found by the name that the object has', () => {
    const name = 'api-env-2456789bcd';
    const { objects } = digestManifests(read(`${config}---\n${secret('one').replace('api-env', name)}`));
    const of = (kind: string, own: string) => objects.get(objectKey({ group: '', kind, namespace: 'shop', name: own }));
    expect(of('ConfigMap', 'api')).toBe(digestManifests(read(config)).objects.get('\0ConfigMap\0shop\0api'));
    expect(of('Secret', name)).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(of('ConfigMap', 'other')).toBeUndefined();
  });

  it('takes keys of JavaScript as keys', () => {
    const text = (value: string) => config.replace('  text:', `  __proto__: ${value}\n  constructor: x\n  text:`);
    expect(digestOf(text('a'))).not.toBe(digestOf(text('b')));
  });
});

function nested(value: string): string {
  return `apiVersion: example.org/v1
kind: Bundle
metadata: {name: b}
spec:
  manifest:
    apiVersion: v1
    kind: Secret
    metadata: {name: inner}
    data: {PASSWORD: ${Buffer.from(value).toString('base64')}}
`;
}

function of(object: JsonObject): Manifest[] {
  const metadata = object['metadata'] as JsonObject;
  const name = String(metadata['name']);
  return [
    {
      ref: { group: '', version: 'v1', kind: String(object['kind']), name },
      object: object as unknown as KubeObject,
      provenance: {},
    },
  ];
}

function leaves(value: Json, path: readonly string[]): string[][] {
  if (typeof value !== 'object' || value === null) return [[...path]];
  return Object.entries(value).flatMap(([name, entry]) => leaves(entry, [...path, name]));
}

function replaced(value: Json, [first, ...rest]: readonly string[], to: Json): JsonObject {
  if (first === undefined) return to as JsonObject;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as JsonObject) }) as JsonObject;
  copy[first] = replaced(copy[first] ?? {}, rest, to);
  return copy;
}

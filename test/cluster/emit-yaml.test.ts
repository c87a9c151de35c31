import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { emitYaml } from '../../src/cluster/snapshot/emit-yaml.ts';
import type { JsonObject } from '../../src/core/model.ts';
import { readFast } from '../../src/core/yaml/fast.ts';
import { readDocuments } from '../../src/core/yaml/read.ts';

const awkward = [
  '',
  ' ',
  'a ',
  ' a',
  '~',
  'null',
  'yes',
  'No',
  'on',
  'y',
  'n',
  'True',
  '<<',
  '=',
  '-',
  '- a',
  '?',
  ': ',
  'a:',
  'a: b',
  'a #b',
  '#',
  '&a',
  '*a',
  '!a',
  '|',
  '>',
  '%a',
  '@a',
  '`a',
  '{a',
  '[a',
  ']',
  '}',
  ',',
  '"',
  "'",
  '\\',
  '---',
  '...',
  '1',
  '0x1f',
  'e5',
  'E1234567',
  '0777',
  '0o17',
  '1e3',
  '1_000',
  '.5',
  '-.inf',
  '.nan',
  '12:30:45',
  '2026-11-20',
  '2026-11-20T10:00:00Z',
  '100m',
  '1.5Gi',
  'a\nb',
  'a\nb\n',
  'a\n\nb\n\n',
  '\na',
  ' a\nb',
  'a \nb',
  'a\n b',
  'a\n\tb',
  '\ta',
  'a\tb',
  'a\r\nb',
  '---\na: b\n---\n',
  'x: |\n  y\n',
  'é',
  '\u0085',
  '\u2028',
  '\ufeff',
  '\u0000',
  '\u007f',
  '😀',
  '😀\nb',
  '__proto__',
  'nginx:1.25',
  'sha256:abc',
  'http://a.b/c?d=e&f',
  'system:serviceaccount:gate:reader',
  'a, b',
  '(a)',
  'a  b',
  'x'.repeat(1500),
];
const text = fc.oneof(
  fc.constantFrom(...awkward),
  fc.string({ maxLength: 30 }),
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.array(fc.constantFrom(...awkward), { maxLength: 4 }).map((parts) => parts.join('\n')),
);
const value = fc.letrec((tie) => ({
  json: fc.oneof(
    { maxDepth: 5 },
    text,
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (number === 0 ? 0 : number)),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('json'), { maxLength: 5 }),
    tie('object'),
  ),
  // The proto key makes an own property here, as it does in JSON.parse.
  object: fc
    .array(fc.tuple(text, tie('json')), { maxLength: 5 })
    .map((entries) => Object.fromEntries(entries) as JsonObject),
}));
const object = value.object as fc.Arbitrary<JsonObject>;

const back = (document: string) => readDocuments(document)[0]?.value;

describe('emitYaml', () => {
  test('our reader and the yaml package read what was written', () => {
    fc.assert(
      fc.property(object, (written) => {
        const document = emitYaml({ written });
        expect(back(document)).toEqual({ written });
        expect(parse(document, { version: '1.1' })).toEqual({ written });
        expect(parse(document, { version: '1.2' })).toEqual({ written });
      }),
      { numRuns: 3000 },
    );
  });
  test.each(awkward.map((name) => [JSON.stringify(name.slice(0, 20)), name] as const))(
    '%s as key and value',
    (_label, name) => {
      const written = Object.fromEntries([[name, [name, { [`k${name}`]: name }]]]) as JsonObject;
      expect(back(emitYaml(written))).toEqual(written);
      expect(parse(emitYaml(written), { version: '1.1' })).toEqual(written);
    },
  );
  test('a document stays one when text looks like several', () => {
    expect(readDocuments(emitYaml({ data: { 'a.yaml': '---\na: 1\n---\nb: 2\n...\n' } }))).toHaveLength(1);
  });
  test('usual objects are readable text, and are read by the fast reader', () => {
    const document = emitYaml({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'api', labels: { app: 'api', on: 'yes' }, creationTimestamp: '2026-11-20T10:00:00Z' },
      spec: {
        template: {
          spec: { containers: [{ name: 'api', image: 'r.example/api:1.2', args: ['--a=b', '8080'], ports: [] }] },
        },
      },
      data: { 'run.sh': '#!/bin/sh\n  set -e\n\nexec app\n' },
    });
    expect(document).toBe(`apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
  labels:
    app: api
    "on": "yes"
  creationTimestamp: "2026-11-20T10:00:00Z"
spec:
  template:
    spec:
      containers:
      - name: api
        image: r.example/api:1.2
        args:
        - "--a=b"
        - "8080"
        ports: []
data:
  run.sh: |
    #!/bin/sh
      set -e

    exec app
`);
    expect(readFast(document, 1)).toBeDefined();
  });
});

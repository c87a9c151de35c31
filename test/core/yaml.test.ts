import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readFast } from '../../src/core/yaml/fast.ts';
import { readFull } from '../../src/core/yaml/full.ts';
import { readDocument, readDocuments, splitDocuments, YamlError } from '../../src/core/yaml/read.ts';
import { goMissing, runGo } from '../kit/go-oracle.ts';

const scalars = `y Y yes Yes YES yEs n N no No NO on On ON off OFF oFf true True TRUE tRue false null Null NULL ~ nil
0 1 -1 +1 00 01 07 08 09 0777 -0777 +0777 0o17 0O17 0o18 0x1F 0X1f 0xg -0x10 0b101 -0b101 0b102 0B11 1_000 1__0 _1 1_ 0_7 0x_1
1.5 -1.5 .5 -.5 +.5 5. 1e3 1E3 1e+3 1e-3 1.e3 .5e1 1e400 -1e400 .e1 . .. - -- + 1.2.3 1_0.5 08.5 0x1p-2 0.10 1.0 100.0 -0 -0.0
9007199254740993 9223372036854775807 9223372036854775808 -9223372036854775808 -9223372036854775809 18446744073709551615
18446744073709551616 123456789012345678901234567890 0xffffffffffffffff 0xfffffffffffffffff
12:30 12:30:45 190:20:30 1:2 2001-12-14 2001-12-14T21:59:43.10-05:00 2001-1-1 2001-12-14t21:59:43Z 1e3x 3d 5Gi 100m 1e2m
<a =x !x x#y a:b http://x:80/y -x ?x :x x- 1- 1+1 e1 E5 infinity .infinity nan inf .Nan 1,000 50% @x `.split(/\s+/);

const documents = [
  ...scalars.filter((word) => !/^[!@]/.test(word)).map((word) => `a: ${word}\n`),
  ...scalars.filter((word) => !/^[!@?:]|,|^-$/.test(word)).map((word) => `a: [${word}]\n`),
  ...scalars.filter((word) => !/^[!@?:]|:$|^\.nan$/i.test(word)).map((word) => `${word}: v\n`),
  '1.5: v\n1e3: v\n1000000.0: v\n1e6: v\n1e-5: v\n0.0001: v\n123456789.5: v\n1e21: v\n',
  'a: "yes"\nb: \'no\'\nc: "0777"\n',
  'a: !!str 1\nb: !!int 2\nc: !!float 3\nd: !!bool yes\ne: !!null ~\nf: !custom 5\ng: ! 12\nh: !!binary aGk=\n',
  'a: !!int x\n',
  'base: &b {x: 1, y: 2}\nz:\n  y: 0\n  <<: *b\n  x: 9\n',
  'a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc:\n  <<: [*a, *b]\nd: *a\n',
  'a: &a 1\nb: &a 2\nc: *a\n',
  'a:\n  "<<": 1\n  b: 2\n',
  'a: *nope\n',
  '<<: 5\n',
  'a: 1\nb: 2\na: 3\n',
  'a:\n  b: 1\n  c: 2\n  b: 3\n',
  '? a\n: b\n',
  '? [a, b]\n: c\n',
  '~: x\n',
  ': x\n',
  'a:\n- 1\n- 2\nb:\n  - - 1\n    - 2\n  - x: 1\n    y:\n    - z\n',
  'a: |\n  one\n   two\n\n  three\nb: |-\n  x\nc: |+\n  y\n\nd: >\n  folded\n  text\n\n  more\ne: >-\n  f\n',
  'a: |2\n   x\n  y\n',
  'a: |\n\n  x\n\n\nb: 1\n',
  'a: |\n  x',
  'a: |-\n  x\n\n\n',
  'a: |\n',
  '- |\n  x\n- |-\n  y\n',
  'a: plain\n  continued here\n  and here\nb: \'quoted\n  over lines\'\nc: "double \\\n  x"\n',
  'a: "\\u00e9\\n\\t\\x41\\e\\ud83d\\ude00"\nb: "it\\\'s"\n',
  'a: "tab\\there"\nb: "q\\"q\\\\"\nc: \'it\'\'s\'\n',
  'a: b # comment\nc: d#not\n# whole\ne: \'x\' # y\nf: "z" #w\n',
  'a: x#y #z\n',
  'a: [1, 2, {b: c}]\nd: {e: f, g: [h]}\ni: {}\nj: []\nk: [ ]\nl: ["x", "y", 3, -0]\n',
  'a:\n  - b\n c: d\n',
  'a: b: c\n',
  "a: 'x' y\n",
  'a:\tb\n',
  '\ta: b\n',
  'a:\n\t- b\n',
  'a: |\n  one\ttwo\n  \tthree\n\t\n  four\nb: 1\n',
  'a: |\n  one\n  \t\n\nb: 2\n',
  'a: |\n  one\n\tb: 2\n',
  'a: one\n  two\tthree\n',
  "a: 'x\ty'\n",
  'a: b\t\n',
  'a: b \t# c\n',
  'a: -\n',
  '- \n- ~\n- \n',
  '-\n  a: 1\n-\n  - 2\n',
  'plain text\n',
  "'quoted'\n",
  '5\n',
  '[]\n',
  '{a: 1}\n',
  '{"a": {"b": [1, 2.5, "x", null, true]}}\n',
  'a: .nan\n',
  'a: .inf\n',
  'a: b\n...\nc: d\n',
  '%YAML 1.1\n---\na: yes\n',
  '--- {a: 1}\n',
  '--- # comment\na: 1\n',
  'a: {b\n',
  'a: "unclosed\n',
  'a: @x\n',
  'a: `x`\n',
  'a: %x\n',
  'key with spaces: v\n"quoted key": v\n\'single\': v\n',
  'a: multi word value with: no\n',
  'a: trailing:\n',
  'a:   spaced   \nb:    \n',
  '__proto__: {x: 1}\na:\n  __proto__: 5\n',
  'a: ünïcödé ☃\n',
  'a:\r\n  b: 1\r\n  c: |\r\n    x\r\n',
  'a: \'\' \nb: ""\n',
  'a:\n    deep: 1\n    # c\n  # d\nb: 2\n',
  'a:\n  # c\n  b: 1\n',
  'a: # comment\n  b: 1\n',
  '- # comment\n  b: 1\n',
  '-   a: 1\n    b: 2\n-   c\n',
  'a:\n  - b:\n    - c\n    d: e\n',
  'a: 1 \n b: 2\n',
  'a:\n  b: 1\n   c: 2\n',
  'x: |\n    deep\n   less\n',
  'x: |\n  a\n # not deep enough\ny: 1\n',
  'x: |\n  a\n    \n  b\n   \nc: 1\n',
  '0777: a\n0o17: b\n0x1F: c\nyes: d\n1.0: e\n',
  'a: ? b\n',
  'a: - b\n',
  'a: &x\n  b: 1\nc: *x\n',
  'a: "x": y\n',
  'a: "one\\n\n  two \\"q\\" \\\\\n  three\\t"\nb: "x\\\\"\nc: "x\\\\\\"y"\n',
  'a: "one\\\n  two"\nb: "\\ x"\n',
  'f:spec:\n  f:a: {}\n  k:x:y: 1\n  http://x: y\n',
  'a: [/bin/cp, -n, --flag=1, -1, -.5, .5, a=b, x@y, 50%]\n',
  'a: [-]\nb: [- x]\n',
  'a: one\n  two\n\n  three\n\n\n  four\nb: 1\n  2\nc:\n- x\n  y\n- z\n',
  'a: one\n  # comment\nb: 2\n',
  'a: one # comment\n  two\n',
  'a: one\n  two # comment\n',
  'a: one\n  two: three\n',
  'a: one\n  - two\n  [three] {four}\n',
  "a: 'one\n  two\n\n  three'\nb: 'x\n  '\nc: '\n  y' # z\nd: ' a \n  b '\n",
  'a: "one\n  two\n\n  three"\nb: "\n\n  x"\nc: "x\\\n  y"\n',
  "a: 'it\n  ''s'\n",
  "a: 'one\n  two' x\n",
  'a: >\n  one\n  two\n\n  three\n\nb: >-\n  x\n  y\nc: >\n\n  z\n',
  'a: >-\n  one\n    more\n  two\n',
  'a: {b: 1, c: "x", d: [e, 1.5, no], "f": {}, g: [ ] }\nh: [{i: j}, {k: l, m: n}]\n',
  'a: {b:1}\n',
  'a: {b: , c}\n',
  'a: [a,b]\nb: [a , b]\nc: [a b, c]\nd: [a, ]\n',
  'a: {b: 1, b: 2}\n',
  'a: [x] y\n',
  'a: [x] # y\n',
  "a: ['x''y', \"z\"]\n",
  'a: [http://x:80/y, a/b-c.d]\n',
  '- a\n  b\n- >-\n  c\n  d\n- "e\n  f"\n',
  // Quoted text and flow collections that go on further left than their key.
  'description: "one,\ntwo"\nname: c\n',
  "a:\n  b: 'it''s\n  here'\n  c: 1\n",
  '- a: "x\n\n\ny \\" z\n  w"\n- 2\n',
  'a:\n  - "x\n  y"\n  - k: "p\n\nq"\nz: 1\n',
  'a: "x\n\n\n  \nw"\nb: 1',
  'a: "x \\\n w"\n',
  'a: [\n1,\n2\n]\nb: 1\n',
  'a: {\nx: 1\n}\nb: 2\n',
  'a:\n  b: {x: [1,\n2, # ]\n"]",\n3], z: "p\nq"}\n  c: 1\n',
  '- [a,\nb]\n',
  'a: [b,\n\n\nc]\n',
  'a: "x\nb: "z"\n',
  'a: "never closed\nb: 1\n',
  'a: [1\nb: 2\n',
  'k: {a: 1,\nb: 2\n',
];

const oracle = `package main

import (
	"encoding/json"
	"os"

	"sigs.k8s.io/yaml"
)

func main() {
	var texts []string
	if err := json.NewDecoder(os.Stdin).Decode(&texts); err != nil {
		panic(err)
	}
	out := make([]map[string]any, 0, len(texts))
	for _, text := range texts {
		data, err := yaml.YAMLToJSON([]byte(text))
		if err != nil {
			out = append(out, map[string]any{"error": err.Error()})
			continue
		}
		out = append(out, map[string]any{"value": json.RawMessage(data)})
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		panic(err)
	}
}
`;

type Answer = { value?: unknown; error?: string };

function ours(text: string): Answer {
  try {
    return { value: readDocument({ text, line: 1 }).value };
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    return { error: error.message };
  }
}

const missing = await goMissing();

describe('reading YAML as Kubernetes does', () => {
  test.skipIf(missing !== undefined)(
    'agrees with sigs.k8s.io/yaml on a table of documents',
    { timeout: 120_000 },
    async () => {
      const answers = (await runGo(oracle, [['sigs.k8s.io/yaml', 'v1.6.0']], documents)) as Answer[];
      const differing = documents.flatMap((text, index) => {
        const theirs = answers[index] ?? {};
        const mine = ours(text);
        const same =
          theirs.error === undefined
            ? mine.error === undefined && JSON.stringify(sorted(mine.value)) === JSON.stringify(sorted(theirs.value))
            : mine.error !== undefined;
        return same ? [] : [{ text, theirs, mine }];
      });
      expect(differing).toEqual([]);
    },
  );

  test('the fast reader gives what the full reader gives, or gives up', () => {
    let taken = 0;
    for (const text of [...documents, ...fixtureDocuments()]) {
      const fast = readFast(text, 1);
      if (fast === undefined) continue;
      taken++;
      expect(fast, text).toEqual(readFull(text, 1));
    }
    expect(taken).toBeGreaterThan(documents.length / 3);
  });

  test('the fast reader agrees with the full one on generated documents', () => {
    const word = fc.oneof(
      fc.constantFrom(
        ...scalars,
        '',
        'a b',
        "'q'",
        '"d"',
        '"e\\n"',
        '|',
        '|-',
        '# c',
        '[]',
        '{}',
        '["a", 1]',
        '{a: b, c: [d]}',
        '[a b]',
        '>-',
        '>',
        "'a",
        "b'",
        '"a',
        'a"',
        'w',
        'a #b',
        'x: y',
        '&a x',
        '*a',
        '- z',
        '-',
      ),
      fc.string({
        unit: fc.constantFrom('a', '\t', '1', '-', ':', ' ', '#', "'", '"', '\\', '{', '[', ',', '|', '.', '0', '_'),
      }),
    );
    const line = fc
      .tuple(
        fc.integer({ min: 0, max: 4 }),
        fc.constantFrom('', '- ', '- - ', 'a: ', 'b: ', '- c: ', "'k': ", '0x1: '),
        word,
      )
      .map(([indent, lead, text]) => ' '.repeat(indent) + lead + text);
    fc.assert(
      fc.property(fc.array(line, { maxLength: 7 }), (lines) => {
        const text = `${lines.join('\n')}\n`;
        const fast = readFast(text, 1);
        if (fast === undefined) return;
        expect(fast).toEqual(readFull(text, 1));
      }),
      { numRuns: 30_000 },
    );
  });

  test('duplicate keys keep the last value and both lines', () => {
    const [document] = readDocuments('---\nkind: A\n---\na:\n  - name: x\n    b: 1\n    c: 2\n    b: 3\n').slice(1);
    expect(document?.value).toEqual({ a: [{ name: 'x', b: 3, c: 2 }] });
    expect(document?.duplicates).toEqual([{ path: ['a', 0, 'b'], key: 'b', lines: [6, 8] }]);
  });

  test('__proto__ is a key and changes no prototype', () => {
    const value = readDocument({ text: '__proto__:\n  polluted: true\n', line: 1 }).value as object;
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('an alias bomb is refused quickly', () => {
    const lines = ['a: &a [x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 12; level++) {
      const name = String.fromCharCode(97 + level);
      const previous = String.fromCharCode(96 + level);
      lines.push(`${name}: &${name} [${Array.from({ length: 9 }, () => `*${previous}`).join(', ')}]`);
    }
    expect(() => readDocument({ text: lines.join('\n'), line: 1 })).toThrow('excessive aliasing');
  });

  test('lines that stand too far left cost little', () => {
    const started = performance.now();
    expect(ours(`a: "${'x\n'.repeat(50_000)}"`)).toMatchObject({ value: {} });
    expect(ours('a: [\n1\n]\n'.repeat(5_000))).toHaveProperty('error');
    expect(ours(`${' '.repeat(1_900)}a: "${'x\n'.repeat(50_000)}"`)).toHaveProperty('error');
    expect(performance.now() - started).toBeLessThan(30_000);
  });

  test('very deep nesting is an error, not a crash', () => {
    expect(() => readDocument({ text: '['.repeat(100_000), line: 1 })).toThrow(YamlError);
    expect(() => readDocument({ text: `a: ${'['.repeat(500)}${']'.repeat(500)}`, line: 1 })).toThrow(
      'nested too deeply',
    );
    const deep = Array.from({ length: 400 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n');
    expect(() => readDocument({ text: deep, line: 1 })).toThrow('nested too deeply');
  });

  test('errors carry the line in the whole text', () => {
    const text = 'a: 1\n---\n# comment\nb: 2\nc: [1, 2\nd: 3\n';
    const [, second] = splitDocuments(text);
    try {
      readDocument(second ?? { text: '', line: 1 });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(YamlError);
      expect((error as YamlError).line).toBe(6);
    }
  });

  test('documents are cut at marker lines only', () => {
    const text = '--- # first\na: 1\n---\n\n# only a comment\n---\nb: |\n  ---\n  x\n----\n---   \n';
    expect(splitDocuments(text).map(({ line }) => line)).toEqual([1, 6]);
  });
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.keys(value)
      .toSorted()
      .map((key) => [key, sorted((value as Record<string, unknown>)[key])]),
  );
}

function fixtureDocuments(): string[] {
  const found: string[] = [];
  const walk = (folder: string): void => {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (statSync(path).isDirectory()) walk(path);
      else if (/\.ya?ml$/.test(name)) {
        for (const { text } of splitDocuments(readFileSync(path, 'utf8'))) {
          try {
            readFull(text, 1);
            found.push(text);
          } catch {
            // A template or a deliberately broken file.
          }
        }
      }
    }
  };
  walk('fixtures');
  return found;
}

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../src/core/model.ts';
import { printYaml } from '../../src/core/yaml/print.ts';
import { readDocument } from '../../src/core/yaml/read.ts';
import { substituteText } from '../../src/render/envsubst.ts';
import { goMissing, runGo } from '../kit/go-oracle.ts';

const noGo = await goMissing();

const vars: Record<string, string> = {
  name: 'Shop',
  empty: '',
  path: '/usr/local/share/app.tar.gz',
  word: 'abcabc',
  uni: 'größe',
  star: 'a*b',
  region: 'eu-west-1',
  other: 'name',
};

const bodies = [
  ...'name empty missing #name #missing #uni name^ name^^ name, name,, uni^^ missing^'.split(' '),
  ...'path#*/ path##*/ path%/* path%%/* path%.gz path%%.* path#/usr path#x word#a* word##a*c word%b* word%%b*c word#? word#[a-b] word#[^a] word%[ path#\\/usr star#a\\*'.split(
    ' ',
  ),
  ...'name:0 name:1 name:2:1 name:-2 name:-9 name:9 name:1:-1 name:1:-9 name:x name:0:x name:0:99 uni:0:3 name: name:: uni:2'.split(
    ' ',
  ),
  ...'name-d missing-d missing:-d empty:-d empty-d missing=d missing:=d name:-d missing:?d missing:+d missing+d name:+d name+d'.split(
    ' ',
  ),
  ...'missing:-${name} missing:-a${name}b missing:-${nope:-x} missing:- missing:=a:b/c missing:-"q" name/o/0 name//o/0 word/b/X word//b/X word/#ab/X word/%bc/X word//bc/ word/bc word/b word//b/ path//\\//_ word//b/${name} name/#X/y word//z/x word///x name/${other}/x'.split(
    ' ',
  ),
  'missing:-two words',
  '',
  '1',
  'na me',
  'name!',
  '!name',
  '#',
  'name:1:2:3',
];
const texts = [
  ...bodies.map((body) => `<\${${body}}>`),
  ...bodies.map((body) => `<\${${body}`),
  'plain',
  '$name $ $$ $$name $${name} $$${name} $$$${name} $',
  'a${name}b${region}c',
  '\\ \\\\ \\/ \\${name}',
  '}{ }${name}}',
  '${name}$$',
  '${name}\n${path}\n',
  'ünï${uni}ß',
];

const envsubstOracle = `package main

import (
	"encoding/json"
	"os"

	"github.com/fluxcd/pkg/envsubst"
)

func main() {
	var in struct {
		Texts []string
		Vars  map[string]string
	}
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		panic(err)
	}
	out := []map[string]any{}
	for _, strict := range []bool{true, false} {
		for _, text := range in.Texts {
			result, err := envsubst.Eval(text, func(name string) (string, bool) {
				value, ok := in.Vars[name]
				return value, ok || !strict
			})
			if err != nil {
				out = append(out, map[string]any{"error": err.Error()})
			} else {
				out = append(out, map[string]any{"text": result})
			}
		}
	}
	json.NewEncoder(os.Stdout).Encode(out)
}
`;

const printOracle = `package main

import (
	"encoding/json"
	"os"

	"sigs.k8s.io/yaml"
)

func main() {
	var in []json.RawMessage
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		panic(err)
	}
	out := []string{}
	for _, value := range in {
		text, err := yaml.JSONToYAML(value)
		if err != nil {
			// Not every JSON text is YAML to it.
			text = nil
		}
		out = append(out, string(text))
	}
	json.NewEncoder(os.Stdout).Encode(out)
}
`;

describe("Flux's substitution", () => {
  test.skipIf(noGo !== undefined)('agrees with fluxcd/pkg/envsubst, strict and not', { timeout: 180_000 }, async () => {
    const theirs = (await runGo(envsubstOracle, [['github.com/fluxcd/pkg/envsubst', 'v1.8.0']], {
      Texts: texts,
      Vars: vars,
    })) as { text?: string; error?: string }[];
    const differing = [true, false].flatMap((strict, round) =>
      texts.flatMap((text, index) => {
        const mine = evaluate(text, strict);
        const other = theirs[round * texts.length + index];
        const same = other?.error === undefined ? mine.text === other?.text : mine.error !== undefined;
        return same ? [] : [{ text, strict, mine, theirs: other }];
      }),
    );
    expect(differing).toEqual([]);
  });

  test('hostile patterns and nesting end quickly', () => {
    const value = 'a'.repeat(20_000);
    const lookup = () => ({ value, exists: true });
    const started = performance.now();
    substituteText(`\${x##${'*a'.repeat(20)}b}`, lookup);
    expect(() => substituteText('${x:-'.repeat(50_000), lookup)).toThrow('nested too deeply');
    substituteText('$$'.repeat(100_000), lookup);
    expect(performance.now() - started).toBeLessThan(30_000);
  });
});

function evaluate(text: string, strict: boolean): { text?: string; error?: string } {
  try {
    return {
      text: substituteText(text, (name) => {
        const known = Object.hasOwn(vars, name);
        return { value: known ? (vars[name] ?? '') : '', exists: known || !strict };
      }),
    };
  } catch (error) {
    return { error: String(error) };
  }
}

const strings = [
  '',
  ' ',
  'a',
  'yes',
  'no',
  'y',
  'null',
  '~',
  '1',
  '1.5',
  '0x1f',
  '1e3',
  '12:30',
  '12:30:45',
  '1_0',
  '<<',
  '=',
  '-',
  '- a',
  '-a',
  '?',
  '? a',
  ':',
  ': a',
  ':a',
  'a:',
  'a: b',
  'a #b',
  'a#b',
  '#a',
  '&a',
  '*a',
  '!a',
  '|',
  '>',
  "'a'",
  '"a"',
  "it's",
  '%a',
  '@a',
  '`a`',
  '{a}',
  '[a]',
  'a,b',
  ',a',
  '${x}',
  '${x:=a: b}',
  'a\n',
  'a\nb',
  'a\nb\n',
  '\n',
  '\na',
  ' a\nb',
  'a \nb',
  'a\n b\n',
  'a\n\n',
  'tab\there',
  'cr\rx',
  'nul\0x',
  'é ☃ 😀',
  '\u00a0',
  '\ufeff',
  '---',
  '--- a',
  '...',
  '---\n',
  'a b '.repeat(9),
  'x'.repeat(100),
  'true',
  '.inf',
  '.nan',
  '+1',
  '0777',
  '08',
  'a\\b',
  'key with spaces',
];
const numbers = [0, 1, -1, 1.5, -0.25, 1e6, 1e20, 1e21, 1e-7, 123456789012, 0.1, 1234567.125, 123.25];

test.skipIf(noGo !== undefined)('YAML is printed as sigs.k8s.io/yaml prints it', { timeout: 120_000 }, async () => {
  const values: Json[] = [
    ...strings.flatMap((text): Json[] => [
      text,
      { key: text },
      { [text.replaceAll(/[\n\r\t\0]/g, '')]: 1 },
      [text, [text], { a: { b: text } }],
      { a: [{ b: text, c: text }] },
    ]),
    ...numbers.map((number): Json => ({ n: number })),
    { b: 1, a: 2, A: 5, 'a-b': 7, 'a.b': 8, 'a/b': 9, '1': 10, ä: 13 },
    { a: {}, b: [], c: null, d: [{}, [], null, [[]], [[1], 2]], e: true },
    [],
    {},
  ];
  const theirs = (await runGo(printOracle, [['sigs.k8s.io/yaml', 'v1.6.0']], values)) as string[];
  const differing = values.flatMap((value, index) =>
    theirs[index] === '' || printYaml(value) === theirs[index]
      ? []
      : [{ value, mine: printYaml(value), theirs: theirs[index] }],
  );
  expect(differing).toEqual([]);
});

test('what is printed is read again as the same value', () => {
  const leaf = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom(...strings),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
  );
  const { tree } = fc.letrec<{ tree: Json }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      leaf as fc.Arbitrary<Json>,
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(
        fc.oneof(fc.string(), fc.constantFrom(...strings)).filter((key) => key !== '<<'),
        tie('tree'),
        { maxKeys: 4, noNullPrototype: true },
      ) as fc.Arbitrary<Json>,
    ),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      expect(readDocument({ text: printYaml(value), line: 1 }).value).toEqual(value);
    }),
    { numRuns: 3000 },
  );
});

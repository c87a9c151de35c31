import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rules } from '../../src/rules/index.generated.ts';

const root = new URL('../../fixtures/scenarios/', import.meta.url).pathname;
const twinSuffixes = ['-control', '-quiet'] as const;

interface Expected {
  readonly verdict: string;
  readonly findings: readonly { readonly rule: string }[];
}

function expectedOf(name: string): Expected | undefined {
  const path = join(root, name, 'expect.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Expected) : undefined;
}

const names = readdirSync(root);
const isTwin = (name: string) => twinSuffixes.some((suffix) => name.endsWith(suffix));

test.each(rules.map((rule) => rule.id))('%s fires through the whole pipeline, and stays quiet in a twin', (id) => {
  const firing = names.filter((name) => expectedOf(name)?.findings.some((finding) => finding.rule === id));
  expect(
    firing.filter((name) => !isTwin(name)),
    'scenarios in which it fires',
  ).not.toEqual([]);
  const twins = firing
    .flatMap((name) => twinSuffixes.map((suffix) => expectedOf(`${name}${suffix}`)))
    .filter((twin) => twin !== undefined && twin.findings.every((finding) => finding.rule !== id));
  expect(twins.length, `quiet twins of ${firing.join(', ')}`).toBeGreaterThan(0);
});

test.each(names.filter(isTwin))('%s is the twin of a scenario and holds nothing', (name) => {
  const story = twinSuffixes.reduce(
    (text, suffix) => (text.endsWith(suffix) ? text.slice(0, -suffix.length) : text),
    name,
  );
  expect(names).toContain(story);
  expect(['pass', 'comment']).toContain(expectedOf(name)?.verdict);
});

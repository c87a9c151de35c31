import { describe, expect, it } from 'vitest';
import { toJunit } from '../../src/report/junit.ts';
import { junitSchema, schemaErrors } from '../kit/junit-schema.ts';
import { hostileReport, sampleReport } from '../kit/report.ts';

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
}

/** Reads the XML that gate writes; throws when it is not well-formed. No entities but the five, no CDATA. */
function readXml(text: string): Element {
  const root: Element = { name: '', attributes: {}, children: [] };
  const stack = [root];
  const tokens = /<\?[^?]*\?>|<(\/?)([a-z]+)((?:\s+[a-z]+="[^"<]*")*)\s*(\/?)>|([^<]+)/gy;
  let at = 0;
  for (let match = tokens.exec(text); match !== null; match = tokens.exec(text)) {
    at = tokens.lastIndex;
    const [, closing, name, attributes, empty, characters] = match;
    if (characters !== undefined || name === undefined) {
      if (/&(?!(?:amp|lt|gt|quot|apos|#9|#10);)/.test(characters ?? '')) throw new Error(`bare & in ${characters}`);
      continue;
    }
    if (closing === '/') {
      if (stack.pop()?.name !== name) throw new Error(`</${name}> closes nothing`);
      continue;
    }
    const pairs = [...(attributes ?? '').matchAll(/([a-z]+)="([^"]*)"/g)].map(
      ([, key = '', value = '']) => [key, value] as const,
    );
    const element: Element = { name, attributes: Object.fromEntries(pairs), children: [] };
    stack.at(-1)?.children.push(element);
    if (empty !== '/') stack.push(element);
  }
  if (at !== text.length) throw new Error(`not well-formed at ${text.slice(at, at + 60)}`);
  if (stack.length !== 1) throw new Error(`${stack.at(-1)?.name} is not closed`);
  const [first] = root.children;
  if (first === undefined) throw new Error('no root');
  return first;
}

const schema = await junitSchema();
const outcome = (test: Element | undefined) => test?.children[0]?.name ?? 'passed';

describe('toJunit', () => {
  it('is well-formed and counts what it holds', () => {
    for (const report of [sampleReport(), hostileReport(`<&>"'\u0000\uFFFE\uD800]]>`)]) {
      const root = readXml(toJunit(report));
      expect(root.name).toBe('testsuites');
      const tests = root.children.flatMap((suite) => suite.children);
      expect(root.attributes['tests']).toBe(String(tests.length));
      expect(root.attributes['failures']).toBe(String(tests.filter((test) => outcome(test) === 'failure').length));
      for (const suite of root.children) {
        expect(suite.name).toBe('testsuite');
        expect(suite.attributes['tests']).toBe(String(suite.children.length));
        for (const test of suite.children) expect(test.attributes['name']).toBeTruthy();
      }
    }
  });

  it('fails for counted findings, skips waived and old ones, errs for what could not be looked at', () => {
    const root = readXml(toJunit(sampleReport()));
    const outcomes = Object.fromEntries(
      root.children.map((suite) => [suite.attributes['name'], suite.children.map(outcome)]),
    );
    expect(outcomes).toEqual({
      verdict: ['failure'],
      'argocd:argocd/shop': ['failure', 'failure', 'skipped', 'skipped'],
      'argocd:argocd/policies': ['failure'],
      'argocd:argocd/pinned': ['skipped'],
      'flux:flux-system/legacy': ['error'],
      other: ['skipped'],
    });
  });

  it('is an error, and no failure, when the verdict is incomplete', () => {
    const root = readXml(toJunit(sampleReport({ verdict: 'incomplete', findings: [] })));
    expect(outcome(root.children[0]?.children[0])).toBe('error');
    expect(root.attributes['failures']).toBe('0');
  });

  it.skipIf(schema === undefined)('is valid by the schema that Jenkins published', async () => {
    for (const report of [
      sampleReport(),
      hostileReport(`<&>"'\u0000\uFFFE\uD800]]>`),
      sampleReport({ findings: [] }),
    ]) {
      expect(await schemaErrors(toJunit(report), schema ?? '')).toEqual([]);
    }
    // It can say no.
    expect(await schemaErrors('<testsuites><testsuite name="a"/></testsuites>', schema ?? '')).not.toEqual([]);
  });

  it('gives each case a name of its own, because GitLab keeps the first of a name only', () => {
    const [finding] = sampleReport().findings;
    if (finding === undefined) throw new Error('no finding');
    const root = readXml(toJunit(sampleReport({ findings: [finding, finding, finding] })));
    const names = root.children.flatMap((suite) =>
      suite.children.map((test) => `${test.attributes['classname']} ${test.attributes['name']}`),
    );
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => / \([23]\)$/.test(name))).toHaveLength(2);
  });

  it('lets Jenkins file all cases under one package, whatever dots a target has', () => {
    const [finding] = sampleReport().findings;
    if (finding === undefined) throw new Error('no finding');
    const root = readXml(toJunit(sampleReport({ findings: [{ ...finding, target: 'argocd:argocd/shop.eu.prod' }] })));
    for (const test of root.children.flatMap((suite) => suite.children)) {
      expect(test.attributes['classname']).toMatch(/^gate\.[^.]+$/);
    }
  });

  it('says everything between the tags, because GitLab shows no messages', () => {
    const text = toJunit(sampleReport());
    expect(text).toContain('type="finding">critical: Webhook fails closed without backend&#10;');
    expect(text).toContain('&#10;In: charts/policies/templates/webhook.yaml:14&#10;');
    expect(text).toContain('type="not-counted">waived until 2026-12-31 by team-shop: ');
  });

  it('names the case of the verdict alike, whatever the verdict is', () => {
    const name = (verdict: 'pass' | 'block') =>
      readXml(toJunit(sampleReport({ verdict }))).children[0]?.children[0]?.attributes['name'];
    expect(name('pass')).toBe(name('block'));
  });
});

import { describe, expect, it } from 'vitest';
import { toJunit } from '../../src/report/junit.ts';
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
});

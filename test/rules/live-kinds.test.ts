import { describe, expect, test } from 'vitest';
import type { ResourceChange } from '../../src/core/model.ts';
import type { Rule } from '../../src/core/rule.ts';
import { rules } from '../../src/rules/index.generated.ts';
import { recording, restricted } from './live-recorder.ts';
import { runExample } from './run-example.ts';

function declared(rule: Rule, own: { changes: readonly ResourceChange[]; kinds: ReadonlySet<string> }): Set<string> {
  return new Set([...rule.live, ...own.kinds, ...own.changes.flatMap((change) => rule.liveOf?.(change) ?? [])]);
}

describe.each(rules.map((rule) => [rule.id, rule] as const))('%s', (_id, rule) => {
  test('names kinds as group/Kind, once and in order', () => {
    expect(rule.live.filter((kind) => !/^[a-z0-9.-]*\/[A-Z][A-Za-z0-9]*$/.test(kind))).toEqual([]);
    expect(rule.live).toEqual([...new Set(rule.live)].toSorted());
  });

  test('asks a cluster for nothing but its kinds and those of the rendered objects', () => {
    const undeclared = new Set<string>();
    for (const example of rule.examples) {
      runExample(rule, example, (state, own) => {
        const kinds = declared(rule, own);
        const asked = new Set<string>();
        asked.add = (kind) => {
          if (!kinds.has(kind)) undeclared.add(kind);
          return asked;
        };
        return recording(state, asked);
      });
    }
    expect([...undeclared].toSorted()).toEqual([]);
  });

  test.each(rule.examples.filter(({ live }) => live !== undefined).map((example) => [example.name, example] as const))(
    '%s: the same from these kinds alone',
    (_name, example) => {
      const all = runExample(rule, example);
      expect(runExample(rule, example, (state, own) => restricted(state, declared(rule, own)))).toEqual(all);
    },
  );
});

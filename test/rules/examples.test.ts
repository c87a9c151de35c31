import { describe, expect, test } from 'vitest';
import { rules } from '../../src/rules/index.generated.ts';
import { runExample } from './run-example.ts';

function describeResource(ref: { kind: string; namespace?: string; name: string }, wanted: string): string {
  return ref.namespace !== undefined && wanted.split('/').length === 3
    ? `${ref.kind}/${ref.namespace}/${ref.name}`
    : `${ref.kind}/${ref.name}`;
}

describe.each(rules.map((rule) => [rule.id, rule] as const))('%s', (_id, rule) => {
  test('has a case that reports and a twin that stays quiet', () => {
    expect(rule.examples.some((example) => example.expect.length > 0)).toBe(true);
    expect(rule.examples.some((example) => example.expect.length === 0)).toBe(true);
  });

  test.each(rule.examples.map((example) => [example.name, example] as const))('%s', (_name, example) => {
    const problems = runExample(rule, example);
    const seen = problems.map((problem, index) => {
      const wanted = example.expect[index];
      return {
        ...(wanted?.resource === undefined ? {} : { resource: describeResource(problem.resource, wanted.resource) }),
        ...(wanted?.path === undefined ? {} : { path: problem.path }),
        ...(wanted?.severity === undefined ? {} : { severity: problem.severity ?? rule.severity }),
        ...(wanted?.confidence === undefined ? {} : { confidence: problem.confidence ?? rule.confidence }),
        ...(wanted?.novelty === undefined ? {} : { novelty: problem.novelty ?? 'introduced' }),
        ...(wanted?.willNotApply === undefined ? {} : { willNotApply: problem.willNotApply ?? false }),
        ...(wanted?.message === undefined
          ? {}
          : {
              message: problem.message.includes(wanted.message) ? wanted.message : problem.message,
            }),
        ...(wanted === undefined ? { unexpected: problem.message } : {}),
      };
    });
    expect(seen).toEqual(example.expect);
  });
});

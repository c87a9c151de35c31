import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareSelectors, selects } from '../../../src/rules/kit/namespaces.ts';
import { matchesSelector, type LabelSelector } from '../../../src/rules/kit/select.ts';

const key = fc.constantFrom('a', 'b');
const value = fc.constantFrom('1', '2', '3');
const expression = fc.oneof(
  fc.record({ key, operator: fc.constantFrom('In', 'NotIn'), values: fc.uniqueArray(value, { minLength: 1 }) }),
  fc.record({ key, operator: fc.constantFrom('Exists', 'DoesNotExist') }),
);
const selector: fc.Arbitrary<LabelSelector> = fc.record({
  matchLabels: fc.dictionary(key, value, { maxKeys: 2 }),
  matchExpressions: fc.array(expression, { maxLength: 3 }),
});
const labels = fc.dictionary(key, value, { maxKeys: 2 });

describe('compareSelectors', () => {
  test('wider never loses an object, narrower never gains one', () => {
    const found = fc.check(
      fc.property(selector, selector, labels, (before, after, object) => {
        const change = compareSelectors(before, after);
        const was = matchesSelector(before, object);
        const is = matchesSelector(after, object);
        if ((change === 'wider' || change === 'same') && was && !is) return false;
        return !((change === 'narrower' || change === 'same') && is && !was);
      }),
      { numRuns: 3000 },
    );
    expect(found.counterexample).toBeNull();
  });

  test.each<[LabelSelector | undefined, LabelSelector | undefined, string]>([
    [{ matchLabels: { inject: 'enabled' } }, {}, 'wider'],
    [{ matchLabels: { inject: 'enabled' } }, undefined, 'wider'],
    [{}, { matchLabels: { inject: 'enabled' } }, 'narrower'],
    [
      { matchExpressions: [{ key: 'ns', operator: 'NotIn', values: ['kube-system', 'opa'] }] },
      { matchExpressions: [{ key: 'ns', operator: 'NotIn', values: ['opa'] }] },
      'wider',
    ],
    [{ matchLabels: { a: '1' } }, { matchExpressions: [{ key: 'a', operator: 'In', values: ['1'] }] }, 'same'],
    [{ matchLabels: { a: '1' } }, { matchLabels: { b: '1' } }, 'different'],
  ])('%j to %j is %s', (before, after, expected) => {
    expect(compareSelectors(before, after)).toBe(expected);
  });
});

describe('selects with labels that may be incomplete', () => {
  const optOut: LabelSelector = { matchExpressions: [{ key: 'ignore', operator: 'DoesNotExist' }] };
  const optIn: LabelSelector = { matchLabels: { inject: 'enabled' } };
  const known = { labels: { 'kubernetes.io/metadata.name': 'shop' }, complete: true };
  const unknown = { ...known, complete: false };

  test('complete labels decide', () => {
    expect(selects(optOut, known)).toBe('yes');
    expect(selects(optIn, known)).toBe('no');
  });

  test('an unknown label leaves it open, in the direction of the selector', () => {
    expect(selects(optOut, unknown)).toBe('unless-labelled');
    expect(selects(optIn, unknown)).toBe('if-labelled');
  });

  test('one requirement that is known to fail decides', () => {
    const both: LabelSelector = {
      ...optIn,
      matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['shop'] }],
    };
    expect(selects(both, unknown)).toBe('no');
  });
});

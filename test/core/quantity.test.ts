import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareQuantities, formatQuantity, parseQuantity } from '../../src/core/quantity.ts';

// Expected values were recorded from resource.ParseQuantity of k8s.io/apimachinery 0.34.2.
const table: readonly (readonly [string | number, number | undefined])[] = [
  ['0', 0],
  ['100m', 0.1],
  ['0.1', 0.1],
  [0.1, 0.1],
  [2, 2],
  ['1e3', 1000],
  ['1E3', 1000],
  ['1E', 1e18],
  ['12e6', 12_000_000],
  ['1.5Gi', 1_610_612_736],
  ['1Gi', 1_073_741_824],
  ['0.5Ki', 512],
  ['.5', 0.5],
  ['5.', 5],
  ['+5', 5],
  ['-5m', -0.005],
  ['1k', 1000],
  ['1Ki', 1024],
  ['1n', 1e-9],
  ['250u', 0.00025],
  ['0.1n', 1e-9],
  ['1Ei', 2 ** 60],
  ['2.5e-1', 0.25],
  ['1G', 1e9],
  ['1.2.3', undefined],
  ['', undefined],
  ['.', 0],
  ['-', 0],
  ['9Ei', 2 ** 63],
  ['1e+3', 1000],
  ['0x10', undefined],
  ['1K', undefined],
  ['1ki', undefined],
  ['1mi', undefined],
  ['1 Gi', undefined],
  ['1GiB', undefined],
  ['1e', undefined],
  ['1m3', undefined],
  ['abc', undefined],
  ['Infinity', undefined],
  [Number.NaN, undefined],
  [Number.POSITIVE_INFINITY, undefined],
  ['1e999999999', undefined],
  [`${'9'.repeat(10_000)}`, undefined],
];

describe('parseQuantity', () => {
  test.each(table)('%s is %s', (text, expected) => {
    expect(parseQuantity(text)).toBe(expected);
  });
});

describe('compareQuantities', () => {
  test('equal amounts in different spellings are equal', () => {
    expect(compareQuantities('0.1', '100m')).toBe(0);
    expect(compareQuantities('1Gi', '1073741824')).toBe(0);
    expect(compareQuantities('1024Mi', '1Gi')).toBe(0);
    expect(compareQuantities('1000m', 1)).toBe(0);
    expect(compareQuantities('1Gi', '1G')).toBe(1);
  });
  test('is exact beyond 2^53', () => {
    expect(compareQuantities('9007199254740993', '9007199254740992')).toBe(1);
  });
  test('says so when one side is not a quantity', () => {
    expect(compareQuantities('1', 'lots')).toBeUndefined();
  });
});

describe('formatQuantity', () => {
  test.each([
    [1_610_612_736, 'bytes', '1536Mi'],
    [1_073_741_824, 'bytes', '1Gi'],
    [1000, 'bytes', '1000'],
    [0.1, 'cores', '100m'],
    [1.5, 'cores', '1500m'],
    [2000, 'cores', '2000'],
    [2000, 'count', '2k'],
    [0, 'count', '0'],
    [0.0001, 'cores', '1m'],
  ] as const)('%s %s is %s', (value, unit, expected) => {
    expect(formatQuantity(value, unit)).toBe(expected);
  });
  test('parses back to the same value', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 50 }), fc.constantFrom('bytes', 'cores', 'count'), (value, unit) => {
        expect(parseQuantity(formatQuantity(value, unit as 'bytes'))).toBe(value);
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000_000 }), (milli) => {
        expect(parseQuantity(formatQuantity(milli / 1000, 'cores'))).toBe(milli / 1000);
      }),
    );
  });
});

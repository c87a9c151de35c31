import { quantityNanos } from '../core/quantity.ts';

/**
 * Do two scalars of a custom resource mean the same? Controllers written in Go write durations, times, quantities and
 * int-or-strings back in their own form when they update the object (`720h` as `720h0m0s`, `0.5` as `500m`).
 */
export function meansTheSame(left: unknown, right: unknown): boolean {
  if (!isScalar(left) || !isScalar(right)) return false;
  const [a, b] = [String(left), String(right)];
  if (a === b) return typeof left !== 'boolean' && typeof right !== 'boolean';
  return same(durationNanos(a), durationNanos(b)) || same(instant(a), instant(b)) || sameAmount(left, right);
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function same<T>(left: T | undefined, right: T | undefined): boolean {
  return left !== undefined && left === right;
}

const units: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Go's `time.ParseDuration`. */
function durationNanos(text: string): number | undefined {
  if (text.length > 40 || !/^-?(?:\d{1,12}(?:\.\d{1,9})?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)) {
    total += Number(number) * (units[unit!] ?? 0);
  }
  return text.startsWith('-') ? -total : total;
}

function instant(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/.test(text)) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

/** Both are quantities, and one of them shows it by its unit: `1.1` and `1.10` may be versions. */
function sameAmount(left: string | number | boolean, right: string | number | boolean): boolean {
  if (typeof left === 'boolean' || typeof right === 'boolean') return false;
  if (![left, right].some((value) => /\d(?:[munkMGTPE]|[KMGTPE]i)$/.test(String(value)))) return false;
  const [a, b] = [quantityNanos(left), quantityNanos(right)];
  return a !== undefined && a === b;
}

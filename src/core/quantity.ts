/**
 * Kubernetes quantities, as `k8s.io/apimachinery/pkg/api/resource/quantity.go` and `suffix.go` read them:
 * a decimal number with a decimal (`n u m k M G T P E`), binary (`Ki Mi Gi Ti Pi Ei`) or exponent (`e3`, `E-2`) suffix.
 */

/** Nano units: the finest that Kubernetes keeps; anything finer is rounded up (away from zero). */
const nanoDigits = 9;

const decimalExponents: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const binaryExponents: Readonly<Record<string, number>> = {
  Ki: 10,
  Mi: 20,
  Gi: 30,
  Ti: 40,
  Pi: 50,
  Ei: 60,
};

// One character class per part, no nesting: linear on hostile text.
const shape = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([a-zA-Z]{0,2})([+-]?[0-9]{1,4})?$/;
const maxInt64 = 2n ** 63n - 1n;

/**
 * The value in nano units (10^-9), exact.
 * @param text `1.5Gi`, `100m`, `1e3`, or the number that YAML made of it
 * @returns undefined for what the API server would refuse
 */
export function quantityNanos(text: string | number): bigint | undefined {
  const source = typeof text === 'number' ? numberText(text) : text;
  if (source === undefined || source.length === 0 || source.length > 64) return undefined;
  const match = shape.exec(source);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', letters = '', exponentText] = match;
  let exponent: number | undefined;
  let binary = 0;
  if (exponentText !== undefined) {
    // Digits after letters are an exponent; only `e` and `E` may introduce one.
    if (letters !== 'e' && letters !== 'E') return undefined;
    exponent = Number(exponentText);
    if (Math.abs(exponent) > 400) return undefined;
  } else if (Object.hasOwn(binaryExponents, letters)) {
    binary = binaryExponents[letters]!;
    exponent = 0;
  } else if (Object.hasOwn(decimalExponents, letters)) {
    exponent = decimalExponents[letters]!;
  }
  if (exponent === undefined) return undefined;

  // `.5`, `5.` and even a lone `.` or `-` (zero) are accepted by ParseQuantity.
  let unscaled = BigInt(whole + fraction) << BigInt(binary);
  const shift = nanoDigits + exponent - fraction.length;
  if (shift >= 0) {
    unscaled *= 10n ** BigInt(shift);
  } else {
    const divisor = 10n ** BigInt(-shift);
    // "if you want some resources, you should get some resources": rounded up, never to zero.
    unscaled = (unscaled + divisor - 1n) / divisor;
  }
  // ParseQuantity caps binary quantities at int64; `9Ei` is therefore equal to `8Ei` minus one.
  if (binary > 0 && unscaled > maxInt64 * 1_000_000_000n) unscaled = maxInt64 * 1_000_000_000n;
  return sign === '-' ? -unscaled : unscaled;
}

/** JSON numbers of any size as digits that {@link shape} reads; undefined for NaN and infinities. */
function numberText(value: number): string | undefined {
  return Number.isFinite(value) ? String(value) : undefined;
}

/**
 * A quantity in base units (cores, bytes, counts).
 * @param text `1.5Gi`, `100m`, `1e3`, `0.1`, or a number
 * @returns undefined for what is not a quantity. Above 2^53 the result is rounded to the nearest double;
 *   use {@link compareQuantities} where equality matters.
 */
export function parseQuantity(text: string | number): number | undefined {
  const nanos = quantityNanos(text);
  if (nanos === undefined) return undefined;
  // Split so that both halves are exact in a double for everyday sizes (0.1, 1500Mi).
  const units = nanos / 1_000_000_000n;
  const rest = nanos % 1_000_000_000n;
  return rest === 0n ? Number(units) : Number(`${nanos}e-9`);
}

/**
 * Exact comparison: negative, 0 or positive as for `Array.sort`.
 * @returns undefined when one of the two is not a quantity
 */
export function compareQuantities(left: string | number, right: string | number): number | undefined {
  const a = quantityNanos(left);
  const b = quantityNanos(right);
  if (a === undefined || b === undefined) return undefined;
  return a === b ? 0 : a < b ? -1 : 1;
}

/** What the number counts: decides whether `Ki`/`Mi` or `m`/`k` are natural. */
export type QuantityUnit = 'bytes' | 'cores' | 'count';

/**
 * A quantity for people and patches, in the form Kubernetes prints: the largest suffix that leaves a whole number.
 * @param value in base units (bytes, cores, counts)
 * @param unit `bytes`: binary suffixes from 1024 on; `cores`, `count` (default): decimal, thousandths as `m`
 * @throws RangeError for NaN and infinities
 */
export function formatQuantity(value: number, unit: QuantityUnit = 'count'): string {
  if (!Number.isFinite(value)) throw new RangeError(`not a finite quantity: ${value}`);
  if (value === 0) return '0';
  if (unit === 'bytes') {
    const bytes = Math.round(value);
    for (const suffix of ['Ei', 'Pi', 'Ti', 'Gi', 'Mi', 'Ki']) {
      const size = 2 ** binaryExponents[suffix]!;
      if (Math.abs(bytes) >= size && bytes % size === 0) return `${bytes / size}${suffix}`;
    }
    return String(bytes);
  }
  if (Number.isInteger(value)) {
    if (unit === 'cores') return String(value);
    for (const suffix of ['E', 'P', 'T', 'G', 'M', 'k']) {
      const size = 10 ** decimalExponents[suffix]!;
      if (Math.abs(value) >= size && value % size === 0) return `${value / size}${suffix}`;
    }
    return String(value);
  }
  // Parsed values are whole nanos; Kubernetes rounds resources up to whole thousandths.
  return `${Math.ceil(Number((value * 1000).toPrecision(15)))}m`;
}

import type { Json } from '../model.ts';

/**
 * Words of YAML 1.1 that the Go library behind sigs.k8s.io/yaml knows (go.yaml.in/yaml/v2 resolve.go, resolveMapList),
 * with `y` and `n` among them. NaN and infinity are absent: JSON cannot carry them, see {@link isNotJson}.
 */
const words = new Map<string, Json>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
]);

const notJson = new Set([
  '.nan',
  '.NaN',
  '.NAN',
  '.inf',
  '.Inf',
  '.INF',
  '+.inf',
  '+.Inf',
  '+.INF',
  '-.inf',
  '-.Inf',
  '-.INF',
]);

// yamlStyleFloat of resolve.go.
const yamlFloat = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const dotFloat = /^\.[0-9]+(?:[eE][-+]?[0-9]+)?$/;
const minInt64 = -(2n ** 63n);
const maxInt64 = 2n ** 63n - 1n;
const maxUint64 = 2n ** 64n - 1n;

/** Is it a plain scalar that YAML reads as NaN or infinity? The conversion to JSON fails on these. */
export function isNotJson(text: string): boolean {
  return text.length <= 5 && notJson.has(text);
}

/**
 * What a plain (unquoted) scalar means to Kubernetes: go.yaml.in/yaml/v2 `resolve`, then JSON.
 * Timestamps stay text; base 60 numbers do not exist; `0777` and `0o777` are octal, `08` is 8.
 * Integers beyond 2^53 lose precision, as JavaScript numbers do.
 * @param text a plain scalar without the blanks around it, not one of {@link isNotJson}
 */
export function resolvePlain(text: string): Json {
  const first = text.charCodeAt(0);
  // 0-9 + - .
  if ((first >= 48 && first <= 57) || first === 43 || first === 45) return resolveNumber(text) ?? text;
  if (first === 46) {
    const value = dotFloat.test(text) ? Number(text) : Number.NaN;
    return Number.isFinite(value) ? value : text;
  }
  if (text.length > 5) return text;
  const word = words.get(text);
  return word === undefined ? text : word;
}

/** Would this string come back as something else than a string when it is written without quotes? */
export function needsQuotes(text: string): boolean {
  return isNotJson(text) || typeof resolvePlain(text) !== 'string';
}

function resolveNumber(text: string): number | undefined {
  const plain = text.includes('_') ? text.replaceAll('_', '') : text;
  const integer = parseGoInteger(plain);
  if (integer !== undefined) return integer;
  if (!yamlFloat.test(plain)) return undefined;
  const value = Number(plain);
  return Number.isFinite(value) ? value : undefined;
}

/** Go's strconv.ParseInt(text, 0, 64), else ParseUint: sign, 0x, 0o, 0b and the leading zero of octals. */
function parseGoInteger(text: string): number | undefined {
  const sign = text.charCodeAt(0) === 45 ? -1 : 1;
  const digits = sign === -1 || text.charCodeAt(0) === 43 ? text.slice(1) : text;
  if (/^(?:0|[1-9][0-9]{0,14})$/.test(digits)) return sign * Number(digits) || 0;
  const literal = integerLiteral(digits);
  if (literal === undefined) return undefined;
  const value = BigInt(literal) * BigInt(sign);
  // ParseUint takes no sign.
  const highest = digits === text ? maxUint64 : maxInt64;
  return value < minInt64 || value > highest ? undefined : Number(value);
}

/** The digits in a form that BigInt reads; undefined when Go would not read them. */
function integerLiteral(digits: string): string | undefined {
  if (/^0[xX][0-9a-fA-F]+$/.test(digits) || /^0[bB][01]+$/.test(digits) || /^0[oO][0-7]+$/.test(digits))
    return digits.toLowerCase();
  if (/^0[0-7]+$/.test(digits)) return `0o${digits.slice(1)}`;
  return /^[1-9][0-9]*$/.test(digits) && digits.length <= 20 ? digits : undefined;
}

/**
 * A mapping key as the conversion to JSON spells it (sigs.k8s.io/yaml convertToJSONableObject): `0777` becomes "511",
 * `yes` "true", `1.5` "1.5" with 32-bit precision.
 * @param text the plain scalar
 * @returns undefined for null and for integers above the signed 64-bit range, which have no name in JSON
 */
export function plainKey(text: string): string | undefined {
  if (notJson.has(text)) return text.toLowerCase().replace('+', '');
  const value = resolvePlain(text);
  if (value === null) return undefined;
  if (typeof value !== 'number') return String(value);
  if (!isGoInteger(text)) return formatFloat32(value);
  const key = integerKey(text);
  // An unsigned 64-bit key is "unsupported" there.
  return BigInt(key) > maxInt64 ? undefined : key;
}

function isGoInteger(text: string): boolean {
  return !text.startsWith('.') && parseGoInteger(text.replaceAll('_', '')) !== undefined;
}

function integerKey(text: string): string {
  const plain = text.replaceAll('_', '');
  const negative = plain.startsWith('-');
  const digits = /^[-+]/.test(plain) ? plain.slice(1) : plain;
  const value = BigInt(integerLiteral(digits) ?? digits);
  return String(negative ? -value : value);
}

/** Go's strconv.FormatFloat(value, 'g', -1, 32). */
function formatFloat32(value: number): string {
  const single = Math.fround(value);
  if (!Number.isFinite(single)) return single > 0 ? '.inf' : '-.inf';
  if (single === 0) return Object.is(single, -0) ? '-0' : '0';
  let precision = 1;
  while (precision < 9 && Math.fround(Number(single.toPrecision(precision))) !== single) precision++;
  const [mantissa = '0', exponentText = '0'] = single.toExponential(precision - 1).split('e');
  const exponent = Number(exponentText);
  // %e is used below 1e-4 and, for the shortest form, from 1e6 on (Go's formatDigits).
  if (exponent >= -4 && exponent < 6) return single.toFixed(Math.max(0, precision - 1 - exponent));
  const size = String(Math.abs(exponent)).padStart(2, '0');
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${size}`;
}

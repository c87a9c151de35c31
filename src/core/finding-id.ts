import type { Finding } from './model.ts';

/** Hexadecimal digits of the digest in an id: 160 bits, so that nobody makes two objects with one id. */
const digits = 40;
const fingerprintLength = 16;

/**
 * What a comment names to decide about a finding: its fingerprint and the state of its object, in hexadecimal digits.
 * Who writes it decides about what was shown to them, whatever is pushed in the meantime.
 * Undefined: the state is not known, so nobody can decide about it.
 */
export function findingId({ fingerprint, objectDigest }: Finding): string | undefined {
  return objectDigest === undefined ? undefined : fingerprint + objectDigest.replace('sha256:', '').slice(0, digits);
}

/** What an id, or a part of it, means among these findings. */
export type NamedFinding =
  | { readonly finding: Finding }
  /** No full stop. */
  | { readonly problem: string };

/** Finds the finding that an id names. Only a whole id that fits the present state names one; of two findings with one id, the first. */
export function findNamed(id: string, findings: readonly Finding[]): NamedFinding {
  const named = findings.filter(({ fingerprint }) => fingerprint.startsWith(id.slice(0, fingerprintLength)));
  const exact = named.find((finding) => findingId(finding) === id);
  if (exact !== undefined) return { finding: exact };
  const [found] = named;
  if (found === undefined) return { problem: 'no finding of this run has this id' };
  const different = new Set(named.map(({ fingerprint }) => fingerprint)).size;
  if (different > 1) return { problem: `${different} findings begin with this id; write the whole id` };
  const current = findingId(found);
  if (current === undefined)
    return { problem: 'the state of the object is not known, because its target did not render' };
  if (id.length < current.length)
    return { problem: `the id does not say which state of the object was looked at; the whole id is ${current} now` };
  return { problem: 'approved for another state of the object' };
}

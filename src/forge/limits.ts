/**
 * What GitHub takes. Its sentence for comments is "Body is too long (maximum is 65536 characters)". Measured on
 * github.com, bodies of pull requests end at 65,536 code points and comments at 262,144 bytes (github-limits pull request
 * 13): 65,536 code points are never more than 262,144 bytes, so that count holds under both rules.
 */
export const maxComment = 65_536;
/** `output.summary` and `output.text` of a check run: "exceeds a maximum bytesize of 65535", so bytes (github/docs#35252). */
export const maxCheckOutputBytes = 65_535;
/** Annotations of one request. */
export const maxAnnotations = 50;
export const maxAnnotationBytes = 64 * 1024 - 1;
export const maxTitle = 255;
export const maxStatusDescription = 140;
export const maxReviewComments = 10;
/** "Responses include a maximum of 3000 files" (REST, list pull request files). */
export const maxListedFiles = 3_000;

/** Length of a body as GitHub counts it: code points, so an emoji outside of the basic plane is one. */
export function githubLength(text: string): number {
  let surrogatePairs = 0;
  for (let index = 0; index < text.length - 1; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0xd800 || unit > 0xdbff) continue;
    const next = text.charCodeAt(index + 1);
    if (next < 0xdc00 || next > 0xdfff) continue;
    surrogatePairs += 1;
    index += 1;
  }
  return text.length - surrogatePairs;
}

/** UTF-8 bytes. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

/** What a JSON string of the API may hold: no lone surrogates (they become U+FFFD) and no NUL. */
export function sendable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '');
}

/** The longest beginning with at most that many UTF-8 bytes, never cut inside a character; `...` at the end when cut. Plain text only. */
export function cutToBytes(text: string, max: number): string {
  if (byteLength(text) <= max) return text;
  const bytes = Buffer.from(text, 'utf8');
  let end = Math.max(0, max - 3);
  // 10xxxxxx is inside of a character.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${bytes.toString('utf8', 0, end)}...`;
}

/** At most `max` code points, `...` at the end when cut. Plain text only. */
export function cutToLength(text: string, max: number): string {
  return githubLength(text) <= max
    ? text
    : `${Array.from(text)
        .slice(0, max - 3)
        .join('')}...`;
}

/** The first candidate that fits, so that Markdown is never cut; undefined: none does. */
export function firstFitting(candidates: readonly string[], fits: (text: string) => boolean): string | undefined {
  return candidates.find(fits);
}

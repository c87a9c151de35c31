import { stripVTControlCharacters, styleText } from 'node:util';
import type { Json, ResourceRef } from '../core/model.ts';

/** Bidirectional controls, zero-width characters and line separators: they can make text read as something else. */
const deceptive = /[\u061C\u180E\u200B-\u200F\u2028-\u202E\u2060-\u2069\uFEFF\uFFF9-\uFFFB]/gu;
const controls = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/gu;

/**
 * Text from the tree or the cluster, safe to print anywhere: no escape sequences, control or bidirectional
 * characters. Line feeds and tabs stay. Every reporter passes every outside string through here first.
 */
export function clean(text: string): string {
  return stripVTControlCharacters(text).replaceAll('\r\n', '\n').replace(controls, '').replace(deceptive, '');
}

/**
 * Text for the log of a job: a line that begins with `::` is a command to the runner of GitHub Actions, and so is `##[`
 * anywhere (actions/runner, ActionCommand.cs). Both get an invisible character in between.
 */
export function withoutJobCommands(text: string): string {
  return text.replace(/^([^\S\n]*:)(?=:)/gm, '$1\u200B').replaceAll('##[', '#\u200B#[');
}

/** {@link clean}, on one line. */
export function cleanLine(text: string): string {
  return clean(text).replace(/\s+/g, ' ').trim();
}

/** Cuts after `max` characters and says so. */
export function shorten(text: string, max: number): string {
  if (text.length <= max) return text;
  // Twice as many units hold at least so many characters; the rest of a huge text is not looked at.
  const characters = Array.from(text.slice(0, 2 * max + 2));
  return characters.length <= max ? text : `${characters.slice(0, Math.max(0, max - 3)).join('')}...`;
}

/** `Deployment shop/api`, `Namespace shop`: how people name an object. */
export function refText(ref: ResourceRef): string {
  return cleanLine(`${ref.kind} ${ref.namespace === undefined ? '' : `${ref.namespace}/`}${ref.name}`);
}

/** `Deployment/shop/api`: how waivers name it. */
export function refId(ref: ResourceRef): string {
  return cleanLine([ref.kind, ref.namespace, ref.name].filter((part) => part !== undefined).join('/'));
}

/** A value of a field on one line: text as it is, structures as compact JSON. Undefined: `(none)`. */
export function valueText(value: unknown, max = 200): string {
  if (value === undefined || value === null) return '(none)';
  if (value === '') return '""';
  const text = typeof value === 'string' ? value : (JSON.stringify(value as Json) ?? '(none)');
  return shorten(cleanLine(text), max);
}

/** `1 object`, `3 objects`. */
export function count(number: number, singular: string, plural = `${singular}s`): string {
  return `${number.toLocaleString('en-US')} ${number === 1 ? singular : plural}`;
}

/** `a, b, c and 12 more`. */
export function someOf(items: readonly string[], max: number): string {
  if (items.length <= max + 1) return items.join(', ');
  return `${items.slice(0, max).join(', ')} and ${(items.length - max).toLocaleString('en-US')} more`;
}

/** Seconds as people say them: `45 seconds`, `5 hours`, `12 days`. */
export function durationText(seconds: number): string {
  if (seconds < 120) return count(Math.round(seconds), 'second');
  if (seconds < 7_200) return count(Math.round(seconds / 60), 'minute');
  if (seconds < 172_800) return count(Math.round(seconds / 3_600), 'hour');
  return count(Math.round(seconds / 86_400), 'day');
}

const wide =
  /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]/u;
const zero = /\p{Mark}/u;

/** Columns that a text takes on a terminal. */
export function columns(text: string): number {
  if (/^[\u0020-\u007E]*$/.test(text)) return text.length;
  let sum = 0;
  for (const character of text) sum += zero.test(character) ? 0 : wide.test(character) ? 2 : 1;
  return sum;
}

/** Breaks a word that is longer than a line. */
function pieces(word: string, width: number): string[] {
  if (columns(word) <= width) return [word];
  const parts: string[] = [];
  let part = '';
  let used = 0;
  for (const character of word) {
    const size = columns(character);
    if (used + size > width && part !== '') {
      parts.push(part);
      part = '';
      used = 0;
    }
    part += character;
    used += size;
  }
  return [...parts, part];
}

/** Breaks plain text into lines of at most `width` columns, at spaces; its own line feeds stay. */
export function wrap(text: string, width: number): string[] {
  const room = Math.max(20, width);
  return text.split('\n').flatMap((paragraph) => {
    const lines: string[] = [];
    let line = '';
    for (const word of paragraph.split(' ').flatMap((part) => pieces(part, room))) {
      if (line !== '' && columns(line) + 1 + columns(word) > room) {
        lines.push(line);
        line = word;
      } else {
        line = line === '' ? word : `${line} ${word}`;
      }
    }
    return [...lines, line];
  });
}

export type Style = Parameters<typeof styleText>[0];

/** Colours a text, or leaves it alone. The environment is not asked: the caller decided. */
export function painter(color: boolean): (style: Style, text: string) => string {
  return color ? (style, text) => styleText(style, text, { validateStream: false }) : (_, text) => text;
}

import { closest } from '../core/suggest.ts';

/** What somebody asks of gate in a comment. `line`: 1-based line of the comment. */
export type Command =
  | { readonly kind: 'approve'; readonly line: number; readonly finding: string; readonly reason: string }
  | {
      readonly kind: 'waive';
      readonly line: number;
      readonly finding: string;
      /** YYYY-MM-DD, in force through that day. */ readonly until: string;
      readonly reason: string;
    }
  /** Begins with `/gate` and is none of these. `problem` is safe to print after escaping. */
  | { readonly kind: 'invalid'; readonly line: number; readonly problem: string; readonly usage: string };

const usages = {
  approve: '/gate approve FINDING REASON',
  waive: '/gate waive FINDING until YYYY-MM-DD REASON',
} as const;
type Verb = keyof typeof usages;
const verbs = Object.keys(usages) as Verb[];

/** Nobody needs more in one comment. */
const maxCommands = 50;
const maxReason = 500;

/**
 * The commands of a comment, in order. Only what a reader sees as a line of the comment itself counts: not what stands in
 * a quotation, a code block or an HTML comment, so that quoting or pasting somebody's text approves nothing.
 * @param body Markdown of the comment, hostile
 */
export function parseCommands(body: string): Command[] {
  const commands: Command[] = [];
  for (const { line, text } of visibleLines(body)) {
    const words = text.trim().split(/[ \t]+/);
    if (words[0] !== '/gate') continue;
    commands.push(parseCommand(line, words.slice(1)));
    if (commands.length === maxCommands) break;
  }
  return commands;
}

/**
 * Lines outside of fences, indented code, quotations and HTML comments. A line right behind a quotation, without an empty
 * line in between, belongs to it (CommonMark: lazy continuation).
 */
function visibleLines(body: string): { readonly line: number; readonly text: string }[] {
  const out: { line: number; text: string }[] = [];
  let fence: string | undefined;
  let hidden = false;
  let quoted = false;
  for (const [index, raw] of body.split(/\r\n|\r|\n/).entries()) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(raw)?.[1];
    if (fence !== undefined) {
      // A fence ends with at least as many of the same character and nothing behind them.
      if (mark !== undefined && mark.startsWith(fence) && raw.trim() === mark) fence = undefined;
      continue;
    }
    if (!hidden && mark !== undefined) {
      fence = mark;
      quoted = false;
      continue;
    }
    quoted = raw.trim() !== '' && (quoted || /^ {0,3}>/.test(raw));
    // A line that a quotation or an HTML comment touches is no command, whatever else is on it.
    const touched = hidden || quoted || raw.includes('<!--');
    hidden = staysHidden(raw, hidden);
    if (!touched && /^ {0,3}\/gate(?:[ \t]|$)/.test(raw)) out.push({ line: index + 1, text: raw });
  }
  return out;
}

function staysHidden(line: string, hidden: boolean): boolean {
  let inside = hidden;
  let position = 0;
  for (;;) {
    const next = line.indexOf(inside ? '-->' : '<!--', position);
    if (next < 0) return inside;
    position = next + (inside ? 3 : 4);
    inside = !inside;
  }
}

function parseCommand(line: number, words: readonly string[]): Command {
  const [word = '', ...rest] = words;
  const verb = verbs.find((known) => known === word);
  if (verb === undefined) {
    const near = closest(word, verbs);
    const problem =
      word === ''
        ? 'a command is missing'
        : `"${word.slice(0, 40)}" is no command${near === undefined ? '' : `; did you mean "${near}"?`}`;
    return {
      kind: 'invalid',
      line,
      problem,
      usage: near === undefined ? verbs.map((known) => usages[known]).join(' or ') : usages[near as Verb],
    };
  }
  const invalid = (problem: string): Command => ({ kind: 'invalid', line, problem, usage: usages[verb] });
  const [finding = '', ...more] = rest;
  if (finding === '') return invalid('the finding is missing');
  // The fingerprint, or enough of its beginning to name one finding.
  if (!/^[0-9a-f]{6,64}$/.test(finding)) return invalid(`"${finding.slice(0, 40)}" is no id of a finding`);
  if (verb === 'approve') {
    const reason = reasonOf(more);
    return reason === undefined ? invalid('the reason is missing') : { kind: 'approve', line, finding, reason };
  }
  const [until, date = '', ...said] = more;
  if (until !== 'until') return invalid('"until" and a date are missing');
  if (!isDate(date)) return invalid(`"${date.slice(0, 40)}" is no date`);
  const reason = reasonOf(said);
  return reason === undefined
    ? invalid('the reason is missing')
    : { kind: 'waive', line, finding, until: date, reason };
}

/** Something with a letter in it. */
function reasonOf(words: readonly string[]): string | undefined {
  const reason = words.join(' ');
  return /\p{L}/u.test(reason) ? Array.from(reason).slice(0, maxReason).join('') : undefined;
}

/** A day of the calendar as YYYY-MM-DD. */
function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

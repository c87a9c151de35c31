import { clean, cleanLine } from './text.ts';

/** Characters that open formatting, links, images, HTML, tables, math or entities anywhere in a line. */
const special = /[\\`*_[\]<|~&$]/g;

/**
 * GitHub looks for mentions, references and links in the text that is shown, so a character reference in place of
 * `@` would not stop it; a zero-width space behind it does.
 */
const broken = '&#8203;';

/**
 * Outside text inside a Markdown line: nothing in it is formatting, a link, an image, a mention, an issue reference
 * or HTML. Line feeds become spaces.
 */
export function mdText(text: string): string {
  return (
    cleanLine(text)
      .replace(special, (character) => `&#${character.charCodeAt(0)};`)
      .replace(/@(?=\S)/g, `@${broken}`)
      .replace(/(?<!&)#(?=\d)/g, `#${broken}`)
      .replace(/\bGH(?=-\d)/gi, (word) => word + broken)
      .replace(/:(?=\/\/|[a-z+_-][a-z0-9_+-]*:)/gi, `:${broken}`)
      .replace(/\bwww(?=\.)/gi, (word) => word + broken)
      // GitHub makes a link of the beginning of a commit id, from 7 digits on.
      .replace(/\b[0-9a-f]{7,}\b/gi, (digits) => digits.replace(/.{6}(?=.)/g, `$&${broken}`))
      // What would start a list, heading, quotation or rule at the beginning of a line.
      .replace(/^(\d+)(?=[.)](?:\s|$))/, `$1${broken}`)
      .replace(/^[-+=#>]/, (character) => `&#${character.charCodeAt(0)};`)
  );
}

/** Outside text as code on one line: the fence is longer than any run of backticks inside. Also fit for table cells. */
export function codeSpan(text: string): string {
  // A pipe ends a table cell even inside code.
  const line = cleanLine(text).replaceAll('|', '¦');
  if (line === '') return '` `';
  const fence = '`'.repeat(longestRun(line) + 1);
  const space = line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  return `${fence}${space}${line}${space}${fence}`;
}

/** Outside text as a code block. */
export function codeBlock(language: string, text: string): string {
  const body = clean(text);
  const fence = '`'.repeat(Math.max(3, longestRun(body) + 1));
  return `${fence}${language}\n${body}\n${fence}`;
}

function longestRun(text: string): number {
  let longest = 0;
  for (const run of text.match(/`+/g) ?? []) longest = Math.max(longest, run.length);
  return longest;
}

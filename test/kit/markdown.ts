import { micromark } from 'micromark';
import { gfm, gfmHtml } from 'micromark-extension-gfm';

/** HTML as GitHub's renderer makes it of Markdown, before its filters. */
export function renderMarkdown(text: string): string {
  return micromark(text, {
    allowDangerousHtml: true,
    allowDangerousProtocol: true,
    extensions: [gfm()],
    htmlExtensions: [gfmHtml()],
  });
}

/** Elements that gate writes itself, or that Markdown makes. */
const known = new Set(
  'h1 h2 h3 h4 p ul ol li strong em code pre a hr br sub details summary table thead tbody tr th td'.split(' '),
);
const alone = new Set(['br', 'hr']);

/**
 * What is wrong with a Markdown text: open fences, rows that lost cells, `<details>` that are not closed, elements, links
 * or attributes that are not ours, text that GitHub would make a mention or a reference of.
 * @param links beginnings of the links that are allowed
 */
export function markdownProblems(text: string, links: readonly string[] = []): string[] {
  return [...structure(text), ...elements(renderMarkdown(text), links)];
}

function structure(text: string): string[] {
  const problems: string[] = [];
  let fence: string | undefined;
  let depth = 0;
  let cells: number | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    // The info string of a fence holds no backtick: a line like that begins with a code span.
    const mark = /^(`{3,})[^`]*$/.exec(line)?.[1];
    if (fence !== undefined) {
      if (mark !== undefined && line === fence) fence = undefined;
      continue;
    }
    if (mark !== undefined) fence = mark;
    const shown = line.replace(/(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)/g, 'code');
    depth += (shown.match(/<details>/g) ?? []).length - (shown.match(/<\/details>/g) ?? []).length;
    if (depth < 0) problems.push(`line ${index + 1} closes a <details> that is not open`);
    if (line.startsWith('|')) {
      const found = line.split('|').length;
      cells ??= found;
      if (found !== cells || !line.endsWith('|'))
        problems.push(`line ${index + 1} has ${found} instead of ${cells} cells`);
    } else {
      cells = undefined;
    }
  }
  if (fence !== undefined) problems.push('a fence is open at the end');
  if (depth > 0) problems.push(`${depth} <details> are open at the end`);
  return problems;
}

function elements(html: string, links: readonly string[]): string[] {
  const problems: string[] = [];
  const open: string[] = [];
  let inCode = 0;
  for (const part of html.split(/(<[^>]*>)/)) {
    const tag = /^<(\/?)([a-z0-9]+)([^>]*)>$/i.exec(part);
    if (tag === null) {
      if (part.includes('<')) problems.push(`a tag that does not end: ${part.slice(0, 80)}`);
      if (inCode === 0) problems.push(...references(part));
      continue;
    }
    const [, slash, name = '', attributes = ''] = tag;
    if (!known.has(name)) problems.push(`element ${part.slice(0, 80)}`);
    const href = /^ href="([^"]*)"$/.exec(attributes)?.[1];
    if (name === 'a' && slash === '' && !links.some((link) => href?.startsWith(link)))
      problems.push(`link ${part.slice(0, 120)}`);
    if (name !== 'a' && !/^(?: class="language-diff"| align="(?:left|right)"| \/)?$/.test(attributes))
      problems.push(`attribute ${part.slice(0, 80)}`);
    if (alone.has(name)) continue;
    if (name === 'code' || name === 'pre') inCode += slash === '' ? 1 : -1;
    if (slash === '') open.push(name);
    else if (open.pop() !== name) problems.push(`</${name}> does not close what is open`);
  }
  if (open.length > 0) problems.push(`not closed: ${open.join(' ')}`);
  return problems;
}

/** What GitHub looks for in shown text (its documentation, "Autolinked references and URLs"). */
function references(text: string): string[] {
  // Inside of an HTML block Markdown leaves references to characters to the browser.
  const shown = text
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
  const patterns: [string, RegExp][] = [
    ['mention', /@[a-z0-9]/i],
    ['reference', /#\d/],
    ['reference', /\bGH-\d/i],
    ['commit', /\b[0-9a-f]{7,40}\b/i],
    ['address', /\bwww\.|[a-z]:\/\//i],
  ];
  return patterns
    .filter(([, pattern]) => pattern.test(shown))
    .map(([what]) => `${what} in ${JSON.stringify(shown.slice(0, 120))}`);
}

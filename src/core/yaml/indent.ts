/** What no hand-written file needs, so that a hostile one costs little. */
const maxRepairs = 20;
const maxRead = 200_000;
const maxAdded = 2_000_000;

/** The quote stands behind it in the message. */
const openingLength = 'Missing closing '.length;

/** Code, message and offsets of an error, as the `yaml` package gives them. */
interface Problem {
  readonly code: string;
  readonly message: string;
  readonly pos: readonly [number, number];
}

/**
 * go.yaml.in/yaml reads quoted text and `[…]`, `{…}` over several lines whatever their indentation is (scannerc.go:
 * yaml_parser_unroll_indent returns at once inside of a flow collection, yaml_parser_scan_flow_scalar does not look at
 * columns). The `yaml` package asks for lines deeper than the key. Blanks at the start of such lines mean nothing,
 * so the refused lines are indented, and the text can be read again.
 * @param count how often this text was repaired already
 * @returns the text with deeper lines; undefined when the error is another one, when nothing ends the quoted text or
 *   the collection, or when it would cost too much
 */
export function indented(text: string, problem: Problem, count: number): string | undefined {
  if (count >= maxRepairs || count * text.length > maxRead) return undefined;
  const start = refusedLine(text, problem);
  if (start === undefined) return undefined;
  const end =
    problem.code === 'BAD_INDENT'
      ? endOfCollection(text, start)
      : endOfQuoted(text, start, problem.message.charAt(openingLength));
  if (end === undefined) return undefined;
  const lines = text.slice(start, end).split('\n');
  const blanks = lengthOfLineAbove(text, start);
  if (blanks === 0 || blanks * lines.length > maxAdded) return undefined;
  const before = ' '.repeat(blanks);
  return text.slice(0, start) + lines.map((line) => (line === '' ? '' : before + line)).join('\n') + text.slice(end);
}

/** Offset of the first line that stands too far left. */
function refusedLine(text: string, { code, message, pos }: Problem): number | undefined {
  if (code === 'MISSING_CHAR' && message.startsWith('Missing closing')) {
    // Reported where the line above ends.
    let start = text.indexOf('\n', pos[0]) + 1;
    while (start !== 0 && text.charCodeAt(start) === 10) start++;
    return start === 0 || start >= text.length ? undefined : start;
  }
  if (code !== 'BAD_INDENT' || !message.startsWith('Flow ')) return undefined;
  return text.lastIndexOf('\n', pos[0] - 1) + 1 || undefined;
}

/** Behind the closing quote. */
function endOfQuoted(text: string, from: number, quote: string): number | undefined {
  for (let at = from; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '\\' && quote === '"') at++;
    else if (char === quote) {
      if (quote === '"' || text.charAt(at + 1) !== quote) return at + 1;
      at++;
    }
  }
  return undefined;
}

/** Behind the bracket that closes what was open at the start of this line. */
function endOfCollection(text: string, from: number): number | undefined {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '[' || char === '{') depth++;
    else if (char === ']' || char === '}') {
      if (depth === 0) return at + 1;
      depth--;
    } else if (/[\s,[{:]/.test(text.charAt(at - 1))) {
      if (char === '#') at = (text.indexOf('\n', at) + 1 || text.length) - 1;
      else if (char === '"' || char === "'") {
        const end = endOfQuoted(text, at + 1, char);
        if (end === undefined) return undefined;
        at = end - 1;
      }
    }
  }
  return undefined;
}

/** Of the last line above that is not empty: longer than the indentation that the line below must exceed. */
function lengthOfLineAbove(text: string, start: number): number {
  let end = start - 1;
  while (end > 0 && text.charCodeAt(end - 1) === 10) end--;
  return end - (text.lastIndexOf('\n', end - 1) + 1);
}

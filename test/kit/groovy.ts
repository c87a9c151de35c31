import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Language, Parser, type Node } from 'web-tree-sitter';

const require = createRequire(import.meta.url);

/** A call in a Groovy file: `sh 'make'` is `{name: 'sh', text: "sh 'make'", strings: ['make']}`. */
export interface GroovyCall {
  readonly name: string;
  readonly text: string;
  /** Contents of its string literals, also those of named arguments. */
  readonly strings: readonly string[];
}

/** Calls of a Groovy file, outer ones first. @throws Error where the grammar does not fit */
export async function groovyCalls(source: string): Promise<GroovyCall[]> {
  await Parser.init();
  const grammar = readFileSync(require.resolve('tree-sitter-groovy/tree-sitter-groovy.wasm'));
  const parser = new Parser();
  parser.setLanguage(await Language.load(grammar));
  const tree = parser.parse(source);
  if (tree === null) throw new Error('Groovy cannot be parsed');
  try {
    const calls: GroovyCall[] = [];
    const walk = (node: Node) => {
      if (node.isError || node.isMissing) {
        throw new Error(`no Groovy in line ${node.startPosition.row + 1}: ${node.text.slice(0, 80)}`);
      }
      if (/call|invocation/.test(node.type)) {
        calls.push({ name: /^\w+/.exec(node.text)?.[0] ?? '', text: node.text, strings: stringsOf(node) });
      }
      for (const child of node.children) if (child !== null) walk(child);
    };
    walk(tree.rootNode);
    return calls;
  } finally {
    tree.delete();
    parser.delete();
  }
}

/** In this grammar `'a'` is a character literal, and everything else a string literal. */
function stringsOf(node: Node): string[] {
  return node.descendantsOfType(['string_literal', 'character_literal']).flatMap((literal) => {
    const text = literal?.text ?? '';
    const [quotes = ''] = /^('''|"""|'|")/.exec(text) ?? [];
    if (quotes === '') return [];
    // Groovy takes the backslash away before the shell sees it; at the end of a line it joins the lines.
    const inner = text.slice(quotes.length, -quotes.length);
    return [inner.replace(/\\\n/g, '').replace(/\\(['"$\\])/g, '$1')];
  });
}

/**
 * Splits the text of a RUN instruction into simple commands and their words, as far as it is needed to find the installer
 * calls in it: `&&`, `||`, `;`, `|`, `&`, line breaks and parentheses separate; quotes group; nothing is expanded.
 */
export function shellCommands(text: string): readonly (readonly string[])[] {
  const commands: string[][] = [];
  let words: string[] = [];
  let word = '';
  let open = false;
  let quote = '';
  const endWord = (): void => {
    if (open) words.push(word);
    word = '';
    open = false;
  };
  const endCommand = (): void => {
    endWord();
    if (words.length > 0) commands.push(words);
    words = [];
  };
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? '';
    if (quote !== '') {
      if (char === quote) quote = '';
      else if (char === '\\' && quote === '"' && at + 1 < text.length) word += text[++at] ?? '';
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      open = true;
    } else if (char === '\\') {
      const next = text[at + 1];
      if (next === '\n' || next === '\r') at += next === '\r' && text[at + 2] === '\n' ? 2 : 1;
      else {
        word += next ?? '';
        open = true;
        at += 1;
      }
    } else if (char === '\n' || char === ';' || char === '&' || char === '|' || char === '(' || char === ')') {
      endCommand();
    } else if (char === '#' && !open) {
      while (at + 1 < text.length && text[at + 1] !== '\n') at += 1;
    } else if (/\s/.test(char)) {
      endWord();
    } else {
      word += char;
      open = true;
    }
  }
  endCommand();
  return commands;
}

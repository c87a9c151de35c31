import { readFileSync } from 'node:fs';

/** A fenced block of a guide page, found by its first line: `# .gitlab-ci.yml`. @throws Error when there is none */
export function guideBlock(page: string, mark: string): string {
  const text = readFileSync(new URL(`../../docs/guide/${page}`, import.meta.url), 'utf8');
  const blocks = [...text.matchAll(/^```\w+\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  const found = blocks.find((block) => block.split('\n', 2).includes(mark));
  if (found === undefined) throw new Error(`${page} has no block that begins with ${mark}`);
  return found;
}

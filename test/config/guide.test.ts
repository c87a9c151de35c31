import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { gateConfigSchema } from '../../src/config/schema.ts';
import { rules } from '../../src/rules/index.generated.ts';

const guide = fileURLToPath(new URL('../../docs/guide/', import.meta.url));

interface Block {
  readonly page: string;
  readonly text: string;
}

/** The YAML blocks of the guide whose first line is the comment `# gate.yaml`. */
function configurationBlocks(): readonly Block[] {
  return readdirSync(guide)
    .filter((name) => name.endsWith('.md'))
    .toSorted()
    .flatMap((page) =>
      [...readFileSync(join(guide, page), 'utf8').matchAll(/^```yaml\n(# gate\.yaml\n[^]*?)^```$/gm)].map(
        ([, text = '']) => ({ page, text }),
      ),
    );
}

function load({ page, text }: Block) {
  return loadConfig({ text, file: page, directory: '/repository', knownRules: rules });
}

describe('the guide', () => {
  const blocks = configurationBlocks();

  it.each(blocks)('shows a gate.yaml in $page that gate accepts', (block) => {
    expect(load(block).file).toBe(block.page);
  });

  it('shows waivers that are taken over as written', () => {
    const waivers = blocks.filter(({ page }) => page === 'verdict.md').flatMap((block) => load(block).waivers);
    expect(waivers.map(({ rule, expires }) => [rule, expires])).toEqual([['image-pull-policy-always', '2027-03-31']]);
  });

  it('explains every key that is used', () => {
    const [full] = blocks.filter(({ page }) => page === 'targets.md');
    const shown = new Set([...(full?.text ?? '').matchAll(/^(\w+):/gm)].map(([, key]) => key));
    const notUsedYet = new Set(['promotion']);
    const missing = Object.keys(gateConfigSchema.properties).filter((key) => !shown.has(key) && !notUsedYet.has(key));
    expect(missing).toEqual([]);
  });
});

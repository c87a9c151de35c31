import { describe, expect, it } from 'vitest';
import { gateConfigSchema } from '../../src/config/schema.ts';
import { loadConfig } from '../../src/config/load.ts';
import { renderConfigTemplate } from '../../src/config/write.ts';

const knownRules = ['replicas-cut', 'limit-below-usage'];

function load(text: string) {
  return loadConfig({ text, file: 'gate.yaml', directory: '/', knownRules });
}

const detected = {
  targets: [
    { name: 'shop', engine: 'argocd', environment: 'prod', cluster: 'eu-1', origin: { file: 'apps/shop.yaml' } },
    { name: 'a\nb: [', engine: 'helm', environment: 'staging', origin: { file: 'charts/a/Chart.yaml' } },
    { name: 'c', engine: 'helm', environment: 'dev', origin: { file: 'charts/c/Chart.yaml' } },
  ],
  chartRepositories: ['https://charts.example.org'],
  gitRepositories: ['git@example.org:a/b.git'],
} as const;

describe('the file that gate init writes', () => {
  it('loads, and names the environments in the order of promotion', () => {
    const config = load(renderConfigTemplate(detected));
    expect(config.environments.map(({ name, production }) => [name, production])).toEqual([
      ['dev', false],
      ['staging', false],
      ['prod', true],
    ]);
    expect(config.promotion).toEqual(['dev', 'staging', 'prod']);
  });

  it('loads with every example uncommented', () => {
    for (const input of [detected, { targets: [], chartRepositories: [], gitRepositories: [] }]) {
      const uncommented = renderConfigTemplate(input)
        .split('\n')
        .map((line) =>
          /^# ( *- |\s*['"]?[\w./:@-]+['"]?:( |$))/.test(line) &&
          !/^# (gate\.yaml|Detected|Rules|onIncomplete|Clusters that|Other Git)/.test(line)
            ? line.slice(2)
            : line,
        )
        .join('\n');
      const config = load(uncommented);
      expect(config.waivers).toHaveLength(1);
      expect(config.targets[0]?.source.type).toBe('helm');
      expect(config.argocd.version).toBe('3.5');
    }
  });
});

describe('the schema', () => {
  it('describes every key, for editors', () => {
    const bare: string[] = [];
    function walk(schema: object, path: string): void {
      for (const [key, value] of Object.entries(schema)) {
        if (key === 'properties') {
          for (const [name, property] of Object.entries(value as Record<string, object>)) {
            if (!('description' in property)) bare.push(`${path}.${name}`);
          }
        }
        if (typeof value === 'object' && value !== null) walk(value as object, `${path}.${key}`);
      }
    }
    walk(gateConfigSchema, '');
    expect(bare).toEqual([]);
  });
});

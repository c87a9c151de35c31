import { stringify } from 'yaml';
import type { Target } from '../core/model.ts';

/** What was detected in a repository, for `gate init`. */
export interface Detected {
  readonly targets: readonly Pick<Target, 'name' | 'engine' | 'environment' | 'cluster' | 'origin'>[];
  /** URLs of chart repositories and registries that targets fetch from. */
  readonly chartRepositories: readonly string[];
  /** URLs of other Git repositories that targets read. */
  readonly gitRepositories: readonly string[];
}

/** Names in the order in which changes usually travel; names not in here keep their place between the two ends. */
const usualOrder = [/dev/i, /test|qa|int/i, /stag|uat|preprod|pre-prod|stg/i, /canary/i, /prod|prd|live/i];

/**
 * A commented gate.yaml that says what was detected. What is detected needs no line, so most of it is comments.
 * The text is valid input of `loadConfig`.
 */
export function renderConfigTemplate(detected: Detected): string {
  const environments = names(detected.targets, 'environment').toSorted(
    (left, right) => rank(left) - rank(right) || compare(left, right),
  );
  const clusters = names(detected.targets, 'cluster');
  return [
    '# gate.yaml: how gate judges changes of this repository.',
    '# It is read from the base side of a change, so an edit takes effect when it is merged.',
    '',
    ...foundLines(detected),
    ...environmentLines(environments),
    ...clusterLines(clusters),
    '# Targets that are not detected, or that should be rendered differently. Paths start at the root of the repository.',
    ...commented({
      targets: [
        {
          name: 'shop',
          helm: { chart: 'charts/shop', values: ['envs/prod/shop.yaml'], namespace: 'shop' },
          environment: environments.at(-1) ?? 'production',
        },
      ],
    }),
    '# Globs on target ids, names or paths that gate leaves out; they are listed in every report.',
    ...commented({ exclude: ['sandbox/**'] }),
    '',
    ...repositoryLines(detected),
    '# Versions decide how things are rendered: `.Capabilities`, and the Helm inside of Argo CD and Flux.',
    ...commented({ kubernetesVersion: '1.34', argocd: { version: '3.5' }, flux: { version: '2.9' } }),
    '',
    '# Rules: off, a severity, or options. `gate rules` lists them, `gate explain RULE` shows the options.',
    ...commented({ rules: { 'replicas-cut': 'low' } }),
    '',
    '# Findings that are accepted until a day.',
    ...commented({
      waivers: [
        {
          rule: 'limit-below-usage',
          resource: 'Deployment/shop/api',
          reason: 'Usage drops with release 4.2',
          owner: 'team-shop',
          expires: '2099-12-31',
        },
      ],
    }),
    '',
  ].join('\n');
}

function foundLines({ targets }: Detected): string[] {
  if (targets.length === 0) return ['# No target was detected. Name them under `targets` below.', ''];
  const byEngine = new Map<string, number>();
  for (const { engine } of targets) byEngine.set(engine, (byEngine.get(engine) ?? 0) + 1);
  const shown = targets.slice(0, 10).map((target) => {
    const where = target.environment === undefined ? '' : ` (${oneLine(target.environment)})`;
    return `#   ${oneLine(target.name)}${where}: ${oneLine(target.origin.file)}`;
  });
  return [
    `# Detected: ${targets.length} ${targets.length === 1 ? 'target' : 'targets'} (${[...byEngine].map(([engine, count]) => `${count} ${engine}`).join(', ')}).`,
    ...shown,
    ...(targets.length > shown.length
      ? [`#   and ${targets.length - shown.length} more: gate check --list-targets`]
      : []),
    '',
  ];
}

function environmentLines(environments: readonly string[]): string[] {
  if (environments.length === 0) {
    return [
      '# No environment was detected. `match` holds globs on target ids, names and paths.',
      ...commented({ environments: [{ name: 'production', match: ['envs/prod/**'] }] }),
      '',
    ];
  }
  const list = environments.map((name) => ({
    name,
    production: /prod|prd|live/i.test(name) && !/(pre|non)[-_]?prod/i.test(name),
  }));
  return [
    '# Detected from paths, labels and clusters. Findings outside of production weigh less.',
    '# onIncomplete: warn lets a change pass when a target there cannot be evaluated.',
    ...plain({ environments: list }),
    ...(environments.length > 1
      ? ['# A change goes from left to right.', ...plain({ promotion: [...environments] })]
      : []),
    '',
  ];
}

function clusterLines(clusters: readonly string[]): string[] {
  if (clusters.length === 0) return [];
  return [
    '# Clusters that targets name. Versions and labels make rendering and ApplicationSets exact.',
    ...commented({
      clusters: clusters.map((name) => ({ name, kubernetesVersion: '1.34', labels: { env: 'production' } })),
    }),
    '',
  ];
}

function repositoryLines({ chartRepositories, gitRepositories }: Detected): string[] {
  const lines: string[] = [];
  if (chartRepositories.length > 0) {
    lines.push('# Charts are fetched from these. Name a mirror or a folder where one is private or out of reach.');
    lines.push(
      ...commented({ chartRepositories: Object.fromEntries(chartRepositories.map((url) => [url, './vendor/charts'])) }),
      '',
    );
  }
  if (gitRepositories.length > 0) {
    lines.push('# Other Git repositories that targets read: folders with a checkout.');
    lines.push(
      ...commented({ gitRepositories: Object.fromEntries(gitRepositories.map((url) => [url, '../checkout'])) }),
      '',
    );
  }
  return lines;
}

function plain(value: object): string[] {
  return stringify(value, { lineWidth: 0 }).trimEnd().split('\n');
}

function commented(value: object): string[] {
  return plain(value).map((line) => `# ${line}`);
}

function names(targets: Detected['targets'], key: 'environment' | 'cluster'): string[] {
  return [...new Set(targets.flatMap((target) => target[key] ?? []))].toSorted(compare);
}

function rank(name: string): number {
  const index = usualOrder.findLastIndex((pattern) => pattern.test(name));
  return index === -1 ? usualOrder.length - 1.5 : /(pre|non)[-_]?prod/i.test(name) ? 2 : index;
}

/** Names come from the tree: a line break in one must not end the comment. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ');
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

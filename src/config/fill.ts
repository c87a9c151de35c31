import { posix, resolve } from 'node:path';
import type {
  ClusterConfig,
  Config,
  EnvironmentConfig,
  ExplicitTarget,
  PrometheusConfig,
  RuleConfig,
  ToolChoice,
} from '../core/config.ts';
import { severities, type ChartRef, type Severity, type Waiver } from '../core/model.ts';

/** gate.yaml as written, after the schema was checked. An empty value is null. */
export interface RawConfig {
  readonly targets?: readonly RawTarget[] | null;
  readonly detect?: boolean | null;
  readonly exclude?: readonly string[] | null;
  readonly environments?: readonly (Partial<EnvironmentConfig> & { name: string })[] | null;
  readonly clusters?: readonly (Partial<ClusterConfig> & { name: string })[] | null;
  readonly promotion?: readonly string[] | null;
  readonly chartRepositories?: Readonly<Record<string, string>> | null;
  readonly gitRepositories?: Readonly<Record<string, string>> | null;
  readonly repositoryUrls?: readonly string[] | null;
  readonly tools?: ToolChoice | null;
  readonly argocd?: Partial<Config['argocd']> | null;
  readonly flux?: { readonly version?: string; readonly strictSubstitutions?: boolean } | null;
  readonly kubernetesVersion?: string | null;
  readonly apiVersions?: readonly string[] | null;
  readonly rules?: Readonly<Record<string, RawRule>> | null;
  readonly waivers?: readonly Waiver[] | null;
  readonly allowMassDelete?: number | null;
  readonly prometheus?: RawPrometheus | null;
}

type RawPrometheus = { readonly url: string } & {
  readonly [Key in Exclude<keyof PrometheusConfig, 'url'>]?: PrometheusConfig[Key] | null;
};
type RawRule = string | { readonly severity?: Severity; readonly options?: Readonly<Record<string, unknown>> };
type RawChart =
  | string
  | { readonly repository: string; readonly name: string; readonly version?: string }
  | { readonly oci: string; readonly version?: string; readonly digest?: string };

interface RawTarget {
  readonly name: string;
  readonly helm?: {
    readonly chart: RawChart;
    readonly values?: readonly string[] | null;
    readonly release?: string;
    readonly namespace?: string;
    readonly set?: Readonly<Record<string, string | number | boolean>> | null;
    readonly extraValues?: readonly string[] | null;
  };
  readonly kustomize?: { readonly path: string; readonly enableHelm?: boolean | null };
  readonly manifests?: { readonly path: string; readonly recurse?: boolean | null };
  readonly environment?: string;
  readonly cluster?: string;
  readonly tools?: ToolChoice | null;
  readonly kubernetesVersion?: string;
  readonly apiVersions?: readonly string[] | null;
}

/** A value that is wrong, with its place in the document. */
export class PlacedError extends Error {
  readonly path: readonly (string | number)[];
  constructor(message: string, path: readonly (string | number)[]) {
    super(message);
    this.path = path;
  }
}

/**
 * Fills in the defaults and resolves folders.
 * @param directory absolute folder of the file
 * @throws PlacedError for a path that leaves the tree
 */
export function toConfig(raw: RawConfig, directory: string, digest: string): Config {
  const whole: Config = {
    detect: raw.detect ?? true,
    targets: (raw.targets ?? []).map((target, index) => toTarget(target, directory, ['targets', index])),
    exclude: raw.exclude ?? [],
    environments: (raw.environments ?? []).map(toEnvironment),
    clusters: (raw.clusters ?? []).map((cluster) => ({
      ...withoutEmpty(cluster),
      labels: cluster.labels ?? {},
      annotations: cluster.annotations ?? {},
    })),
    promotion: raw.promotion ?? [],
    chartRepositories: mapValues(raw.chartRepositories, (place) => (isUrl(place) ? place : resolve(directory, place))),
    gitRepositories: mapValues(raw.gitRepositories, (place) => resolve(directory, place)),
    repositoryUrls: raw.repositoryUrls ?? [],
    tools: withoutEmpty(raw.tools ?? {}),
    argocd: {
      version: raw.argocd?.version ?? '3.5',
      versionNamed: raw.argocd?.version !== undefined,
      namespace: raw.argocd?.namespace ?? 'argocd',
      kustomizeBuildOptions: raw.argocd?.kustomizeBuildOptions ?? '',
      newGitFileGlobbing: raw.argocd?.newGitFileGlobbing ?? false,
    },
    flux: {
      version: raw.flux?.version ?? '2.9',
      versionNamed: raw.flux?.version !== undefined,
      strictSubstitutions: raw.flux?.strictSubstitutions ?? 'by-version',
    },
    rules: mapValues(raw.rules, toRule),
    waivers: parseWaivers(raw.waivers ?? []),
    digest,
  };
  const { kubernetesVersion, apiVersions, allowMassDelete } = raw;
  const prometheus = raw.prometheus === undefined || raw.prometheus === null ? undefined : toPrometheus(raw.prometheus);
  return { ...whole, ...withoutEmpty({ kubernetesVersion, apiVersions, allowMassDelete, prometheus }) } as Config;
}

/** Waivers as written, without keys that are empty. */
export function parseWaivers(waivers: readonly Waiver[]): readonly Waiver[] {
  return waivers.map((waiver) => withoutEmpty(waiver));
}

function toPrometheus(raw: RawPrometheus): PrometheusConfig {
  const path = ['prometheus', 'url'];
  const address = URL.parse(raw.url);
  if (address === null || !/^https?:$/.test(address.protocol))
    throw new PlacedError('prometheus.url must look like "http://prometheus.example.org:9090"', path);
  if (address.username !== '' || address.password !== '')
    throw new PlacedError(
      'prometheus.url holds credentials, which everybody who reads the repository sees; set GATE_PROMETHEUS_USER and GATE_PROMETHEUS_PASSWORD, or GATE_PROMETHEUS_TOKEN, in the environment instead',
      path,
    );
  const labels = raw.labels ?? {};
  const wrong = Object.keys(labels).find((name) => !/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name));
  if (wrong !== undefined)
    throw new PlacedError(`${JSON.stringify(wrong)} is no name of a Prometheus label`, ['prometheus', 'labels']);
  return { url: raw.url, window: raw.window ?? '7d', labels, queries: withoutEmpty(raw.queries ?? {}) };
}

const notProduction =
  /(^|[-_./])(dev|devel|development|test|testing|qa|uat|int|integration|stage|staging|stg|sandbox|sbx|preview|preprod|pre-prod|nonprod|non-prod|ci|e2e|demo|local|lab)([-_./\d]|$)/i;

function toEnvironment(raw: Partial<EnvironmentConfig> & { name: string }): EnvironmentConfig {
  return {
    name: raw.name,
    production: raw.production ?? !notProduction.test(raw.name),
    match: raw.match ?? [],
    onIncomplete: raw.onIncomplete ?? 'fail',
  };
}

function toRule(raw: RawRule): RuleConfig {
  if (raw === 'off') return { level: 'off' };
  if (typeof raw === 'string') {
    const severity = severities.find((name) => name === raw);
    return severity === undefined ? { level: 'on' } : { level: 'on', severity };
  }
  return { level: 'on', ...withoutEmpty(raw ?? {}) };
}

function toTarget(raw: RawTarget, directory: string, path: readonly (string | number)[]): ExplicitTarget {
  const { name, environment, cluster, kubernetesVersion, apiVersions } = raw;
  const rest = withoutEmpty({ environment, cluster, kubernetesVersion, apiVersions }) as Partial<ExplicitTarget>;
  return { name, ...rest, source: toSource(raw, directory, path), tools: withoutEmpty(raw.tools ?? {}) };
}

function toSource(
  { helm, kustomize, manifests }: RawTarget,
  directory: string,
  path: readonly (string | number)[],
): ExplicitTarget['source'] {
  if (helm !== undefined) {
    const { release, namespace } = helm;
    return {
      type: 'helm',
      chart: toChart(helm.chart, [...path, 'helm', 'chart']),
      values: (helm.values ?? []).map((file, index) => inTree(file, [...path, 'helm', 'values', index])),
      extraValues: (helm.extraValues ?? []).map((file) => resolve(directory, file)),
      set: mapValues(helm.set, String),
      ...(withoutEmpty({ release, namespace }) as { release?: string; namespace?: string }),
    };
  }
  if (kustomize !== undefined)
    return {
      type: 'kustomize',
      path: inTree(kustomize.path, [...path, 'kustomize', 'path']),
      enableHelm: kustomize.enableHelm ?? false,
    };
  return {
    type: 'manifests',
    path: inTree(manifests?.path ?? '.', [...path, 'manifests', 'path']),
    recurse: manifests?.recurse ?? true,
  };
}

function toChart(raw: RawChart, path: readonly (string | number)[]): ChartRef {
  if (typeof raw === 'string')
    return raw.startsWith('oci://')
      ? { from: 'oci', url: raw, version: '' }
      : { from: 'tree', path: inTree(raw, path) };
  if ('oci' in raw)
    return {
      from: 'oci',
      url: raw.oci,
      version: raw.version ?? '',
      ...(raw.digest === undefined ? {} : { digest: raw.digest }),
    };
  const version = raw.version ?? '';
  if (raw.repository.startsWith('oci://'))
    return { from: 'oci', url: `${raw.repository.replace(/\/$/, '')}/${raw.name}`, version };
  return { from: 'repository', url: raw.repository, name: raw.name, version };
}

/** A path relative to the root of the tree, without `./` and a slash at the end; '.' for the root. */
function inTree(path: string, place: readonly (string | number)[]): string {
  const normal = posix.normalize(path).replace(/(.)\/$/, '$1');
  if (normal.startsWith('/') || normal === '..' || normal.startsWith('../')) {
    throw new PlacedError(`${path} lies outside of the repository`, place);
  }
  return normal;
}

function isUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
}

function mapValues<T, R>(
  map: Readonly<Record<string, T>> | null | undefined,
  change: (value: T) => R,
): Readonly<Record<string, R>> {
  return Object.fromEntries(Object.entries(map ?? {}).map(([key, value]) => [key, change(value)]));
}

/** Without keys whose value is null or undefined. */
function withoutEmpty<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null && value !== undefined)) as T;
}

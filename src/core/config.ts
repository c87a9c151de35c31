import type { HelmSource, KustomizeSource, ManifestsSource, Severity, Waiver } from './model.ts';

/** gate.yaml after loading: every default filled in. The file's own shape is in `config/schema.ts`. */
export interface Config {
  /** False: only the targets below. */
  readonly detect: boolean;
  readonly targets: readonly ExplicitTarget[];
  /** Globs on target ids, names or paths that are left out (and listed as such). */
  readonly exclude: readonly string[];
  readonly environments: readonly EnvironmentConfig[];
  readonly clusters: readonly ClusterConfig[];
  /** Environment names from first to last. */
  readonly promotion: readonly string[];
  /** Chart repository URL -> mirror URL or absolute folder. */
  readonly chartRepositories: Readonly<Record<string, string>>;
  /** Git repository URL -> absolute folder with a checkout, for charts and bases from other repositories. */
  readonly gitRepositories: Readonly<Record<string, string>>;
  /** URLs under which this repository is known, besides its git remotes. */
  readonly repositoryUrls: readonly string[];
  readonly tools: ToolChoice;
  readonly argocd: {
    /** Decides behaviour; the newest known one when gate.yaml names none. */
    readonly version: string;
    /** gate.yaml names the version, so its Helm and Kustomize are used; otherwise the default tool lines are. */
    readonly versionNamed?: boolean;
    readonly namespace: string;
    readonly kustomizeBuildOptions: string;
    readonly newGitFileGlobbing: boolean;
  };
  readonly flux: {
    readonly version: string;
    readonly versionNamed?: boolean;
    readonly strictSubstitutions: boolean | 'by-version';
  };
  readonly kubernetesVersion?: string;
  readonly apiVersions?: readonly string[];
  readonly rules: Readonly<Record<string, RuleConfig>>;
  readonly waivers: readonly Waiver[];
  /** Number of deletions that the change announces, for `mass-deletion`. */
  readonly allowMassDelete?: number;
  readonly prometheus?: PrometheusConfig;
  /** Where it was read from; undefined: defaults only. */
  readonly file?: string;
  /** sha256 of the canonical configuration. */
  readonly digest: string;
}

/** Where metrics are read. Credentials are never here: they come from the environment. */
export interface PrometheusConfig {
  /** Without user and password. */
  readonly url: string;
  /** Prometheus duration: `7d`. */
  readonly window: string;
  /** Labels that the series of the cluster carry in a Prometheus of several clusters: `cluster: eu-1`. */
  readonly labels: Readonly<Record<string, string>>;
  /** PromQL in place of the built-in query; `$window` stands for the window. */
  readonly queries: {
    readonly memory?: string;
    readonly cpu?: string;
    readonly start?: string;
    readonly requests?: string;
  };
}

export interface ToolChoice {
  /** Exact versions. Absent: the version that the target's engine version ships, else the default line. */
  readonly helm?: string;
  readonly kustomize?: string;
}

export interface EnvironmentConfig {
  readonly name: string;
  /** Non-production counts for less in the blast radius. */
  readonly production: boolean;
  /** Globs on target ids, names, origin files and paths that belong to this environment. */
  readonly match: readonly string[];
  readonly onIncomplete: 'fail' | 'warn';
}

export interface ClusterConfig {
  readonly name: string;
  readonly environment?: string;
  /** API server URL, as Argo CD destinations name it. */
  readonly server?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly project?: string;
  readonly kubernetesVersion?: string;
  readonly apiVersions?: readonly string[];
}

export interface RuleConfig {
  readonly level: 'on' | 'off';
  readonly severity?: Severity;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** A target that the operator wrote down. Paths are relative to the tree, `extraValues` are absolute. */
export interface ExplicitTarget {
  readonly name: string;
  readonly environment?: string;
  readonly cluster?: string;
  readonly source:
    | {
        readonly type: 'helm';
        readonly chart: HelmSource['chart'];
        readonly values: readonly string[];
        readonly extraValues: readonly string[];
        readonly release?: string;
        readonly namespace?: string;
        readonly set: Readonly<Record<string, string>>;
      }
    | { readonly type: 'kustomize'; readonly path: KustomizeSource['path']; readonly enableHelm: boolean }
    | { readonly type: 'manifests'; readonly path: ManifestsSource['path']; readonly recurse: boolean };
  readonly tools: ToolChoice;
  readonly kubernetesVersion?: string;
  readonly apiVersions?: readonly string[];
}

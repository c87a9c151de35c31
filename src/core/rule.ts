import type { TSchema } from 'typebox';
import type {
  ClusterState,
  ContainerMetrics,
  DryRunAnswer,
  HelmReleaseRecord,
  ObjectDryRun,
  ServiceMetrics,
  WorkloadPods,
} from './cluster.ts';
import type {
  BuildFile,
  Confidence,
  Entry,
  Evidence,
  KubeObject,
  NotEvaluated,
  Novelty,
  RenderProblem,
  ResourceChange,
  ResourceRef,
  Reversibility,
  Severity,
  Side,
  Target,
} from './model.ts';
import type { SourceLocation } from './errors.ts';

/** What a rule minimally needs (rules.md 0.1): the change, several joined objects, one object, the live state. */
export type Need = 'transition' | 'joined' | 'single' | 'live';

/**
 * All rendered objects of one side, indexed. Lookups are by scope: objects of targets in the same cluster.
 * Hooks and Helm tests are not in it.
 */
export interface World {
  readonly entries: readonly Entry[];
  /** Helm and Argo CD hooks: Jobs at the side of a sync, and the ServiceAccounts and roles that they use. */
  readonly hooks?: readonly Entry[];
  /** Objects of a kind; `group` '' is the core group. All versions of the group. */
  ofKind(group: string, kind: string, scope?: string): readonly Entry[];
  get(scope: string, group: string, kind: string, namespace: string | undefined, name: string): Entry | undefined;
  /** Objects of one namespace in one scope. */
  inNamespace(scope: string, namespace: string): readonly Entry[];
  /**
   * Names of targets of that scope that were not rendered on this side and may hold objects there.
   * Non-empty: "absent" is not proven; lower the confidence to `likely` and say so.
   */
  unseen(scope: string, namespace?: string): readonly string[];
}

/** The live objects of one cluster, indexed. Also lists what was not looked at. */
export interface LiveWorld {
  readonly state: ClusterState;
  readonly objects: readonly KubeObject[];
  /**
   * Was this kind read completely? False: absence means nothing. For a namespaced kind name the namespace too: what
   * `kubectl get` read of one namespace says nothing about another.
   */
  covers(group: string, kind: string, namespace?: string): boolean;
  ofKind(group: string, kind: string): readonly KubeObject[];
  get(group: string, kind: string, namespace: string | undefined, name: string): KubeObject | undefined;
  metrics(namespace: string, kind: string, name: string): readonly ContainerMetrics[];
  /** Traffic of a Service, when Prometheus knows it. */
  traffic(namespace: string, service: string): ServiceMetrics | undefined;
  /** Pods by workload; with a namespace only its own. Nothing is known of them unless `covers('', 'Pod', namespace)`. */
  pods(namespace?: string): readonly WorkloadPods[];
  podsOf(namespace: string, kind: string, name: string): WorkloadPods | undefined;
  helmReleases(): readonly HelmReleaseRecord[];
}

export interface RenderOutcomeChange {
  readonly target: Target;
  /** Absent: the target does not exist on that side, or rendered well. */
  readonly before?: RenderProblem;
  readonly after?: RenderProblem;
}

/** A raw YAML file of the tree that is read as values, manifests or kustomize input and changed in this pull request. */
export interface ChangedYaml {
  readonly path: string;
  readonly before?: string;
  readonly after?: string;
}

export interface RuleContext<Options = Record<string, unknown>> {
  readonly options: Options;
  /** What this pull request changes. Drift is not in here. */
  readonly changes: readonly ResourceChange[];
  readonly before: World;
  readonly after: World;
  /** The live cluster of a scope, when evidence was given for it. */
  live(scope: string): LiveWorld | undefined;
  /** What the API server answered to a dry run of a changed object; undefined when it was not asked. */
  dryRun(target: string, ref: ResourceRef): ObjectDryRun | undefined;
  readonly targets: { readonly before: ReadonlyMap<string, Target>; readonly after: ReadonlyMap<string, Target> };
  /** Targets that did not render on one side or both. */
  readonly renderProblems: readonly RenderOutcomeChange[];
  readonly yaml: readonly ChangedYaml[];
  /** Dockerfiles and Python dependency files of both sides (complete, not only changed ones). */
  readonly buildFiles: { readonly before: readonly BuildFile[]; readonly after: readonly BuildFile[] };
  /** All paths of the change. */
  readonly changedPaths: ReadonlySet<string>;
  /** Kubernetes version of the cluster of a target: live, else configured; undefined when unknown. `1.34` or `1.34.3`. */
  kubernetesVersion(target: Target): string | undefined;
  isProduction(target: Target): boolean;
  readonly notEvaluated: readonly NotEvaluated[];
}

/** What a rule yields. The engine adds id, score, fingerprint and defaults. */
export interface Problem {
  readonly resource: ResourceRef;
  /** Id of the target; '' for a file that no target holds. */
  readonly target: string;
  /** Pointer into the object, with keys for keyed lists; for files `line:12` or ''. */
  readonly path: string;
  /** One or two sentences in the field's words: what will happen and why. No advice; that is `fix`. */
  readonly message: string;
  readonly evidence?: Evidence;
  /** Defaults: the rule's base severity, confidence, reversibility; novelty `introduced`. */
  readonly severity?: Severity;
  readonly confidence?: Confidence;
  readonly reversibility?: Reversibility;
  readonly novelty?: Novelty;
  /** Concrete fix for this case; default: the rule's `docs.fix`. */
  readonly fix?: string;
  readonly location?: SourceLocation;
  /** Overrides the blast radius that the score derives from the resource. 0..1. */
  readonly blast?: { readonly value: number; readonly reason: string };
  /** The API server will refuse the object. */
  readonly willNotApply?: boolean;
  /** Problems with the same key have one root cause and count once. Default: rule + resource. */
  readonly rootCause?: string;
}

/** An answer of the API server in an example. */
export interface ExampleDryRun extends Omit<DryRunAnswer, 'id' | 'warnings'> {
  /** `Kind/name` or `Kind/namespace/name`. */
  readonly resource: string;
  /** Default: the object itself. */
  readonly of?: 'object' | 'pod';
  readonly warnings?: readonly string[];
}

/** A case that a rule reports, or its twin that stays quiet. Run as a test, printed in the docs and by `gate explain`. */
export interface RuleExample {
  readonly name: string;
  /** Multi-document YAML of the rendered objects. Absent: nothing. */
  readonly before?: string;
  readonly after?: string;
  /** Live objects (with status), and optionally a ClusterSnapshot header document. */
  readonly live?: string;
  /** Files of the tree by path: Dockerfiles, requirements, raw YAML. */
  readonly files?: {
    readonly before?: Readonly<Record<string, string>>;
    readonly after?: Readonly<Record<string, string>>;
  };
  /** Overrides of the target that holds the objects (apply semantics, environment, kubeVersion). */
  readonly target?: Partial<Target>;
  /** The target exists on this side only. Default: on both. */
  readonly targetOnly?: Side;
  /** A second target of the same cluster, with its objects; a side without text does not have it. */
  readonly other?: { readonly target: Partial<Target>; readonly before?: string; readonly after?: string };
  /** Further targets of each side, without objects: for rules about what declares targets. */
  readonly moreTargets?: { readonly before?: readonly Partial<Target>[]; readonly after?: readonly Partial<Target>[] };
  readonly renderProblem?: { readonly before?: RenderProblem; readonly after?: RenderProblem };
  readonly options?: Readonly<Record<string, unknown>>;
  /** What the API server answers to a dry run of changed objects, or of pods of their templates. */
  readonly dryRun?: readonly ExampleDryRun[];
  /** What must be reported; [] = quiet. Only the named fields are compared. Count and order matter. */
  readonly expect: readonly {
    /** `Kind/name` or `Kind/namespace/name`. */
    readonly resource?: string;
    readonly path?: string;
    readonly severity?: Severity;
    readonly confidence?: Confidence;
    readonly novelty?: Novelty;
    readonly willNotApply?: boolean;
    /** Must occur in the message. */
    readonly message?: string;
  }[];
}

export interface Rule {
  /** As in rules.json; never changes. */
  readonly id: string;
  /** First version that has it. */
  readonly since: string;
  readonly family: string;
  readonly title: string;
  readonly severity: Severity;
  readonly reversibility: Reversibility;
  readonly confidence: Confidence;
  readonly needs: Need;
  /** Kinds it looks at (`apps/Deployment`, `/Service`), for docs and for coverage of snapshots. */
  readonly kinds: readonly string[];
  /**
   * Kinds of which the live objects are evidence for it (`/Node`, `apps/Deployment`, `/Pod` for the pods of workloads,
   * `helm/Release` for release records), beside those of the changed objects themselves. Only these are read from a
   * cluster; a test holds each rule to its list. [] = it takes none.
   */
  readonly live: readonly string[];
  /** Further kinds that one change makes it ask for: the custom resources of a definition that is deleted. */
  readonly liveOf?: (change: ResourceChange) => readonly string[];
  /**
   * It says in general what other rules say in particular: its finding is left out where another one of the same root
   * cause and object proves that the object will not apply.
   */
  readonly general?: true;
  /** One sentence for lists. */
  readonly summary: string;
  readonly docs: {
    /** What goes wrong and how; cites the Kubernetes behaviour. Markdown. */
    readonly why: string;
    /** The general fix. One paragraph. */
    readonly fix: string;
    /** When the finding may be ignored or waived. */
    readonly ignoreWhen: string;
  };
  readonly references: readonly string[];
  /** typebox schema of the options, with defaults. */
  readonly options: TSchema;
  readonly examples: readonly RuleExample[];
  readonly check: (context: RuleContext<never>) => Iterable<Problem>;
}

/**
 * Declares a rule. Only checks types; `scripts/generate.ts` finds the file.
 * `check` is pure: no I/O, no clock, no environment.
 */
export function defineRule<Options = Record<string, unknown>>(
  rule: Omit<Rule, 'check'> & { readonly check: (context: RuleContext<Options>) => Iterable<Problem> },
): Rule {
  return rule;
}

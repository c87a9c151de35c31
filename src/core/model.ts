import type { SourceLocation } from './errors.ts';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** A Kubernetes object as it would be sent to the API server. Secret values are already redacted. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    [field: string]: unknown;
  };
  [field: string]: unknown;
}

/** Identity of an object. `group` is '' for the core group; `namespace` is absent for cluster-scoped kinds. */
export interface ResourceRef {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

export type Engine = 'argocd' | 'flux' | 'helm' | 'kustomize' | 'plain';
export type Side = 'before' | 'after';

// ---------------------------------------------------------------------------------------------
// Targets: what is deployed as one unit
// ---------------------------------------------------------------------------------------------

/** A chart inside the tree, or one that has to be fetched. */
export type ChartRef =
  | { readonly from: 'tree'; readonly path: string }
  /** `url` of a chart repository as written (`https://…`), `version` exact or a semver range, '' for the newest. */
  | { readonly from: 'repository'; readonly url: string; readonly name: string; readonly version: string }
  /** `url` is `oci://host/path/chart`, without tag. */
  | { readonly from: 'oci'; readonly url: string; readonly version: string; readonly digest?: string }
  /** A chart in another Git repository: listed as not evaluated unless a mirror folder is configured. */
  | { readonly from: 'git'; readonly url: string; readonly revision: string; readonly path: string };

/** One layer of Helm values; later layers win. */
export type ValuesLayer =
  | { readonly kind: 'file'; readonly path: string; readonly optional?: boolean }
  /** Inline values. `label` says where they stand, for messages: "spec.source.helm.valuesObject". */
  | { readonly kind: 'inline'; readonly values: JsonObject; readonly label: string }
  /** Inline values kept as the YAML text that the user wrote (Argo CD passes the text on unchanged). */
  | { readonly kind: 'text'; readonly yaml: string; readonly label: string }
  /** A file of the operator outside the tree (absolute path). */
  | { readonly kind: 'external'; readonly path: string }
  /** Values in something that cannot be read offline (a Secret in the cluster, an encrypted file). */
  | { readonly kind: 'unavailable'; readonly label: string; readonly optional: boolean };

export interface SetValue {
  readonly name: string;
  readonly value: string;
  readonly type: 'set' | 'set-string' | 'set-file' | 'set-json' | 'set-literal';
}

export interface HelmSource {
  readonly type: 'helm';
  readonly chart: ChartRef;
  readonly release: string;
  readonly namespace?: string;
  readonly values: readonly ValuesLayer[];
  /** Values files that the chart itself names (Flux `chart.spec.valuesFiles`): relative to the chart's source root; replace values.yaml. */
  readonly chartValuesFiles?: { readonly files: readonly string[]; readonly ignoreMissing: boolean };
  readonly set: readonly SetValue[];
  readonly includeCrds: boolean;
  readonly skipTests?: boolean;
  readonly skipSchemaValidation?: boolean;
  /** Render as an upgrade (`--is-upgrade`), as Flux and plain Helm do for a release that exists. */
  readonly isUpgrade?: boolean;
  readonly kubeVersion?: string;
  readonly apiVersions?: readonly string[];
  /** Flux `postRenderers[].kustomize`, applied in order to the rendered output. */
  readonly postRenderers?: readonly KustomizePatchSet[];
}

/** `patches` and `images` as a kustomization.yaml holds them. */
export interface KustomizePatchSet {
  readonly patches: readonly JsonObject[];
  readonly images: readonly JsonObject[];
}

/** Argo CD's `spec.source.kustomize`, applied by editing a copy of the kustomization, in Argo CD's order. */
export interface ArgoKustomizeEdits {
  readonly namePrefix?: string;
  readonly nameSuffix?: string;
  readonly images?: readonly string[];
  readonly replicas?: readonly { readonly name: string; readonly count: string | number }[];
  readonly commonLabels?: Readonly<Record<string, string>>;
  readonly labelWithoutSelector?: boolean;
  readonly labelIncludeTemplates?: boolean;
  readonly forceCommonLabels?: boolean;
  readonly commonAnnotations?: Readonly<Record<string, string>>;
  readonly forceCommonAnnotations?: boolean;
  readonly namespace?: string;
  readonly patches?: readonly JsonObject[];
  readonly components?: readonly string[];
  readonly ignoreMissingComponents?: boolean;
}

/** Flux `Kustomization.spec` fields that change the kustomization before it is built. */
export interface FluxKustomizeEdits {
  readonly targetNamespace?: string;
  readonly namePrefix?: string;
  readonly nameSuffix?: string;
  readonly patches?: readonly JsonObject[];
  readonly components?: readonly string[];
  readonly ignoreMissingComponents?: boolean;
  readonly images?: readonly JsonObject[];
  /** gitignore-style patterns of the source that hide files (`spec.ignore`, `.sourceignore` is read from the tree). Undefined: Flux's defaults. */
  readonly ignore?: string;
}

export interface KustomizeSource {
  readonly type: 'kustomize';
  readonly path: string;
  readonly argocd?: ArgoKustomizeEdits;
  readonly flux?: FluxKustomizeEdits;
  /** Files outside the kustomization root may be read (Flux: always). */
  readonly loadRestrictions: 'root-only' | 'none';
  /** `--enable-helm`; only when the operator configured it. */
  readonly enableHelm: boolean;
  /** Generate a kustomization when there is none (Flux). */
  readonly generate: boolean;
}

export interface ManifestsSource {
  readonly type: 'manifests';
  /** A file or a directory of the tree. */
  readonly path: string;
  readonly recurse: boolean;
  /** Argo CD globs (`*` also matches `/`), tested on the path below `path`; exclude first. */
  readonly include?: string;
  readonly exclude?: string;
  /** `argocd`: YAML that does not parse is an error only if it looks like a manifest. */
  readonly rules: 'argocd' | 'plain';
}

/** A source that gate cannot render: always ends up in `coverage.notEvaluated`. */
export interface UnsupportedSource {
  readonly type: 'unsupported';
  readonly reason: string;
  readonly next?: string;
}

export type RenderSource = HelmSource | KustomizeSource | ManifestsSource | UnsupportedSource;

/** What the engine does to the rendered objects before it applies them. */
export interface AfterRender {
  /** Namespace for namespaced objects that name none (Argo CD `destination.namespace`, Helm release namespace). */
  readonly defaultNamespace?: string;
  /** Flux postBuild; absent: no substitution. */
  readonly substitute?: {
    readonly vars: Readonly<Record<string, string>>;
    /** An undefined variable is an error (default from kustomize-controller 1.9). */
    readonly strict: boolean;
    /** Sources of variables that could not be read offline, non-optional ones first named in the report. */
    readonly missing: readonly { readonly label: string; readonly optional: boolean }[];
    /** `substituteStrategy: Always`: also without variables. */
    readonly always: boolean;
  };
  /** Flux commonMetadata: overrides labels and annotations of every object. */
  readonly commonMetadata?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  /** A Namespace that the engine creates though no manifest holds it (Argo CD CreateNamespace with managedNamespaceMetadata). */
  readonly createNamespace?: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/** How the engine applies: decides what a removed field or object means (rules.md 0.7). */
export interface ApplySemantics {
  readonly mode: 'client-side' | 'server-side' | 'helm';
  /** Are objects deleted that left the render? `unknown` for engines without a declaration. */
  readonly prune: boolean | 'unknown';
  readonly automated: boolean | 'unknown';
  readonly selfHeal?: boolean;
  readonly force?: boolean;
  readonly replace?: boolean;
  readonly suspended?: boolean;
  readonly allowEmpty?: boolean;
  /** Raw `syncOptions` of Argo CD. */
  readonly syncOptions?: readonly string[];
  readonly ignoreDifferences?: readonly JsonObject[];
  /** Ids of targets that must be ready first (Flux dependsOn). */
  readonly dependsOn?: readonly string[];
  /**
   * What happens to its objects when the declaration of the target goes away: Argo CD deletes them only with the
   * resources finalizer; `keeps-target`: the declaration itself stays in the cluster (ApplicationSet `applicationsSync:
   * create-only | create-update`). Absent: not known.
   */
  readonly onRemoval?: 'deletes-objects' | 'keeps-objects' | 'keeps-target';
}

/** One unit of deployment: an Application, a Kustomization, a HelmRelease, a chart with its values, an overlay, a folder. */
export interface Target {
  /** Unique on a side and equal on both sides for the same unit: `argocd:argocd/shop`, `helm:charts/shop@envs/prod`. */
  readonly id: string;
  /** Short name for people. */
  readonly name: string;
  readonly engine: Engine;
  readonly environment?: string;
  readonly cluster?: string;
  /**
   * Objects of targets with the same scope live in the same cluster and are joined by rules.
   * Cluster name, else environment, else (engine-managed) 'default', else the id itself.
   */
  readonly scope: string;
  /** Where it is declared: file of the tree; for rendered declarations the file of the outermost parent. */
  readonly origin: SourceLocation;
  /** The engine object that declares it, when there is one. */
  readonly declaredBy?: ResourceRef;
  /** Ids of the targets that rendered this one, outermost first. */
  readonly parents: readonly string[];
  readonly sources: readonly RenderSource[];
  readonly afterRender: AfterRender;
  readonly apply: ApplySemantics;
  /**
   * Tree paths that its rendering reads: files, or directories with a trailing `/`.
   * `unknown`: cannot be told, so it is always rendered.
   */
  readonly inputs: readonly string[] | 'unknown';
  /** It renders (or may render) Applications, Kustomizations or HelmReleases, so its children depend on it. */
  readonly rendersTargets: boolean;
  /** Set when the pull request cannot reach it, for example an Application pinned to a tag: the reason, for people. */
  readonly unaffectedBecause?: string;
  /** Tool lines wanted by this target: exact versions. Absent: the default line. */
  readonly tools?: { readonly helm?: string; readonly kustomize?: string };
  readonly kubeVersion?: string;
  readonly apiVersions?: readonly string[];
}

/** Something that gate knows to exist and did not look at. */
export interface NotEvaluated {
  readonly what: string;
  /** Id of the target, when it is one. */
  readonly target?: string;
  readonly reason: string;
  readonly location?: SourceLocation;
  /** What the reader can do about it. */
  readonly next?: string;
  /**
   * `incomplete`: the verdict cannot be trusted without it (a target of this change did not render).
   * `note`: outside the change or of minor weight; listed, does not change the verdict.
   */
  readonly weight: 'incomplete' | 'note';
}

/** What discovery found on one side. */
export interface Discovery {
  readonly targets: readonly Target[];
  readonly notEvaluated: readonly NotEvaluated[];
  /** Every generator object (ApplicationSet) with what it made, also when that is nothing. */
  readonly expansions?: readonly Expansion[];
}

/** What an ApplicationSet generates on one side. Zero is legal, and deletes every Application of the set. */
export interface Expansion {
  readonly declaredBy: ResourceRef;
  readonly location: SourceLocation;
  /** Ids of the targets that it generated. */
  readonly targets: readonly string[];
  /** False: a generator or an element could not be expanded (listed in notEvaluated), so there may be more. */
  readonly complete: boolean;
}

// ---------------------------------------------------------------------------------------------
// Rendered objects
// ---------------------------------------------------------------------------------------------

export interface Provenance {
  /** Chart template (`shop/templates/deployment.yaml`), as Helm's `# Source:` comment says. */
  readonly template?: string;
  /** File of the tree that holds the object or its template, when known. */
  readonly file?: string;
  readonly line?: number;
}

/** A literal duplicate mapping key in a document: the API server never sees the first value. */
export interface DuplicateKey {
  readonly path: string;
  readonly key: string;
  readonly lines: readonly [number, number];
  readonly location?: SourceLocation;
}

export interface Manifest {
  readonly ref: ResourceRef;
  readonly object: KubeObject;
  readonly provenance: Provenance;
  readonly duplicateKeys?: readonly DuplicateKey[];
  /** Paths whose value differs between two renders of the same input (randAlphaNum, now, genCA). */
  readonly nondeterministic?: readonly string[];
  /** Helm or Argo CD hook phases (`pre-install`, `PreSync`): applied at the side, not part of the desired state. */
  readonly hook?: readonly string[];
}

export type RenderResult =
  | {
      readonly ok: true;
      readonly target: Target;
      readonly manifests: readonly Manifest[];
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly target: Target; readonly problem: RenderProblem };

export interface RenderProblem {
  /** `render`: the change's fault (template error). `missing-input`: chart or values unreachable. `limit`: timeout or output limit. `unsupported`, `tool`: ours. */
  readonly kind: 'render' | 'missing-input' | 'limit' | 'unsupported' | 'tool';
  readonly message: string;
  readonly location?: SourceLocation;
  readonly next?: string;
  /** It may well be there: gate does not get at it from here (no network, another repository, a Secret). */
  readonly unreachable?: true;
}

// ---------------------------------------------------------------------------------------------
// Changes
// ---------------------------------------------------------------------------------------------

/** What a changed field does to the cluster, in rising order of weight. */
export const impacts = ['none', 'metadata', 'configuration', 'restart', 'disruption', 'replace', 'data-loss'] as const;
export type Impact = (typeof impacts)[number];

/** Who caused a difference. Drift and a moved base are reported apart and never gate. */
export type Attribution = 'change' | 'drift' | 'base-moved';

export interface FieldChange {
  /** JSON pointer with keys for keyed lists: `/spec/template/spec/containers/app/image`. */
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
  readonly live?: unknown;
  readonly impact: Impact;
  readonly attribution: Attribution;
  /** A generated value (checksum annotation): counts for the impact, left out of printed diffs. */
  readonly cosmetic?: true;
  /** The cluster holds neither the old nor the new value: applying this change overwrites what somebody set there. */
  readonly conflict?: true;
  /** Field manager that owns the live value, as the API server recorded it: `kubectl-edit`. */
  readonly by?: string;
}

export interface ResourceChange {
  readonly action: 'added' | 'removed' | 'changed' | 'renamed';
  readonly ref: ResourceRef;
  /** For `renamed`: the identity that goes away. */
  readonly previousRef?: ResourceRef;
  /** For an object that moved to another target in this change: where it was. */
  readonly movedFrom?: string;
  /** Id of the target. */
  readonly target: string;
  readonly before?: Entry;
  readonly after?: Entry;
  readonly live?: KubeObject;
  readonly fields: readonly FieldChange[];
  readonly impact: Impact;
  /** Why the impact is higher than the fields alone: "ConfigMap shop/app changed and its hash is part of the name". */
  readonly because?: readonly string[];
}

/** An object of a side together with where it comes from. */
export interface Entry {
  readonly ref: ResourceRef;
  /** As rendered. */
  readonly object: KubeObject;
  /** With the API server's defaults filled in (rules.md 0.3): compare this one. */
  readonly effective: KubeObject;
  readonly target: Target;
  readonly provenance: Provenance;
  readonly duplicateKeys?: readonly DuplicateKey[];
  /** As {@link Manifest.nondeterministic}. */
  readonly nondeterministic?: readonly string[];
  readonly hook?: readonly string[];
}

// ---------------------------------------------------------------------------------------------
// Files that are not manifests: Dockerfiles and Python dependency files
// ---------------------------------------------------------------------------------------------

export interface BuildFile {
  readonly path: string;
  /**
   * `python-lock`: poetry.lock, uv.lock, pdm.lock, Pipfile.lock. `python-version`: .python-version.
   * `python-source`: application modules, and setup.py.
   */
  readonly type:
    | 'dockerfile'
    | 'requirements'
    | 'pyproject'
    | 'setup-cfg'
    | 'python-source'
    | 'python-lock'
    | 'python-version';
  readonly text: string;
}

// ---------------------------------------------------------------------------------------------
// Findings, score, report
// ---------------------------------------------------------------------------------------------

export const severities = ['critical', 'high', 'medium', 'low'] as const;
export type Severity = (typeof severities)[number];
/** Only `introduced` and `worsened` can gate. */
export type Novelty = 'introduced' | 'worsened' | 'touched-preexisting' | 'untouched-preexisting';
export type Confidence = 'proven' | 'determined' | 'likely' | 'hint';
export type Reversibility = 'instant' | 'slow' | 'hard' | 'irreversible';
export type Verdict = 'pass' | 'comment' | 'approval' | 'block' | 'incomplete';

export interface Evidence {
  readonly before?: Json;
  readonly after?: Json;
  readonly live?: Json;
  /** Further facts, one sentence each: the arithmetic, the loop, the searched places. */
  readonly facts?: readonly string[];
  /** What evidence would move the judgement: "with >= 2 ready endpoints on 2 nodes this becomes high". */
  readonly wouldChange?: string;
}

export interface Waiver {
  readonly rule: string;
  /** Glob on `Kind/namespace/name`. */
  readonly resource: string;
  /** Glob on the target id or name. */
  readonly target?: string;
  readonly reason: string;
  readonly owner: string;
  /** ISO date; in force through that day. */
  readonly expires: string;
}

/**
 * Somebody's decision about one finding in one state of its object. `approve` answers the verdict `approval`; `waive` is
 * the way around a `block`, and ends. Standing exceptions are {@link Waiver}s in gate.yaml.
 */
export interface Approval {
  readonly kind: 'approve' | 'waive';
  /** {@link Finding.fingerprint}. */
  readonly finding: string;
  readonly ruleId: string;
  readonly resource: ResourceRef;
  readonly target: string;
  /** {@link Finding.objectDigest} that was looked at. */
  readonly digest: string;
  /** What the finding had then: a graver one was not approved. */
  readonly severity: Severity;
  /** Login or name. */
  readonly by: string;
  readonly reason: string;
  /** ISO time. */
  readonly at: string;
  /** Of `waive`, YYYY-MM-DD: in force through that day, UTC; at most 30 days after `at`. */
  readonly expires?: string;
  /** Where it was said. */
  readonly url?: string;
}

/** What became of an approval, or of a comment that wanted to be one. */
export interface ApprovalOutcome {
  readonly kind: 'approve' | 'waive' | 'invalid';
  /** Fingerprint, or what the comment named; '' when it named nothing. */
  readonly finding: string;
  readonly by: string;
  readonly at: string;
  readonly reason?: string;
  readonly expires?: string;
  readonly url?: string;
  readonly inForce: boolean;
  /** Why it is not in force. No full stop. */
  readonly why?: string;
}

/** What people decided about the findings of a run. */
export interface Decisions {
  readonly approvals: readonly Approval[];
  /** Comments that wanted to be an approval and are none. */
  readonly refused: readonly ApprovalOutcome[];
  /** Who wrote the change: may not decide about it. */
  readonly author?: string;
}

/** The line of the new side that makes a finding what it is. */
export interface Cause {
  /** Relative to the root of the tree. */
  readonly file: string;
  /** 1-based. Where lines were only removed: the line that stands there now. */
  readonly line: number;
  /** Last line, when it is more than one. */
  readonly endLine?: number;
  /**
   * `exact`: the finding is about this changed line. `counterfactual`: without this part of the change the finding is not
   * there, or weaker. `nearest`: the changed line nearest to the one that the finding is about, which did not change.
   */
  readonly how: 'exact' | 'counterfactual' | 'nearest';
}

/** The search for causes, which renders targets again with parts of the change left out. */
export interface CauseSummary {
  /** Findings whose cause was looked for, and those for which a line was found. */
  readonly findings: number;
  readonly found: number;
  /** Parts of the change that were left out, each for one render of one target. */
  readonly renders: number;
  readonly seconds: number;
  /** False: the limit of renders or of time was reached, so some findings have no line for that reason. */
  readonly complete: boolean;
}

export interface Finding {
  readonly ruleId: string;
  readonly title: string;
  readonly severity: Severity;
  readonly novelty: Novelty;
  readonly confidence: Confidence;
  readonly reversibility: Reversibility;
  /** f of rules.md 4.1, 0..100, two decimals; print one. */
  readonly score: number;
  /** `85.5 = 100 x critical 1.0 x blast 1.00 x determined 0.9 x hard 0.95`. */
  readonly arithmetic: string;
  readonly blast: { readonly value: number; readonly reason: string };
  readonly resource: ResourceRef;
  readonly target: string;
  readonly environment?: string;
  readonly path: string;
  readonly message: string;
  readonly evidence: Evidence;
  readonly location?: SourceLocation;
  readonly fingerprint: string;
  readonly fix: string;
  /** The API server will reject it: a correctness verdict, whatever the score is. */
  readonly willNotApply: boolean;
  /** Findings of one root cause count once. */
  readonly group: string;
  readonly waived?: Waiver;
  /**
   * State that an approval is bound to: digest of the object on the after side; of all that its target renders where the
   * object is gone or stands for the whole target. Absent: it is not known, so the finding cannot be approved.
   */
  readonly objectDigest?: string;
  /** Somebody answers for it: it does not count. */
  readonly approved?: Approval;
  /** Changed files that the target reads, when `location` is none of them: usually the values file. */
  readonly changedIn?: readonly string[];
  /** Only when it was looked for, and found. */
  readonly cause?: Cause;
  /** The same finding in other targets, folded into this one. */
  readonly alsoIn?: readonly string[];
}

export interface Score {
  /** T, 0..100, one decimal. */
  readonly total: number;
  readonly arithmetic: string;
  /** Version of the weights, so that a report can be compared with an older one. */
  readonly version: string;
  /** Floors and caps that applied, in words. */
  readonly notes: readonly string[];
}

export interface TargetCoverage {
  readonly id: string;
  readonly name: string;
  readonly engine: Engine;
  readonly environment?: string;
  readonly cluster?: string;
  /** `rendered`: both sides looked at. `unaffected`: the change cannot reach it. `not-evaluated`: see notEvaluated. */
  readonly status: 'rendered' | 'unaffected' | 'not-evaluated';
  readonly reason: string;
  readonly objects?: number;
  /** Of everything that the target renders on the after side, see `core/digest.ts`; absent where it did not render there. */
  readonly digest?: string;
}

export interface DriftEntry {
  readonly ref: ResourceRef;
  readonly target: string;
  /**
   * `fields`: the live object differs. `missing`: Git has the object, the cluster does not. `deleting`: it waits for its
   * finalizers. `foreign`: the live object belongs to another application, so its fields are not compared.
   */
  readonly kind: 'fields' | 'missing' | 'deleting' | 'foreign';
  /** Of kind `fields` only. `before` is what Git has, `live` what the cluster has. */
  readonly fields: readonly FieldChange[];
  /** What there is to say beside the fields: who owns the object, what holds it. No full stop. */
  readonly reason?: string;
  /** Admission that changes objects of this kind and may be the cause: `MutatingWebhookConfiguration/mirror`. */
  readonly mayBe?: readonly string[];
}

export interface DryRunSummary {
  /** Requests sent: objects, and pods of their templates. */
  readonly asked: number;
  readonly accepted: number;
  readonly rejected: number;
  /** The server gave no judgement; each is in `coverage.notEvaluated`. */
  readonly unknown: number;
  readonly seconds: number;
}

export interface GateReport {
  readonly schemaVersion: '1';
  readonly verdict: Verdict;
  /** One sentence: why this verdict. */
  readonly reason: string;
  readonly score: Score;
  readonly findings: readonly Finding[];
  readonly changes: readonly ResourceChange[];
  readonly drift: readonly DriftEntry[];
  readonly coverage: { readonly targets: readonly TargetCoverage[]; readonly notEvaluated: readonly NotEvaluated[] };
  readonly sides: { readonly before: string; readonly after: string };
  /** The clusters that gave evidence. */
  readonly clusters: readonly {
    readonly name: string;
    readonly source: 'live' | 'snapshot';
    readonly takenAt?: string;
    readonly ageSeconds?: number;
    readonly kubernetesVersion?: string;
  }[];
  /** What the API servers said to the changed objects, when they were asked. */
  readonly dryRun?: DryRunSummary;
  readonly tools: readonly { readonly name: string; readonly version: string }[];
  readonly policyDigest: string;
  readonly waiversInForce: readonly Waiver[];
  /** Absent: nobody was asked. */
  readonly approvals?: readonly ApprovalOutcome[];
  readonly durationSeconds: number;
  /** Tool processes that this run started, and renders that came from the cache. */
  readonly work: {
    readonly helmRuns: number;
    readonly kustomizeRuns: number;
    readonly cacheHits: number;
    /** What the search for causes took of that; absent: the run did not look for them. */
    readonly causes?: CauseSummary;
  };
}

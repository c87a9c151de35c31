import type { SourceLocation } from './errors.ts';
import type { JsonObject, ResourceRef, Engine } from './object.ts';

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

import type { SourceLocation } from './errors.ts';
import type { KubeObject, ResourceRef } from './object.ts';
import type { Target } from './target.ts';

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

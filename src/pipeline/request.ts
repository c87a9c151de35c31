import type { Config } from '../core/config.ts';
import type { ClusterState } from '../core/cluster.ts';
import type { Decisions, GateReport, NotEvaluated, RenderResult, Target } from '../core/model.ts';
import type {
  Clock,
  Cluster,
  Git,
  GoTemplate,
  OverlayLimits,
  Progress,
  Renderer,
  Tree,
  TreeOverlay,
  TreePair,
  TreeRequest,
} from '../core/ports.ts';
import type { Rule } from '../core/rule.ts';
import type { DecisionsInput } from './approvals.ts';
import type { CauseLimits } from './cause/limits.ts';

/** What is asked of one run. */
export interface GateRequest {
  readonly trees: TreeRequest;
  /** Only targets of this environment. */
  readonly environment?: string;
  /** Globs on target ids and names; empty: all. */
  readonly targets: readonly string[];
  /** Render every target, also those that the change cannot reach. */
  readonly all: boolean;
  readonly onIncomplete: 'fail' | 'warn';
  /** Stop after selecting targets: the report holds the coverage ledger only. */
  readonly listOnly?: boolean;
  /** Take only version and APIs from the clusters. */
  readonly capabilitiesOnly?: boolean;
  /** Ask the API server what it would do with each changed object, and, apart, with a pod of each changed template. */
  readonly dryRun?: { readonly objects: boolean; readonly pods: boolean };
  /** Find the lines that cause the findings, within these limits; it renders targets again. */
  readonly causes?: Partial<CauseLimits>;
}

/** The outside world, chosen in `wire.ts`. */
export interface GatePorts {
  readonly git: Git;
  /** Configuration of the operator or of the base side; notes say what was read and what was ignored. */
  loadConfig(trees: TreePair): { readonly config: Config; readonly notes: readonly string[] };
  createRenderer(config: Config): Renderer;
  createGoTemplate(config: Config): GoTemplate;
  /** Clusters and snapshots that give evidence; none: judged by Git alone. The configuration may name them. */
  createClusters(config: Config): readonly Cluster[];
  /**
   * Adds what monitoring knows to the state of a cluster; undefined: there is none. Never throws. With `several` it is
   * asked for other clusters of this run, too.
   */
  createMetrics(
    config: Config,
  ):
    | ((
        state: ClusterState,
        several?: boolean,
      ) => Promise<{ readonly state: ClusterState; readonly notEvaluated: readonly NotEvaluated[] }>)
    | undefined;
  /** Copies what the paths hold; undefined: more than the limits allow. Absent: causes are found by provenance only. */
  readonly copyTree?: (tree: Tree, paths: readonly string[], limits: OverlayLimits) => TreeOverlay | undefined;
  /**
   * What people decided about the findings of this run. Absent: nobody is asked.
   * @throws GateError when it cannot be told; nothing is approved then
   */
  readonly decisions?: (input: DecisionsInput) => Promise<Decisions>;
  readonly clock: Clock;
  readonly progress: Progress;
  readonly rules: readonly Rule[];
  /** Key of the fingerprints that stand for secrets; the same as for rendered objects and the cluster. */
  readonly redactKey: Uint8Array;
}

export interface GateResult {
  readonly report: GateReport;
  /** Every target of the new side, looked at or not. */
  readonly targets: readonly Target[];
  /** Everything that was rendered, for `gate diff` and `gate render`. */
  readonly rendered: { readonly before: readonly RenderResult[]; readonly after: readonly RenderResult[] };
}

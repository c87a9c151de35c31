import type { Config } from '../../core/config.ts';
import type { ClusterState } from '../../core/cluster.ts';
import type { Side, Target } from '../../core/model.ts';
import type { GoTemplate, Tree } from '../../core/ports.ts';

/** What Flux discovery needs to know besides the objects. */
export interface FluxContext {
  readonly tree: Tree;
  readonly side: Side;
  readonly config: Config;
  /** URLs under which this repository is known: git remotes and `repositoryUrls`. */
  readonly remotes: readonly string[];
  /** Branches that the change goes to; empty when unknown. */
  readonly branches: readonly string[];
  /** Objects of the clusters at hand, with the Secrets among them. */
  readonly cluster?: Pick<ClusterState, 'objects'>;
  /** Not used here: the shape is shared with Argo CD discovery. */
  readonly goTemplate?: GoTemplate;
  /** Targets of this side found so far. Not used here. */
  readonly known?: readonly Target[];
}

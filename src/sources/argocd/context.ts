import type { Config } from '../../core/config.ts';
import type { ClusterState } from '../../core/cluster.ts';
import type { Side, Target } from '../../core/model.ts';
import type { GoTemplate, Tree } from '../../core/ports.ts';

/** What Argo CD discovery needs to know besides the objects. */
export interface ArgoContext {
  readonly tree: Tree;
  readonly side: Side;
  readonly config: Config;
  /** URLs under which this repository is known: git remotes and `repositoryUrls`. */
  readonly remotes: readonly string[];
  /** Branches that the change goes to; empty when unknown. */
  readonly branches: readonly string[];
  /** Objects of the clusters at hand, with the Secrets among them. */
  readonly cluster?: Pick<ClusterState, 'objects'>;
  readonly goTemplate: GoTemplate;
  /**
   * Targets of this side found so far. With them a rendered Application is recognised as one that stands in a plain
   * file, and Applications of the same name in two Argo CD instances keep apart.
   */
  readonly known?: readonly Target[];
}

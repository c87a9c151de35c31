import type { Target } from '../../core/model.ts';
import type { Progress, RenderLimits, Renderer, Tree } from '../../core/ports.ts';
import { discoverSide, type DiscoveryPorts } from '../targets.ts';

const nothing = () => undefined;
const silent: Progress = { start: nothing, advance: nothing, done: nothing, note: nothing };

/** Gives the targets that another version of the new side would declare. */
export type Rediscover = (tree: Tree, limits: RenderLimits) => Promise<ReadonlyMap<string, Target>>;

/**
 * Discovery for variants of the new side: values that stand in an Application or a HelmRelease are part of the target, not
 * of a file that its rendering reads. Clusters are not asked: a target that only they make known is not found.
 */
export function rediscovery(ports: Pick<DiscoveryPorts, 'config' | 'trees' | 'renderer' | 'goTemplate'>): Rediscover {
  return async (tree, limits) => {
    const renderer: Renderer = {
      ...ports.renderer,
      render: (target, of) => ports.renderer.render(target, of, limits),
    };
    const trees = { ...ports.trees, after: tree };
    return (await discoverSide('after', { ...ports, trees, renderer, cluster: undefined, progress: silent })).targets;
  };
}

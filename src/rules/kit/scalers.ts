import type { Entry } from '../../core/model.ts';
import type { World } from '../../core/rule.ts';
import { memo } from './memo.ts';
import { numberAt, stringAt } from './pods.ts';

/** What scales a workload: a HorizontalPodAutoscaler or a KEDA ScaledObject. */
export interface Scaler {
  readonly entry: Entry;
  /** Lower bound with API defaults: HPA `minReplicas` 1, ScaledObject `minReplicaCount` 0. */
  readonly min: number;
  /** Upper bound; ScaledObject default 100. */
  readonly max: number;
  /** Pointers to the two bounds in the scaler. */
  readonly minPath: string;
  readonly maxPath: string;
}

/** Group and kind of the scalers that are understood. */
export const scalerKinds = [
  ['autoscaling', 'HorizontalPodAutoscaler'],
  ['keda.sh', 'ScaledObject'],
] as const;

function key(scope: string, namespace: string | undefined, kind: string, name: string): string {
  return [scope, namespace ?? 'default', kind, name].join('\u0000');
}

/** Bounds of an HPA or ScaledObject; undefined for other objects. */
export function scalerOf(entry: Entry): Scaler | undefined {
  const { group, kind } = entry.ref;
  const object = entry.effective;
  if (group === 'autoscaling' && kind === 'HorizontalPodAutoscaler') {
    const max = numberAt(object, 'spec', 'maxReplicas');
    if (max === undefined) return undefined;
    const min = numberAt(object, 'spec', 'minReplicas') ?? 1;
    return { entry, min, max, minPath: '/spec/minReplicas', maxPath: '/spec/maxReplicas' };
  }
  if (group === 'keda.sh' && kind === 'ScaledObject') {
    const min = numberAt(object, 'spec', 'minReplicaCount') ?? 0;
    const max = numberAt(object, 'spec', 'maxReplicaCount') ?? 100;
    return { entry, min, max, minPath: '/spec/minReplicaCount', maxPath: '/spec/maxReplicaCount' };
  }
  return undefined;
}

/** Kind and name of the workload that a scaler is bound to. */
export function scaleTarget(entry: Entry): { readonly kind: string; readonly name: string } | undefined {
  const name = stringAt(entry.effective, 'spec', 'scaleTargetRef', 'name');
  if (name === undefined) return undefined;
  // KEDA: "kind" is optional and means Deployment.
  return { kind: stringAt(entry.effective, 'spec', 'scaleTargetRef', 'kind') ?? 'Deployment', name };
}

const scalersOfWorld = memo((world: World): ReadonlyMap<string, Scaler> => {
  const built = new Map<string, Scaler>();
  for (const [group, kind] of scalerKinds) {
    for (const entry of world.ofKind(group, kind)) {
      const scaler = scalerOf(entry);
      const target = scaleTarget(entry);
      if (scaler !== undefined && target !== undefined)
        built.set(key(entry.target.scope, entry.ref.namespace, target.kind, target.name), scaler);
    }
  }
  return built;
});

/** The scaler bound to this workload on this side. */
export function scalerFor(world: World, workload: Entry): Scaler | undefined {
  const { kind, name, namespace } = workload.ref;
  return scalersOfWorld(world).get(key(workload.target.scope, namespace, kind, name));
}

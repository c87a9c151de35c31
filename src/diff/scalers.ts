import { groupOf } from '../core/json.ts';
import type { Entry, KubeObject } from '../core/model.ts';
import { type Fields, isFields, own } from './defaults/fill.ts';

/** Who scales a workload, by `namespace/Kind/name`: `HorizontalPodAutoscaler/api`. */
export type Scalers = ReadonlyMap<string, string>;

/**
 * HorizontalPodAutoscalers and KEDA ScaledObjects, live and rendered. `spec.replicas` of what they scale is theirs.
 * A ScaledObject names a Deployment unless it says otherwise (keda apis/keda/v1alpha1 ScaleTarget).
 */
export function indexScalers(live: readonly KubeObject[], entries: readonly Entry[]): Scalers {
  const scalers = new Map<string, string>();
  const add = (object: KubeObject, namespace: string | undefined): void => {
    const spec = own(object, 'spec');
    const target = isScaler(object) && isFields(spec) ? own(spec, 'scaleTargetRef') : undefined;
    if (!isFields(target) || typeof own(target, 'name') !== 'string') return;
    const kind = own(target, 'kind') ?? 'Deployment';
    scalers.set(`${namespace ?? ''}/${String(kind)}/${String(own(target, 'name'))}`, nameOf(object));
  };
  for (const { object, ref } of entries) add(object, ref.namespace);
  for (const object of live) add(object, object.metadata.namespace);
  return scalers;
}

function isScaler({ apiVersion, kind }: KubeObject): boolean {
  const group = groupOf(apiVersion);
  return (
    (kind === 'HorizontalPodAutoscaler' && group === 'autoscaling') || (kind === 'ScaledObject' && group === 'keda.sh')
  );
}

function nameOf(object: Fields & KubeObject): string {
  return `${object.kind}/${object.metadata.name}`;
}

/** Who scales this object; undefined: nobody that is known. */
export function scalerOf({ ref }: Entry, scalers: Scalers): string | undefined {
  return scalers.get(`${ref.namespace ?? ''}/${ref.kind}/${ref.name}`);
}

import type { KubeObject } from '../../core/model.ts';
import { at, numberAt, stringAt } from './pods.ts';

/** How many pods a rolling update may add and take away at the same time. */
export interface RolloutPace {
  readonly surge: number;
  readonly unavailable: number;
}

function share(value: unknown, pods: number, round: (value: number) => number): number {
  if (typeof value === 'number') return value;
  const percent = typeof value === 'string' ? /^(\d{1,6})%$/.exec(value) : null;
  if (percent !== null) return round((Number(percent[1]) * pods) / 100);
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : 0;
}

/**
 * Pace of a workload with API defaults (rules.md 0.6). Deployment: `maxSurge` rounds up, `maxUnavailable` down, both 0
 * means one unavailable. StatefulSet: one pod at a time, never more pods. DaemonSet: `maxSurge` 0 by default.
 * Argo Rollout: canary like a Deployment, blue/green doubles the pods.
 */
export function rolloutPace(object: KubeObject, pods: number): RolloutPace {
  if (object.kind === 'StatefulSet') return { surge: 0, unavailable: 1 };
  if (object.kind === 'Rollout') {
    if (at(object, 'spec', 'strategy', 'blueGreen') !== undefined) return { surge: pods, unavailable: 0 };
    return pace(at(object, 'spec', 'strategy', 'canary'), pods, '25%', '25%');
  }
  if (object.kind === 'DaemonSet') {
    if (stringAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete') return { surge: 0, unavailable: 0 };
    return pace(at(object, 'spec', 'updateStrategy', 'rollingUpdate'), pods, 0, 1);
  }
  if (object.kind !== 'Deployment') return { surge: 0, unavailable: pods };
  if (stringAt(object, 'spec', 'strategy', 'type') === 'Recreate') return { surge: 0, unavailable: pods };
  return pace(at(object, 'spec', 'strategy', 'rollingUpdate'), pods, '25%', '25%');
}

function pace(rolling: unknown, pods: number, surge: unknown, unavailable: unknown): RolloutPace {
  const more = share(at(rolling, 'maxSurge') ?? surge, pods, Math.ceil);
  const less = share(at(rolling, 'maxUnavailable') ?? unavailable, pods, Math.floor);
  return { surge: more, unavailable: more === 0 && less === 0 ? 1 : less };
}

/** Seconds after which a Deployment is reported as failed. */
export function progressDeadline(object: KubeObject): number {
  return numberAt(object, 'spec', 'progressDeadlineSeconds') ?? 600;
}

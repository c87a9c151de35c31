import type { Entry, KubeObject } from '../core/model.ts';
import { type Fields, isFields, own } from './defaults/fill.ts';

/** What becomes of an object that left the render. */
export interface Fate {
  /** It stays in the cluster. */
  readonly kept: boolean;
  /** Why, when it is not the plain case. */
  readonly because?: string;
}

/**
 * Does the engine delete an object that left the render (rules.md 0.7)? Guards are read from the live object when there is
 * one: that is where Helm, Argo CD and Flux look.
 */
export function fateOnRemoval(entry: Entry, live: KubeObject | undefined): Fate {
  const annotations = annotationsOf(live ?? entry.object);
  const { engine, apply } = entry.target;
  if (engine === 'argocd') {
    const options = split(annotations['argocd.argoproj.io/sync-options']);
    if (options.includes('Prune=false')) return { kept: true, because: 'Prune=false: it stays in the cluster' };
    if (options.includes('Prune=confirm'))
      return { kept: false, because: 'Prune=confirm: Argo CD waits for a confirmation' };
  }
  if (engine === 'flux' && annotations['kustomize.toolkit.fluxcd.io/prune'] === 'disabled') {
    return { kept: true, because: 'kustomize.toolkit.fluxcd.io/prune is disabled: it stays in the cluster' };
  }
  if (annotations['helm.sh/resource-policy'] === 'keep' && (engine === 'helm' || apply.mode === 'helm')) {
    return { kept: true, because: 'helm.sh/resource-policy is keep: it stays in the cluster' };
  }
  if (apply.prune === false)
    return { kept: true, because: 'pruning is off: it stays in the cluster until someone deletes it' };
  return { kept: false };
}

function annotationsOf(object: KubeObject): Fields {
  const annotations = own(object.metadata, 'annotations');
  return isFields(annotations) ? annotations : {};
}

function split(value: unknown): readonly string[] {
  return typeof value === 'string' ? value.split(',').map((part) => part.trim()) : [];
}

import type { Entry } from '../core/model.ts';

/** Kinds whose `spec.replicas` an autoscaler may own. */
const scaled = new Set(['Deployment', 'StatefulSet', 'ReplicaSet', 'ReplicationController', 'Rollout']);

/**
 * What telling drift from the work of others needs beside the objects themselves: autoscalers, mutating webhooks, and the
 * settings of Argo CD. KEDA makes a HorizontalPodAutoscaler of every ScaledObject, so those are enough.
 * @param argocdNamespace where `argocd-cm` lives
 */
export function driftEvidence(
  entries: readonly Entry[],
  argocdNamespace: string,
): readonly { readonly kind: string; readonly namespaces?: ReadonlySet<string> }[] {
  if (entries.length === 0) return [];
  const workloads = entries.filter(({ ref }) => scaled.has(ref.kind));
  const namespaces = new Set(workloads.flatMap(({ ref }) => ref.namespace ?? []));
  const byArgo = entries.some(({ target }) => target.engine === 'argocd');
  return [
    ...(namespaces.size === 0 ? [] : [{ kind: 'autoscaling/HorizontalPodAutoscaler', namespaces }]),
    { kind: 'admissionregistration.k8s.io/MutatingWebhookConfiguration' },
    ...(byArgo ? [{ kind: '/ConfigMap', namespaces: new Set([argocdNamespace]) }] : []),
  ];
}

import type { ResourceChange, Target } from '../core/model.ts';
import type { Selected } from './selection.ts';

/** Kinds that objects of other targets refer to: removing or changing one can break a target that the change does not touch. */
const providers = new Set([
  'ConfigMap',
  'Secret',
  'Service',
  'ServiceAccount',
  'PersistentVolumeClaim',
  'Namespace',
  'ResourceQuota',
  'LimitRange',
  'PodDisruptionBudget',
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'CustomResourceDefinition',
  'APIService',
  'NetworkPolicy',
  'CiliumNetworkPolicy',
  'CiliumClusterwideNetworkPolicy',
  'PriorityClass',
]);

/** Kinds whose named fields join them to objects of any namespace: certificates to hosts, monitors to a Prometheus, nodes to what runs on them. */
const joinedAnywhere: Readonly<Record<string, RegExp>> = {
  Certificate: /^\/spec\/(dnsNames|commonName|secretName|issuerRef)/,
  EC2NodeClass: /^\/spec\/(userData|ami)/,
  KubeadmConfigTemplate: /^\/spec/,
  AWSMachineTemplate: /^\/spec\/template\/spec\/ami/,
  MachineConfig: /^\/spec/,
  Prometheus: /^\/spec\/\w+Selector/,
  PrometheusAgent: /^\/spec\/\w+Selector/,
  ServiceMonitor: /^\/(metadata\/labels|spec\/(selector|namespaceSelector|endpoints))/,
  PodMonitor: /^\/(metadata\/labels|spec\/(selector|namespaceSelector|podMetricsEndpoints))/,
};

/** Kinds whose named fields refer to objects of their own namespace. */
const joinedInNamespace: Readonly<Record<string, RegExp>> = {
  Ingress: /^\/spec\/tls/,
  Gateway: /^\/spec\/(listeners|servers)/,
};

/** Labels that change with every release and join nothing. */
const releaseLabel = /^\/metadata\/labels\/(helm\.sh~1chart|chart|app\.kubernetes\.io~1version)$/;

const workloads = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'Rollout']);

/** Could this change break or be explained by objects of a target that it does not touch? */
function reachesOthers(change: ResourceChange): 'no' | 'namespace' | 'cluster' {
  const { kind, namespace } = change.ref;
  const place = namespace === undefined ? 'cluster' : 'namespace';
  const gone = change.action === 'removed' || change.action === 'renamed';
  const touches = (pattern: RegExp) =>
    gone || change.fields.some(({ path }) => pattern.test(path) && !releaseLabel.test(path));
  if (providers.has(kind)) return change.impact !== 'none' && change.impact !== 'metadata' ? place : 'no';
  const anywhere = Object.hasOwn(joinedAnywhere, kind) ? joinedAnywhere[kind] : undefined;
  // What is new joins nothing that worked before.
  if (anywhere !== undefined) return change.action !== 'added' && touches(anywhere) ? 'cluster' : 'no';
  const inNamespace = Object.hasOwn(joinedInNamespace, kind) ? joinedInNamespace[kind] : undefined;
  if (inNamespace !== undefined) return touches(inNamespace) ? place : 'no';
  if (!workloads.has(kind)) return 'no';
  if (change.fields.some(({ path }) => path.endsWith('/spec/priorityClassName'))) return 'cluster';
  return touches(/^\/spec\/template\/metadata\/labels/) ? place : 'no';
}

/**
 * Unaffected targets that share a cluster (and possibly a namespace) with a change that reaches beyond its own target.
 * They are rendered too, so that rules see who depends on what goes away.
 */
export function neighbours(changes: readonly ResourceChange[], selection: readonly Selected[]): readonly Selected[] {
  const touched: { readonly scope: string; readonly namespace: string | undefined }[] = [];
  for (const change of changes) {
    const target = (change.after ?? change.before)?.target;
    const reach = target === undefined ? 'no' : reachesOthers(change);
    if (target !== undefined && reach !== 'no') {
      touched.push({ scope: target.scope, namespace: reach === 'cluster' ? undefined : change.ref.namespace });
    }
  }
  if (touched.length === 0) return [];
  return selection.filter((selected) => {
    if (selected.action !== 'skip' || selected.status !== 'unaffected' || selected.after === undefined) return false;
    return touched.some((place) => mayShare(selected.after, place));
  });
}

function mayShare(target: Target | undefined, place: { scope: string; namespace: string | undefined }): boolean {
  if (target === undefined || target.scope !== place.scope) return false;
  const own = target.afterRender.defaultNamespace;
  return place.namespace === undefined || own === undefined || own === place.namespace;
}

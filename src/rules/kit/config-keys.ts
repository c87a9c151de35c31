import type { KubeObject } from '../../core/model.ts';
import { at, stringMapAt } from './pods.ts';

/** Keys of a ConfigMap or Secret that a pod can read; values do not matter and are redacted for Secrets. */
export function keysOf(object: KubeObject): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const field of ['data', 'binaryData', 'stringData']) {
    const map = at(object, field);
    if (typeof map === 'object' && map !== null && !Array.isArray(map))
      for (const key of Object.keys(map)) keys.add(key);
  }
  return keys;
}

const fillers: readonly string[] = [
  'replicator.v1.mittwald.de/replicate-from',
  'secret-generator.v1.mittwald.de/autogenerate',
  'reflector.v1.k8s.emberstack.com/reflects',
  'service.beta.openshift.io/inject-cabundle',
  'cert-manager.io/allow-direct-injection',
  'kubernetes.io/service-account.name',
  'vault.security.banzaicloud.io/vault-path',
];

/** A controller writes keys into it that the manifest does not show, or it is encrypted as a whole. */
export function filledElsewhere(object: KubeObject): boolean {
  const annotations = stringMapAt(object, 'metadata', 'annotations');
  const labels = stringMapAt(object, 'metadata', 'labels');
  if (fillers.some((key) => Object.hasOwn(annotations, key))) return true;
  if (labels['config.openshift.io/inject-trusted-cabundle'] === 'true') return true;
  // Argo CD, Kyverno and others add to Secrets and ConfigMaps that carry their own part-of label.
  return labels['app.kubernetes.io/part-of'] === 'argocd' && object.kind === 'Secret';
}

import type { KubeObject } from '../../core/model.ts';
import { at, listAt, stringAt } from './pods.ts';
import { nameLabel } from './namespaces.ts';

/** Namespaces that a policy engine's own configuration leaves alone. */
export interface ConfiguredExemptions {
  readonly engine: 'Gatekeeper' | 'Kyverno';
  /** Names, or globs with a star at either end. */
  readonly namespaces: ReadonlySet<string>;
  /** Pointer to the field that holds them. */
  readonly path: string;
}

/**
 * The exemptions of a Gatekeeper `Config` or the Kyverno ConfigMap; undefined for other objects.
 * Gatekeeper: `spec.match[].excludedNamespaces` of the processes `*` and `webhook`. Kyverno: entries of `resourceFilters`
 * for every kind and name of one namespace, and `NotIn` of the `webhooks` namespaceSelector.
 */
export function configuredExemptions(object: KubeObject): ConfiguredExemptions | undefined {
  if (object.kind === 'Config' && object.apiVersion.startsWith('config.gatekeeper.sh/')) return gatekeeper(object);
  if (object.kind === 'ConfigMap' && object.apiVersion === 'v1') return kyverno(object);
  return undefined;
}

function gatekeeper(object: KubeObject): ConfiguredExemptions {
  const namespaces = listAt(object, 'spec', 'match')
    .filter((match) => listAt(match, 'processes').some((process) => process === '*' || process === 'webhook'))
    .flatMap((match) => listAt(match, 'excludedNamespaces'))
    .filter((name): name is string => typeof name === 'string');
  return { engine: 'Gatekeeper', namespaces: new Set(namespaces), path: '/spec/match' };
}

function kyverno(object: KubeObject): ConfiguredExemptions | undefined {
  const filters = stringAt(object, 'data', 'resourceFilters');
  const webhooks = stringAt(object, 'data', 'webhooks');
  if (filters === undefined && (webhooks === undefined || !isKyverno(object))) return undefined;
  const namespaces = new Set<string>();
  // `[kinds,namespace,name]`, separated by blanks; old releases write the kind as `*`, newer ones as `*/*`.
  for (const part of (filters ?? '').split('[').slice(1)) {
    const [kind = '', namespace = '', name = ''] = part
      .slice(0, Math.max(0, part.indexOf(']')))
      .split(',')
      .map((field) => field.trim());
    if (
      (kind === '*' || kind === '*/*' || kind === '*/*/*') &&
      (name === '' || name === '*') &&
      namespace !== '' &&
      namespace !== '*'
    )
      namespaces.add(namespace);
  }
  for (const name of webhookNamespaces(webhooks)) namespaces.add(name);
  return { engine: 'Kyverno', namespaces, path: filters === undefined ? '/data/webhooks' : '/data/resourceFilters' };
}

function isKyverno(object: KubeObject): boolean {
  return (
    object.metadata.labels?.['app.kubernetes.io/part-of']?.startsWith('kyverno') === true ||
    object.metadata.name === 'kyverno'
  );
}

/** `webhooks` is JSON: a list of selectors, or one object in newer releases. */
function webhookNamespaces(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return [];
  }
  return (Array.isArray(parsed) ? parsed : [parsed])
    .flatMap((item) => listAt(item, 'namespaceSelector', 'matchExpressions'))
    .filter((expression) => at(expression, 'key') === nameLabel && at(expression, 'operator') === 'NotIn')
    .flatMap((expression) => listAt(expression, 'values'))
    .filter((name): name is string => typeof name === 'string');
}

/** Is a namespace (or glob) covered by one of these names and globs? */
export function isExempt(namespace: string, exemptions: ReadonlySet<string>): boolean {
  if (exemptions.has(namespace)) return true;
  for (const pattern of exemptions) {
    const prefix = pattern.endsWith('*');
    const suffix = pattern.startsWith('*');
    const core = pattern.slice(suffix ? 1 : 0, prefix ? -1 : undefined);
    if (
      prefix && suffix
        ? namespace.includes(core)
        : prefix
          ? namespace.startsWith(core)
          : suffix && namespace.endsWith(core)
    )
      return true;
  }
  return false;
}

const vital =
  /^(kube-system|kube-node-lease|argocd|argo-cd|flux-system|gatekeeper-system|kyverno|opa|cert-manager|istio-system|linkerd|cilium|calico-(system|apiserver)|tigera-operator|kube-flannel|kube-router|weave|metallb-system|openshift-.*|kube-\*)$/;

/**
 * Namespaces whose pods must always be able to start: the control plane, CNI, policy engines, GitOps controllers.
 * Also says so of the globs that cover them.
 */
export function isVitalNamespace(name: string): boolean {
  return vital.test(name);
}

import { groupOf, versionOf } from '../core/json.ts';
import type { KubeObject } from '../core/model.ts';
import { type Fields, isFields, own } from './defaults/fill.ts';
import { matchesSelector } from './selectors.ts';

/**
 * Names the mutating webhooks and policies of a cluster that see an object when it is created or updated, so that nobody
 * looks for a person where a webhook rewrote an image. Match conditions are not evaluated.
 * @param all live objects of a cluster; the configurations, the Namespaces and the CRDs among them are used
 */
export function mutatorsOf(live: KubeObject, all: readonly KubeObject[]): readonly string[] {
  const objects = relevant(all);
  const found: string[] = [];
  for (const object of objects) {
    if (groupOf(object.apiVersion) !== 'admissionregistration.k8s.io') continue;
    const spec = own(object, 'spec');
    const hooks =
      object.kind === 'MutatingWebhookConfiguration'
        ? own(object, 'webhooks')
        : object.kind === 'MutatingAdmissionPolicy' && isFields(spec)
          ? [own(spec, 'matchConstraints')]
          : undefined;
    const list: readonly unknown[] = Array.isArray(hooks) ? hooks : [];
    if (list.some((hook) => isFields(hook) && sees(hook, live, objects))) {
      found.push(`${object.kind}/${object.metadata.name}`);
    }
  }
  return found.toSorted();
}

const relevantKinds = new Set([
  'MutatingWebhookConfiguration',
  'MutatingAdmissionPolicy',
  'Namespace',
  'CustomResourceDefinition',
]);
const cache = new WeakMap<readonly KubeObject[], readonly KubeObject[]>();

/** A cluster has tens of thousands of objects, and this is asked for every one that drifted. */
function relevant(all: readonly KubeObject[]): readonly KubeObject[] {
  let objects = cache.get(all);
  if (objects === undefined) {
    objects = all.filter(({ kind }) => relevantKinds.has(kind));
    cache.set(all, objects);
  }
  return objects;
}

function sees(hook: Fields, live: KubeObject, objects: readonly KubeObject[]): boolean {
  const rules = own(hook, 'rules') ?? own(hook, 'resourceRules');
  if (!Array.isArray(rules)) return false;
  const resource = resourceOf(live, objects);
  if (!rules.some((rule: unknown) => isFields(rule) && covers(rule, live, resource))) return false;
  if (!matchesSelector(own(hook, 'objectSelector'), live.metadata.labels)) return false;
  const { namespace } = live.metadata;
  if (namespace === undefined) return true;
  const home = objects.find((object) => object.kind === 'Namespace' && object.metadata.name === namespace);
  // Every namespace has this label; the others are not known when the Namespace was not read.
  const labels = home?.metadata.labels ?? { 'kubernetes.io/metadata.name': namespace };
  return matchesSelector(own(hook, 'namespaceSelector'), labels);
}

function covers(rule: Fields, live: KubeObject, resource: string): boolean {
  const scope = own(rule, 'scope') ?? '*';
  if (scope !== '*' && (scope === 'Namespaced') !== (live.metadata.namespace !== undefined)) return false;
  return (
    has(rule, 'apiGroups', groupOf(live.apiVersion)) &&
    has(rule, 'apiVersions', versionOf(live.apiVersion)) &&
    (has(rule, 'operations', 'CREATE') || has(rule, 'operations', 'UPDATE')) &&
    (has(rule, 'resources', resource) || has(rule, 'resources', '*/*'))
  );
}

function has(rule: Fields, name: string, value: string): boolean {
  const list = own(rule, name);
  return Array.isArray(list) && (list.includes(value) || list.includes('*'));
}

/** The resource name of a kind: its CRD's, else the English plural, as all built-in kinds have it. */
function resourceOf(live: KubeObject, objects: readonly KubeObject[]): string {
  const group = groupOf(live.apiVersion);
  for (const object of objects) {
    const spec = object.kind === 'CustomResourceDefinition' ? own(object, 'spec') : undefined;
    const names = isFields(spec) && own(spec, 'group') === group ? own(spec, 'names') : undefined;
    if (isFields(names) && own(names, 'kind') === live.kind) return String(own(names, 'plural'));
  }
  const name = live.kind.toLowerCase();
  if (name === 'endpoints') return name;
  if (/(?:s|x|ch|sh)$/.test(name)) return `${name}es`;
  return /[^aeiou]y$/.test(name) ? `${name.slice(0, -1)}ies` : `${name}s`;
}

import { splitKind } from '../core/json.ts';
import type { WantedKind } from '../core/cluster.ts';
import type { Resource } from './reading/resources.ts';

export interface RoleRequest {
  /** Of the roles and of their bindings. */
  readonly name: string;
  /** Kinds that are listed: everywhere, or in the namespaces that they name. */
  readonly reads: readonly WantedKind[];
  /** Kinds of the objects that a dry run sends. */
  readonly writes?: readonly WantedKind[];
  /** Pods are sent as well, in these namespaces. */
  readonly podNamespaces?: readonly string[];
  /** Kinds of namespaces are granted in these only. Absent: where they are read. */
  readonly namespaces?: readonly string[];
  readonly bind?: { readonly namespace: string; readonly name: string };
  /** First lines of the document, without the comment mark. */
  readonly about: readonly string[];
  /** Undefined: it is not known how a kind is called in URLs. */
  readonly resourceOf: (kind: string) => Resource | undefined;
}

/**
 * What is read for a kind: pods are counted by what owns the ReplicaSet or Job that they belong to, and Helm keeps its
 * releases in Secrets or ConfigMaps.
 */
const companions: Readonly<Record<string, readonly string[]>> = {
  '/Pod': ['/Pod', 'apps/ReplicaSet', 'batch/Job'],
  'helm/Release': ['/ConfigMap', '/Secret'],
};

/** Resources of one API group with the same verbs. */
interface Grant {
  readonly group: string;
  readonly resource: string;
  readonly verbs: ReadonlySet<string>;
}

/** Namespace, '' for the whole cluster, to grants by `group/resource`. */
type Grants = Map<string, Map<string, { group: string; resource: string; verbs: Set<string> }>>;

const dryRunVerbs = ['create', 'get', 'patch', 'update'];

/**
 * ClusterRole, Roles, and on demand the ServiceAccount and the bindings, as YAML with comments. The same request gives
 * the same text.
 * @returns also the kinds for which no rule could be written
 */
export function roleDocuments(request: RoleRequest): { readonly text: string; readonly unknown: readonly string[] } {
  const grants: Grants = new Map();
  const unknown = new Set<string>();
  const grant = (kind: string, verbs: readonly string[], places: readonly string[] | undefined): void => {
    const resource = request.resourceOf(kind);
    if (resource === undefined) {
      unknown.add(kind);
      return;
    }
    const where = resource.namespaced ? (request.namespaces ?? places ?? ['']) : [''];
    for (const place of where) add(grants, place, splitKind(kind)[0], resource.plural, verbs);
  };
  for (const { kind, namespaces } of request.reads)
    for (const read of companions[kind] ?? [kind]) grant(read, ['list'], namespaces);
  for (const { kind, namespaces } of request.writes ?? []) grant(kind, dryRunVerbs, namespaces);
  if (request.podNamespaces !== undefined) grant('/Pod', ['create'], request.podNamespaces);
  dropCovered(grants);
  const missing = [...unknown].toSorted();
  const parts = [header(request, missing), ...account(request)];
  for (const [place, rules] of [...grants].toSorted(([left], [right]) => (left < right ? -1 : 1))) {
    if (rules.size === 0) continue;
    parts.push(role(request, place, [...rules.values()]), ...binding(request, place));
  }
  return { text: parts.join('---\n'), unknown: missing };
}

function add(grants: Grants, place: string, group: string, resource: string, verbs: readonly string[]): void {
  let rules = grants.get(place);
  if (rules === undefined) grants.set(place, (rules = new Map()));
  const key = `${group}/${resource}`;
  const found = rules.get(key);
  if (found === undefined) rules.set(key, { group, resource, verbs: new Set(verbs) });
  else for (const verb of verbs) found.verbs.add(verb);
}

/** What the ClusterRole grants needs no Role. */
function dropCovered(grants: Grants): void {
  const everywhere = grants.get('');
  for (const [place, rules] of grants) {
    if (place === '') continue;
    for (const [key, rule] of rules) {
      for (const verb of everywhere?.get(key)?.verbs ?? []) rule.verbs.delete(verb);
      if (rule.verbs.size === 0) rules.delete(key);
    }
  }
}

function header(request: RoleRequest, unknown: readonly string[]): string {
  const lines = [
    ...request.about,
    'Discovery (/api, /apis, /openapi/v3, /version) needs no rule: every authenticated user has it by system:discovery.',
    ...(request.writes === undefined && request.podNamespaces === undefined
      ? []
      : [
          'A dry run is authorised like the real request: create, patch and update let the holder change these objects.',
          'Bind this to an identity of its own, and only where the answer of the API server is worth that.',
        ]),
    ...unknown.map((kind) => `Not granted, because its plural is not known: ${kind.replace(/[^\w./-]/g, '?')}`),
    ...(unknown.length === 0
      ? []
      : ['Generate with --live to ask the cluster, or let the tree hold their definitions.']),
  ];
  return lines.map((line) => `# ${line}\n`).join('');
}

function account({ bind }: RoleRequest): string[] {
  if (bind === undefined) return [];
  return [
    `apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: ${quoted(bind.name)}\n  namespace: ${quoted(bind.namespace)}\n`,
  ];
}

function role({ name }: RoleRequest, place: string, rules: readonly Grant[]): string {
  const metadata = `metadata:\n  name: ${quoted(name)}\n${place === '' ? '' : `  namespace: ${quoted(place)}\n`}`;
  const groups = Map.groupBy(rules, ({ group, verbs }) => [group, ...[...verbs].toSorted()].join(' '));
  const lines = [...groups]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([, same]) => {
      const [first] = same as [Grant, ...Grant[]];
      const resources = same.map(({ resource }) => resource).toSorted();
      return `  - apiGroups: [${quoted(first.group)}]\n    resources: [${resources.map(quoted).join(', ')}]\n    verbs: [${[...first.verbs].toSorted().join(', ')}]\n`;
    });
  return `apiVersion: rbac.authorization.k8s.io/v1\nkind: ${place === '' ? 'ClusterRole' : 'Role'}\n${metadata}rules:\n${lines.join('')}`;
}

function binding({ name, bind }: RoleRequest, place: string): string[] {
  if (bind === undefined) return [];
  const kind = place === '' ? 'ClusterRole' : 'Role';
  const metadata = `metadata:\n  name: ${quoted(name)}\n${place === '' ? '' : `  namespace: ${quoted(place)}\n`}`;
  return [
    `apiVersion: rbac.authorization.k8s.io/v1\nkind: ${kind}Binding\n${metadata}` +
      `roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ${kind}\n  name: ${quoted(name)}\n` +
      `subjects:\n  - kind: ServiceAccount\n    name: ${quoted(bind.name)}\n    namespace: ${quoted(bind.namespace)}\n`,
  ];
}

/** Plain where YAML reads it as text, else in quotes: names may be digits, and the core group is empty. */
function quoted(text: string): string {
  return /^[a-z][a-z0-9.-]*$/.test(text) && !/^(?:true|false|yes|no|on|off|null|y|n)$/.test(text)
    ? text
    : JSON.stringify(text);
}

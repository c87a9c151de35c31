import { type Fields, isFields, own } from './defaults/fill.ts';

/** How the elements of a list are told apart. */
export type ListRule =
  /** Elements have an identity; their order says nothing unless `ordered`. */
  | { readonly type: 'map'; readonly keyOf: (item: Fields) => string | undefined; readonly ordered?: boolean }
  /** Order and repetition say nothing. */
  | { readonly type: 'set' }
  /** The list is one value; elements are compared by position. */
  | { readonly type: 'atomic' };

export const atomic: ListRule = { type: 'atomic' };
export const set: ListRule = { type: 'set' };

/**
 * Elements keyed by scalar fields, joined by `:` (`8080:TCP`); a missing first field means no key.
 * The optional defaults stand for fields that the API server fills in.
 */
export function byFields(...names: readonly string[]): ListRule {
  return { type: 'map', keyOf: (item) => joinFields(item, names) };
}

function joinFields(item: Fields, names: readonly string[]): string | undefined {
  let key = '';
  for (const [index, name] of names.entries()) {
    const value = own(item, name);
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      if (index === 0) return undefined;
      if (name === 'protocol') key += ':TCP';
      continue;
    }
    key += index === 0 ? String(value) : `:${String(value)}`;
  }
  return key;
}

const byName = byFields('name');
/** For custom resources without a schema. */
export const byNameOrdered: ListRule = { type: 'map', keyOf: (item) => joinFields(item, ['name']), ordered: true };
const byMetadataName: ListRule = {
  type: 'map',
  keyOf: (item) => {
    const metadata = own(item, 'metadata');
    return isFields(metadata) ? joinFields(metadata, ['name']) : undefined;
  },
};
/** Every field counts, so equal elements pair up wherever they stand. */
const toleration: ListRule = {
  type: 'map',
  keyOf: (item) =>
    ['key', 'operator', 'value', 'effect']
      .map((name) => own(item, name))
      .filter((value) => typeof value === 'string' && value !== '')
      .join(':') || '*',
};
const expression = byFields('key', 'operator');
/** `Resource:cpu`, `Pods:requests_per_second`, `ContainerResource:app:cpu`. */
const metric: ListRule = {
  type: 'map',
  keyOf: (item) => {
    const type = own(item, 'type');
    if (typeof type !== 'string') return undefined;
    const source = own(item, type.slice(0, 1).toLowerCase() + type.slice(1));
    if (!isFields(source)) return type;
    const inner = own(source, 'metric');
    const name = own(source, 'name') ?? (isFields(inner) ? own(inner, 'name') : undefined);
    return [type, own(source, 'container'), name].filter((part) => typeof part === 'string').join(':');
  },
};
const subject = byFields('kind', 'namespace', 'name');
const host: ListRule = { type: 'map', keyOf: (item) => joinFields(item, ['host']) ?? '*' };

/**
 * Lists of pods and pod templates (`listType`, `listMapKey` in k8s.io/api core/v1 types.go), and lists that mean the
 * same in every kind.
 */
const podLists: Readonly<Record<string, ListRule>> = {
  containers: byName,
  // Their order is the order of execution.
  initContainers: byNameOrdered,
  ephemeralContainers: byName,
  env: byName,
  volumes: byName,
  volumeMounts: byFields('mountPath'),
  volumeDevices: byFields('devicePath'),
  imagePullSecrets: byName,
  hostAliases: byFields('ip'),
  topologySpreadConstraints: byFields('topologyKey', 'whenUnsatisfiable'),
  schedulingGates: byName,
  resourceClaims: byName,
  claims: byName,
  sysctls: byName,
  tolerations: toleration,
  matchExpressions: expression,
  matchFields: expression,
  values: set,
  supplementalGroups: set,
  resizePolicy: byFields('resourceName'),
  readinessGates: byFields('conditionType'),
  volumeClaimTemplates: byMetadataName,
  accessModes: set,
  finalizers: set,
  conditions: byFields('type'),
  ownerReferences: byFields('uid'),
};

/** Lists whose meaning depends on the kind or on the field around them: `<kind or parent>.<field>`. */
const builtinLists: Readonly<Record<string, ListRule>> = {
  'containers.ports': byFields('containerPort', 'protocol'),
  'initContainers.ports': byFields('containerPort', 'protocol'),
  'ephemeralContainers.ports': byFields('containerPort', 'protocol'),
  'capabilities.add': set,
  'capabilities.drop': set,
  'configMap.items': byFields('key', 'path'),
  'secret.items': byFields('key', 'path'),
  'downwardAPI.items': byFields('path'),
  'dnsConfig.options': byName,
  'Service.ports': byFields('port', 'protocol'),
  'Service.externalIPs': set,
  'Service.loadBalancerSourceRanges': set,
  'ServiceAccount.secrets': byName,
  'ValidatingWebhookConfiguration.webhooks': byName,
  'MutatingWebhookConfiguration.webhooks': byName,
  'webhooks.matchConditions': byName,
  'rules.apiGroups': set,
  'rules.apiVersions': set,
  'rules.operations': set,
  'rules.resources': set,
  'rules.resourceNames': set,
  'rules.nonResourceURLs': set,
  'rules.verbs': set,
  'RoleBinding.subjects': subject,
  'ClusterRoleBinding.subjects': subject,
  'ValidatingAdmissionPolicy.matchConditions': byName,
  'ValidatingAdmissionPolicy.variables': byNameOrdered,
  'ValidatingAdmissionPolicyBinding.validationActions': set,
  'CustomResourceDefinition.versions': byName,
  'names.shortNames': set,
  'names.categories': set,
  'NetworkPolicy.policyTypes': set,
  'Ingress.rules': host,
  'http.paths': byFields('path', 'pathType'),
  'HorizontalPodAutoscaler.metrics': metric,
  'LimitRange.limits': byFields('type'),
  'ResourceQuota.scopes': set,
  'CSIDriver.volumeLifecycleModes': set,
  'CSINode.drivers': byName,
};

/**
 * The rule of a list of a built-in kind.
 * @param fields names from the root of the object to the list, without keys of elements
 */
export function builtinRule(kind: string, fields: readonly string[]): ListRule | undefined {
  const name = fields.at(-1) ?? '';
  const parent = fields.at(-2) ?? '';
  const special = lookUp(builtinLists, `${parent}.${name}`);
  if (special !== undefined) return special;
  // `<Kind>.<field>` holds for fields directly below the root or below spec.
  const top = fields.length === 1 || (fields.length === 2 && parent === 'spec');
  if (top) {
    const ofKind = lookUp(builtinLists, `${kind}.${name}`);
    if (ofKind !== undefined) return ofKind;
  }
  if (kind === 'CustomResourceDefinition' && fields.includes('openAPIV3Schema')) {
    return name === 'required' || name === 'enum' ? set : atomic;
  }
  return lookUp(podLists, name);
}

function lookUp(table: Readonly<Record<string, ListRule>>, name: string): ListRule | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

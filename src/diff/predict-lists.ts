/**
 * Lists that a strategic merge patch merges by a key instead of replacing them, and mappings of which only the patched
 * keys stay (`patchStrategy`, `patchMergeKey` in the struct tags of k8s.io/api 0.34). It is not the same table as the
 * list keys of server-side apply: `Service.ports` merge by `port`, tolerations are replaced as a whole.
 */
const mergeKeys: Readonly<Record<string, string>> = {
  conditions: 'type',
  containers: 'name',
  initContainers: 'name',
  ephemeralContainers: 'name',
  env: 'name',
  hostAliases: 'ip',
  matchConditions: 'name',
  resourceClaims: 'name',
  schedulingGates: 'name',
  topologySpreadConstraints: 'topologyKey',
  volumeDevices: 'devicePath',
  volumeMounts: 'mountPath',
  volumes: 'name',
  webhooks: 'name',
  drivers: 'name',
  finalizers: '',
  podCIDRs: '',
  ownerReferences: 'uid',
};

/** `<field around it or kind>.<field>`. */
const special: Readonly<Record<string, string | undefined>> = {
  'containers.ports': 'containerPort',
  'initContainers.ports': 'containerPort',
  'ephemeralContainers.ports': 'containerPort',
  'Service.ports': 'port',
  'ServiceAccount.secrets': 'name',
  'ValidatingAdmissionPolicy.variables': 'name',
  'MutatingAdmissionPolicy.variables': 'name',
};

/**
 * Key by which the elements of a list of a built-in kind are merged; '' for a list of words that is merged as a set;
 * undefined when the list is replaced as a whole.
 * @param fields names from the root of the object to the list, without keys of elements
 */
export function mergeKeyOf(kind: string, fields: readonly string[]): string | undefined {
  const name = fields.at(-1) ?? '';
  const parent = fields.at(-2) ?? '';
  if (Object.hasOwn(special, `${parent}.${name}`)) return special[`${parent}.${name}`];
  const top = fields.length === 1 || (fields.length === 2 && parent === 'spec');
  if (top && Object.hasOwn(special, `${kind}.${name}`)) return special[`${kind}.${name}`];
  // `imagePullSecrets` merge in a pod, not in a ServiceAccount.
  if (name === 'imagePullSecrets') return kind === 'ServiceAccount' ? undefined : 'name';
  return Object.hasOwn(mergeKeys, name) ? mergeKeys[name] : undefined;
}

/** Is it a mapping of which a changed one keeps only what the manifest names (`retainKeys`)? */
export function retainsKeys(kind: string, fields: readonly string[]): boolean {
  const name = fields.at(-1) ?? '';
  if (name === 'strategy') return kind === 'Deployment' && fields.length === 2;
  return name === 'volumes' || name === 'resourceClaims';
}

/** Keys are words or numbers (`containerPort: 8080`). */
export function keyText(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

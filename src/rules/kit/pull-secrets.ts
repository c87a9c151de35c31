import type { KubeObject } from '../../core/model.ts';
import type { ClusterView } from './cluster-view.ts';
import { generatedBy } from './generators.ts';
import { at, listAt, stringAt, type PodTemplate } from './pods.ts';

/** A pull secret that a pod gets, by its own list or, when that is empty, from its ServiceAccount. */
export interface AttachedSecret {
  readonly name: string;
  readonly from: 'pod' | 'ServiceAccount';
}

/** What is known of a pull secret on one side. */
export type SecretState =
  /** There, of the right type; `hosts` undefined when they cannot be read. */
  | { readonly kind: 'present'; readonly hosts: readonly string[] | undefined }
  /** In no manifest, and nobody looked into the cluster. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'wrong-type'; readonly type: string }
  | { readonly kind: 'absent'; readonly proven: boolean }
  /** This change removes it. `sure`: the engine prunes it. */
  | { readonly kind: 'removed'; readonly sure: boolean; readonly why: string };

/**
 * The ServiceAccount admission plugin copies `imagePullSecrets` of the ServiceAccount only into pods that have none
 * (plugin/pkg/admission/serviceaccount).
 */
export function attachedSecrets(
  view: ClusterView,
  namespace: string,
  template: PodTemplate,
): readonly AttachedSecret[] {
  const own = names(listAt(template.spec, 'imagePullSecrets'));
  if (own.length > 0) return own.map((name) => ({ name, from: 'pod' }));
  const account = view.get('', 'ServiceAccount', namespace, accountOf(template));
  return names(listAt(account?.object, 'imagePullSecrets')).map((name) => ({ name, from: 'ServiceAccount' }));
}

/** Name of the ServiceAccount that a pod runs as. */
export function accountOf(template: PodTemplate): string {
  return stringAt(template.spec, 'serviceAccountName') ?? stringAt(template.spec, 'serviceAccount') ?? 'default';
}

function names(list: readonly unknown[]): readonly string[] {
  return list.map((item) => stringAt(item, 'name') ?? '').filter((name) => name !== '');
}

/** What a side holds of a pull secret: rendered, made by a controller, live, removed by this change, or nothing. */
export function secretState(view: ClusterView, scope: string, namespace: string, name: string): SecretState {
  const found = view.get('', 'Secret', namespace, name);
  if (found !== undefined) return stateOfSecret(found.object);
  if (generatedBy(view.world, scope, namespace, 'Secret', name) !== undefined)
    return { kind: 'present', hosts: undefined };
  const gone = view.removal('', 'Secret', namespace, name);
  if (gone !== undefined && gone.outcome !== 'kept')
    return { kind: 'removed', sure: gone.outcome === 'deleted', why: gone.why };
  return view.live?.covers('', 'Secret', namespace) === true ? { kind: 'absent', proven: true } : { kind: 'unknown' };
}

const keyOfType: Readonly<Record<string, string>> = {
  'kubernetes.io/dockerconfigjson': '.dockerconfigjson',
  'kubernetes.io/dockercfg': '.dockercfg',
};

function stateOfSecret(secret: KubeObject): SecretState {
  const type = stringAt(secret, 'type') ?? 'Opaque';
  const key = Object.hasOwn(keyOfType, type) ? keyOfType[type] : undefined;
  if (key === undefined) return { kind: 'wrong-type', type };
  const encoded = stringAt(secret, 'data', key);
  const text =
    stringAt(secret, 'stringData', key) ??
    (encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8'));
  return { kind: 'present', hosts: text === undefined ? undefined : hostsIn(text) };
}

/** Registry hosts of a docker configuration; undefined when it cannot be read (encrypted, redacted). */
function hostsIn(text: string): readonly string[] | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  const auths = at(parsed, 'auths') ?? parsed;
  return typeof auths === 'object' && auths !== null && !Array.isArray(auths)
    ? Object.keys(auths).map(registryHost)
    : undefined;
}

/** `https://index.docker.io/v1/` is docker.io; other keys are a host, with or without scheme and path. */
function registryHost(key: string): string {
  const host = key.replace(/^https?:\/\//, '').split('/', 1)[0]!;
  return /^(index|registry-1)?\.?docker\.io$/.test(host) ? 'docker.io' : host;
}

/** Do these hosts cover a registry? `*.example.org` matches one label, as in the kubelet (pkg/credentialprovider/keyring.go). */
export function coversHost(hosts: readonly string[], host: string): boolean {
  const labels = host.split('.');
  return hosts.some((pattern) => {
    if (pattern === host) return true;
    const parts = pattern.split('.');
    return (
      pattern.includes('*') &&
      parts.length === labels.length &&
      parts.every((part, index) => part === '*' || part === labels[index])
    );
  });
}

const publicHosts = new Set([
  'docker.io',
  'quay.io',
  'ghcr.io',
  'registry.k8s.io',
  'k8s.gcr.io',
  'gcr.io',
  'eu.gcr.io',
  'us.gcr.io',
  'asia.gcr.io',
  'public.ecr.aws',
  'mcr.microsoft.com',
  'registry.access.redhat.com',
  'docker.elastic.co',
  'nvcr.io',
  'registry.gitlab.com',
  'cgr.dev',
  'lscr.io',
  'xpkg.upbound.io',
  'xpkg.crossplane.io',
  'docker.redpanda.com',
  'registry.opensource.zalan.do',
  'icr.io',
  'registry.istio.io',
  'reg.kyverno.io',
  'oci.external-secrets.io',
  'cr.l5d.io',
  'cr.fluentbit.io',
  'cr.kgateway.dev',
  'registry.suse.com',
  'docker.n8n.io',
  'docker.dragonflydb.io',
  'container-registry.oracle.com',
  'registry.developers.crunchydata.com',
  'gke.gcr.io',
]);

/** Registries that serve images to anybody, so that nothing follows from missing credentials. */
export function isPublicHost(host: string): boolean {
  return publicHosts.has(host);
}

/** Registries for which nodes of the same cloud have credentials of their own (kubelet credential providers). */
export function hasNodeCredentials(host: string): boolean {
  return /\.dkr\.ecr(-fips)?\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$|\.azurecr\.(io|cn|us)$|-docker\.pkg\.dev$|(^|\.)gcr\.io$|\.icr\.io$/.test(
    host,
  );
}

import type { Entry, KubeObject } from '../../core/model.ts';
import type { World } from '../../core/rule.ts';
import { getOrMake, memo } from './memo.ts';
import { at, listAt, stringAt, stringMapAt } from './pods.ts';
import { groupOf } from '../../core/json.ts';

/** Names of objects that a controller makes out of another object. `namespace` null: in every namespace. */
interface Made {
  readonly kind: 'Secret' | 'ConfigMap' | 'PersistentVolumeClaim' | 'ServiceAccount';
  readonly name: string;
  readonly namespace?: string | null;
}

type Generator = (object: KubeObject) => readonly (Made | undefined)[];

function secret(name: string | undefined, namespace?: string | null): Made | undefined {
  if (name === undefined || name === '') return undefined;
  return { kind: 'Secret', name, ...(namespace === undefined ? {} : { namespace }) };
}

function configMap(name: string | undefined, namespace?: string | null): Made | undefined {
  if (name === undefined || name === '') return undefined;
  return { kind: 'ConfigMap', name, ...(namespace === undefined ? {} : { namespace }) };
}

const nameOf = (object: KubeObject) => object.metadata.name;
const target: Generator = (object) => [
  secret(stringAt(object, 'spec', 'target', 'name') ?? nameOf(object)),
  // Older kubernetes-external-secrets and templated ConfigMap targets.
  configMap(
    stringAt(object, 'spec', 'target', 'manifest', 'kind') === 'ConfigMap'
      ? stringAt(object, 'spec', 'target', 'name')
      : undefined,
  ),
];
const destination: Generator = (object) => [secret(stringAt(object, 'spec', 'destination', 'name'))];
const ownName: Generator = (object) => [secret(nameOf(object))];

/** `group/Kind` of objects that controllers turn into Secrets and ConfigMaps. Names as the projects document them. */
const generators: Readonly<Record<string, Generator>> = {
  'external-secrets.io/ExternalSecret': target,
  'kubernetes-client.io/ExternalSecret': ownName,
  'external-secrets.io/ClusterExternalSecret': (object) => [
    secret(
      stringAt(object, 'spec', 'externalSecretSpec', 'target', 'name') ??
        stringAt(object, 'spec', 'externalSecretName') ??
        nameOf(object),
      null,
    ),
  ],
  'bitnami.com/SealedSecret': (object) => [
    secret(stringAt(object, 'spec', 'template', 'metadata', 'name') ?? nameOf(object)),
    secret(nameOf(object)),
  ],
  'secrets.hashicorp.com/VaultStaticSecret': destination,
  'secrets.hashicorp.com/VaultDynamicSecret': destination,
  'secrets.hashicorp.com/VaultPKISecret': destination,
  'secrets.hashicorp.com/HCPVaultSecretsApp': destination,
  'ricoberger.de/VaultSecret': ownName,
  'redhatcop.redhat.io/VaultSecret': (object) => [secret(stringAt(object, 'spec', 'output', 'name'))],
  'onepassword.com/OnePasswordItem': ownName,
  'isindir.github.com/SopsSecret': (object) =>
    listAt(object, 'spec', 'secretTemplates').map((template) => secret(stringAt(template, 'name'))),
  'secrets.doppler.com/DopplerSecret': (object) => [
    secret(stringAt(object, 'spec', 'managedSecret', 'name'), stringAt(object, 'spec', 'managedSecret', 'namespace')),
  ],
  'secrets.infisical.com/InfisicalSecret': (object) => [
    secret(
      stringAt(object, 'spec', 'managedSecretReference', 'secretName'),
      stringAt(object, 'spec', 'managedSecretReference', 'secretNamespace'),
    ),
    ...listAt(object, 'spec', 'managedKubeSecretReferences').map((ref) =>
      secret(stringAt(ref, 'secretName'), stringAt(ref, 'secretNamespace')),
    ),
  ],
  'k8s.bitwarden.com/BitwardenSecret': (object) => [secret(stringAt(object, 'spec', 'secretName'))],
  'spv.no/AzureKeyVaultSecret': (object) => [secret(stringAt(object, 'spec', 'output', 'secret', 'name'))],
  'secrets-store.csi.x-k8s.io/SecretProviderClass': (object) =>
    listAt(object, 'spec', 'secretObjects').map((item) => secret(stringAt(item, 'secretName'))),
  'cert-manager.io/Certificate': (object) => [secret(stringAt(object, 'spec', 'secretName'))],
  'cert-manager.io/Issuer': (object) => [secret(stringAt(object, 'spec', 'acme', 'privateKeySecretRef', 'name'))],
  'cert-manager.io/ClusterIssuer': (object) => [
    secret(stringAt(object, 'spec', 'acme', 'privateKeySecretRef', 'name'), null),
  ],
  'trust.cert-manager.io/Bundle': (object) => [configMap(nameOf(object), null), secret(nameOf(object), null)],
  'postgresql.cnpg.io/Cluster': (object) =>
    ['app', 'superuser', 'ca', 'server', 'replication'].map((suffix) => secret(`${nameOf(object)}-${suffix}`)),
  'postgres-operator.crunchydata.com/PostgresCluster': (object) => {
    const users = listAt(object, 'spec', 'users').map((user) => stringAt(user, 'name'));
    return [nameOf(object), ...users].map((user) => secret(`${nameOf(object)}-pguser-${user}`));
  },
  'acid.zalan.do/postgresql': (object) =>
    ['postgres', 'standby', ...Object.keys((at(object, 'spec', 'users') ?? {}) as object)].flatMap((user) => [
      secret(`${user.replaceAll('_', '-')}.${nameOf(object)}.credentials.postgresql.acid.zalan.do`),
      secret(`${user.replaceAll('_', '-')}.${nameOf(object)}.credentials`),
    ]),
  'kafka.strimzi.io/Kafka': (object) =>
    ['cluster-ca-cert', 'clients-ca-cert', 'cluster-ca', 'clients-ca'].map((suffix) =>
      secret(`${nameOf(object)}-${suffix}`),
    ),
  'kafka.strimzi.io/KafkaUser': ownName,
  'elasticsearch.k8s.elastic.co/Elasticsearch': (object) =>
    ['elastic-user', 'http-certs-public', 'http-certs-internal', 'http-ca-internal', 'transport-certs-public'].map(
      (suffix) => secret(`${nameOf(object)}-es-${suffix}`),
    ),
  'kibana.k8s.elastic.co/Kibana': (object) => [secret(`${nameOf(object)}-kb-http-certs-public`)],
  'rabbitmq.com/RabbitmqCluster': (object) => [
    secret(`${nameOf(object)}-default-user`),
    secret(`${nameOf(object)}-erlang-cookie`),
  ],
  'rabbitmq.com/User': (object) => [secret(`${nameOf(object)}-user-credentials`)],
  'mongodbcommunity.mongodb.com/MongoDBCommunity': (object) =>
    listAt(object, 'spec', 'users').map((user) =>
      secret(
        stringAt(user, 'connectionStringSecretName') ??
          `${nameOf(object)}-${stringAt(user, 'db') ?? 'admin'}-${stringAt(user, 'name') ?? ''}`,
      ),
    ),
  'objectbucket.io/ObjectBucketClaim': (object) => [secret(nameOf(object)), configMap(nameOf(object))],
  'cdi.kubevirt.io/DataVolume': (object) => [{ kind: 'PersistentVolumeClaim', name: nameOf(object) }],
};

/** Annotations with which controllers copy or fill objects. */
function fromAnnotations(object: KubeObject): readonly (Made | undefined)[] {
  const annotations = stringMapAt(object, 'metadata', 'annotations');
  const has = (key: string) => Object.hasOwn(annotations, key);
  const result: (Made | undefined)[] = [];
  if (object.kind === 'Secret' || object.kind === 'ConfigMap') {
    const copied =
      annotations['reflector.v1.k8s.emberstack.com/reflection-auto-enabled'] === 'true' ||
      has('replicator.v1.mittwald.de/replicate-to') ||
      has('kubed.appscode.com/sync');
    if (copied) result.push({ kind: object.kind, name: nameOf(object), namespace: null });
  }
  const acme = ['cert-manager.io/cluster-issuer', 'cert-manager.io/issuer', 'kubernetes.io/tls-acme'].some(has);
  if (acme && object.kind === 'Ingress')
    for (const tls of listAt(object, 'spec', 'tls')) result.push(secret(stringAt(tls, 'secretName')));
  if (acme && object.kind === 'Gateway')
    for (const listener of listAt(object, 'spec', 'listeners'))
      for (const ref of listAt(listener, 'tls', 'certificateRefs'))
        result.push(secret(stringAt(ref, 'name'), stringAt(ref, 'namespace')));
  if (object.kind === 'Service') {
    result.push(secret(annotations['service.beta.openshift.io/serving-cert-secret-name']));
    result.push(secret(annotations['service.alpha.openshift.io/serving-cert-secret-name']));
  }
  return result;
}

/** Crossplane: any resource may write its connection details. Claims of a StatefulSet; targets of Kyverno `generate` rules. */
function fromShape(object: KubeObject): readonly (Made | undefined)[] {
  const result: (Made | undefined)[] = [];
  const connection = at(object, 'spec', 'writeConnectionSecretToRef');
  result.push(secret(stringAt(connection, 'name'), stringAt(connection, 'namespace')));
  if (object.kind === 'StatefulSet') {
    const { replicas = 1 } = (object['spec'] ?? {}) as { replicas?: number };
    for (const claim of listAt(object, 'spec', 'volumeClaimTemplates'))
      for (let index = 0; index < Math.min(Number(replicas) || 1, 50); index++)
        result.push({
          kind: 'PersistentVolumeClaim',
          name: `${stringAt(claim, 'metadata', 'name') ?? ''}-${nameOf(object)}-${index}`,
        });
  }
  if (object.kind === 'ClusterPolicy' || object.kind === 'Policy')
    for (const rule of listAt(object, 'spec', 'rules')) {
      const kind = stringAt(rule, 'generate', 'kind');
      const name = stringAt(rule, 'generate', 'name');
      if ((kind === 'Secret' || kind === 'ConfigMap' || kind === 'ServiceAccount') && name !== undefined)
        result.push({ kind, name, namespace: null });
    }
  return result;
}

/** In every namespace of a usual cluster, made by controllers that gate does not look at. */
const alwaysThere: ReadonlySet<string> = new Set([
  'ServiceAccount/default',
  'ConfigMap/kube-root-ca.crt',
  'ConfigMap/istio-ca-root-cert',
  'ConfigMap/openshift-service-ca.crt',
  'ConfigMap/linkerd-identity-trust-roots',
  'ConfigMap/trusted-ca-bundle',
]);

function madeKey(scope: string, namespace: string | null, kind: string, name: string): string {
  return [scope, namespace ?? '*', kind, name].join('\u0000');
}

const generatedOf = memo((world: World) => {
  const index = new Map<string, Entry>();
  for (const entry of [...world.entries, ...(world.hooks ?? [])]) {
    const object = entry.effective;
    const key = `${groupOf(object.apiVersion)}/${object.kind}`;
    const own = Object.hasOwn(generators, key) ? generators[key] : undefined;
    const made = [...(own?.(object) ?? []), ...fromAnnotations(object), ...fromShape(object)];
    for (const item of made) {
      if (item === undefined) continue;
      const namespace = item.namespace === undefined ? (entry.ref.namespace ?? null) : item.namespace;
      index.set(madeKey(entry.target.scope, namespace, item.kind, item.name), entry);
    }
  }
  return index;
});

/** Who makes an object that no manifest holds: a known generator, or words that it is always there. */
export function generatedBy(
  world: World,
  scope: string,
  namespace: string,
  kind: string,
  name: string,
): Entry | 'always there' | undefined {
  if (alwaysThere.has(`${kind}/${name}`)) return 'always there';
  const index = generatedOf(world);
  return index.get(madeKey(scope, namespace, kind, name)) ?? index.get(madeKey(scope, null, kind, name));
}

const maxNodes = 5_000;

type Mentions = Map<string, ReadonlyMap<string, Entry>>;
const mentionsOf = memo((_world: World): Mentions => new Map());

/** Strings of custom resources, hooks, RBAC and container arguments of a namespace: places where a made name may occur. */
function mentions(world: World, scope: string, namespace: string): ReadonlyMap<string, Entry> {
  return getOrMake(mentionsOf(world), `${scope}\u0000${namespace}`, () => {
    const words = new Map<string, Entry>();
    const hooks = (world.hooks ?? []).filter(
      (entry) => entry.target.scope === scope && entry.ref.namespace === namespace,
    );
    for (const entry of [...world.inNamespace(scope, namespace), ...hooks])
      for (const word of wordsOf(entry)) if (!words.has(word)) words.set(word, entry);
    return words;
  });
}

function* wordsOf(entry: Entry): Iterable<string> {
  const { group, kind } = entry.ref;
  const object = entry.object;
  const custom = group.includes('.') && !group.endsWith('.k8s.io');
  const isHook = entry.hook !== undefined && entry.hook.length > 0;
  if (custom || kind === 'Role' || isHook) yield* strings(object);
  else {
    for (const way of [['spec', 'template', 'spec'], ['spec', 'jobTemplate', 'spec', 'template', 'spec'], ['spec']]) {
      const spec = at(object, ...way);
      for (const list of ['containers', 'initContainers'])
        for (const container of listAt(spec, list)) {
          yield* strings(at(container, 'args'));
          yield* strings(at(container, 'command'));
          for (const variable of listAt(container, 'env')) yield* strings(at(variable, 'value'));
        }
    }
  }
}

function* strings(root: unknown): Iterable<string> {
  const queue: unknown[] = [root];
  for (let visited = 0; queue.length > 0 && visited < maxNodes; visited++) {
    const value = queue.pop();
    if (typeof value === 'string') {
      if (value.length < 20_000) yield* value.split(/[\s=,"':/;|&()]+/);
    } else if (typeof value === 'object' && value !== null) queue.push(...Object.values(value).slice(0, maxNodes));
  }
}

/**
 * Something in the same namespace names the object elsewhere than in a reference: an argument of a controller, a field of
 * a custom resource, a rule of a Role. It may make the object; this is no proof.
 */
export function mentionedBy(world: World, scope: string, namespace: string, name: string): Entry | undefined {
  return mentions(world, scope, namespace).get(name);
}

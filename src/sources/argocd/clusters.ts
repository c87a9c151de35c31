import type { Config } from '../../core/config.ts';
import type { ClusterState } from '../../core/cluster.ts';
import type { JsonObject, NotEvaluated } from '../../core/model.ts';
import type { SourcedObject, Tree } from '../../core/ports.ts';
import { readDeclarations } from '../read-yaml.ts';
import { asObject, get, text, textMap } from './values.ts';

/** util/../common: the cluster that Argo CD itself runs in. */
export const inClusterName = 'in-cluster';
export const inClusterServer = 'https://kubernetes.default.svc';

const secretTypeLabel = 'argocd.argoproj.io/secret-type';

/** A cluster as Argo CD knows it: what its Secret holds besides credentials. */
export interface ArgoCluster {
  readonly name: string;
  readonly server: string;
  readonly project: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface KnownClusters {
  /** By name, each once: gate.yaml wins over Secrets of the tree, these over the snapshot. */
  readonly clusters: readonly ArgoCluster[];
  readonly notEvaluated: readonly NotEvaluated[];
}

/**
 * Clusters that Argo CD's cluster generator would see: `clusters` of gate.yaml, and Secrets labelled
 * `argocd.argoproj.io/secret-type: cluster` in the tree or in the snapshot.
 */
export function knownClusters(
  tree: Tree,
  config: Config,
  objects: readonly SourcedObject[],
  state: Pick<ClusterState, 'objects'> | undefined,
): KnownClusters {
  const byName = new Map<string, ArgoCluster>();
  const notEvaluated: NotEvaluated[] = [];
  const add = (cluster: ArgoCluster): void => {
    if (!byName.has(cluster.name)) byName.set(cluster.name, cluster);
  };
  for (const cluster of config.clusters) {
    add({
      name: cluster.name,
      server: cluster.server ?? (cluster.name === inClusterName ? inClusterServer : ''),
      project: cluster.project,
      labels: { ...cluster.labels, [secretTypeLabel]: 'cluster' },
      annotations: cluster.annotations,
    });
  }
  const secrets: readonly (SourcedObject | { readonly object: JsonObject })[] = [
    ...objects.filter((item) => isClusterSecret(item.object)),
    ...plainSecrets(tree),
    ...(state?.objects ?? [])
      .map((object) => ({ object: object as unknown as JsonObject }))
      .filter(({ object }) => isClusterSecret(object)),
  ];
  // A rendered Secret is redacted, and the plain one that it is made of may be readable.
  const readable = new Set<string>();
  for (const secret of secrets.toSorted((a, b) => Number(isReadable(b)) - Number(isReadable(a)))) {
    const cluster = clusterOfSecret(secret.object);
    const label = text(get(secret.object, 'metadata', 'name')) ?? 'without a name';
    if (cluster !== undefined) {
      readable.add(label);
      add(cluster);
      continue;
    }
    if (readable.has(label)) continue;
    const server = serverHint(secret.object);
    if (config.clusters.some((known) => known.name === label || (server !== undefined && known.server === server)))
      continue;
    if (notEvaluated.some((note) => note.what === `Argo CD cluster Secret ${label}`)) continue;
    notEvaluated.push({
      what: `Argo CD cluster Secret ${label}`,
      reason: 'its name and server are redacted or encrypted, so that ApplicationSets with a cluster generator miss it',
      ...('location' in secret ? { location: secret.location } : {}),
      next: 'Name the cluster in gate.yaml under clusters, with server and labels.',
      weight: 'note',
    });
  }
  return { clusters: [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1)), notEvaluated };
}

const secretsOfTree = new WeakMap<Tree, readonly SourcedObject[]>();

/** Cluster Secrets in plain files: an ApplicationSet that a parent renders needs them as well. */
function plainSecrets(tree: Tree): readonly SourcedObject[] {
  const known = secretsOfTree.get(tree);
  if (known !== undefined) return known;
  const found = readDeclarations(tree).objects.filter((item) => isClusterSecret(item.object));
  secretsOfTree.set(tree, found);
  return found;
}

function isReadable(secret: { readonly object: JsonObject }): boolean {
  return clusterOfSecret(secret.object) !== undefined;
}

function isClusterSecret(object: JsonObject): boolean {
  return (
    get(object, 'kind') === 'Secret' &&
    get(object, 'apiVersion') === 'v1' &&
    get(object, 'metadata', 'labels', secretTypeLabel) === 'cluster'
  );
}

function clusterOfSecret(secret: JsonObject): ArgoCluster | undefined {
  const name = field(secret, 'name');
  const server = field(secret, 'server');
  if (name === undefined || server === undefined) return undefined;
  return {
    name,
    server,
    project: field(secret, 'project'),
    labels: textMap(get(secret, 'metadata', 'labels')),
    annotations: textMap(get(secret, 'metadata', 'annotations')),
  };
}

/** `stringData` in clear, `data` in base64; undefined when it is missing, redacted or encrypted. */
function field(secret: JsonObject, key: string): string | undefined {
  const clear = text(get(secret, 'stringData', key));
  if (clear !== undefined) return readable(clear);
  const encoded = text(get(asObject(get(secret, 'data')), key));
  if (encoded === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  return bytes.toString('base64') === encoded ? readable(bytes.toString('utf8')) : undefined;
}

/** A cluster name or URL; not a fingerprint, ciphertext or binary. */
function readable(value: string): string | undefined {
  return /^[\w.:/@ -]+$/.test(value) && !/^(?:ENC\[|redacted|sha256:|hmac)/i.test(value) ? value : undefined;
}

/** Argo CD names cluster Secrets `cluster-<host>-<hash>` (util/db URIToSecretName). */
function serverHint(secret: JsonObject): string | undefined {
  const match = /^cluster-(.+)-\d+$/.exec(text(get(secret, 'metadata', 'name')) ?? '');
  return match === null ? undefined : `https://${match[1]}`;
}

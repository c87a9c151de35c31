import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { ClusterState, HelmReleaseRecord, WorkloadPods } from '../core/cluster.ts';
import { GateError, isGateError, type SourceLocation } from '../core/errors.ts';
import { isObject } from '../core/json.ts';
import type { Json, JsonObject, KubeObject } from '../core/model.ts';
import type { Cluster } from '../core/ports.ts';
import { documentsOf, notAnObject, truncated } from './snapshot/documents.ts';
import { readSnapshotText, snapshotFiles } from './snapshot/files.ts';
import { endKind, gateDocument, type GateDocument } from './snapshot/gate-documents.ts';
import { readHeader, type SnapshotHeader } from './snapshot/header.ts';
import { createHelmReleases, helmReleaseKind, type HelmReleases } from './helm/helm-releases.ts';
import { keepObject, kindKey, problemOf } from './objects.ts';
import { createPodSummary, type PodSummary } from './pods/pods.ts';
import { count } from './pods/tally.ts';

const noKey = new Uint8Array(32);

/**
 * A cluster read from a file or a folder: what `gate snapshot` wrote, or any mix of objects and `List`s as kubectl prints
 * them, YAML or JSON, also gzipped, and at most one `ClusterSnapshot` header. Secrets are redacted while they are read,
 * Pods are counted, Helm releases are decoded.
 * @param redactKey key of the fingerprints, the same as for rendered objects, so that equal secrets are seen as equal
 */
export function readSnapshot(path: string, redactKey: Uint8Array = noKey): Cluster {
  let state: Promise<ClusterState> | undefined;
  const read = (): Promise<ClusterState> =>
    (state ??= Promise.resolve().then(() => {
      const collected = empty(redactKey);
      for (const file of snapshotFiles(path)) collect(readSnapshotText(file), file, collected);
      return stateOf(collected, path);
    }));
  return { live: false, describe: read, read };
}

/**
 * As {@link readSnapshot}, from text.
 * @param file name for messages, and for the cluster when there is no header
 * @throws GateError snapshot.bad-yaml, snapshot.bad-header, snapshot.two-headers, snapshot.not-an-object,
 *   snapshot.truncated, snapshot.empty
 */
export function parseSnapshot(text: string, file: string, redactKey: Uint8Array = noKey): ClusterState {
  const collected = empty(redactKey);
  collect(text, file, collected);
  return stateOf(collected, file);
}

/** Which key made the fingerprints of a snapshot, without telling the key. */
export function fingerprintKeyOf(redactKey: Uint8Array): string {
  return createHash('sha256').update(redactKey).digest('hex').slice(0, 12);
}

interface Collected {
  header: { readonly value: SnapshotHeader; readonly location: SourceLocation } | undefined;
  readonly key: Uint8Array;
  readonly objects: Map<string, KubeObject>;
  readonly kinds: Set<string>;
  readonly counts: Map<string, number>;
  /** Summaries that were written, by owner. */
  readonly workloads: Map<string, WorkloadPods>;
  readonly pods: PodSummary;
  readonly records: Map<string, HelmReleaseRecord>;
  readonly releases: HelmReleases;
  documents: number;
}

function empty(key: Uint8Array): Collected {
  return {
    header: undefined,
    key,
    objects: new Map(),
    kinds: new Set(),
    counts: new Map(),
    workloads: new Map(),
    pods: createPodSummary(key),
    records: new Map(),
    releases: createHelmReleases(),
    documents: 0,
  };
}

function stateOf(collected: Collected, path: string): ClusterState {
  const header = collected.header?.value;
  if (collected.documents === 0) {
    throw new GateError({
      code: 'snapshot.empty',
      message: `The snapshot ${basename(path)} holds no objects`,
      fault: 'user',
      location: { file: path },
      next: 'Write it with `gate snapshot`, or with `kubectl get <kinds> --all-namespaces -o yaml`.',
    });
  }
  checkComplete(collected);
  const { server, takenAt, kubernetesVersion, apiVersions, fingerprintKey } = header ?? {};
  for (const pods of collected.pods.finish()) collected.workloads.set(workloadKey(pods), pods);
  const found = collected.releases.finish();
  for (const release of found.releases) addRelease(release, collected);
  const { kindsInNamespaces } = header ?? {};
  return {
    ...(header === undefined ? {} : { named: true }),
    name: header?.metadata.name ?? basename(path).replace(/\.(?:ya?ml|json)(?:\.gz)?$/i, ''),
    ...(server === undefined ? {} : { server }),
    ...(takenAt === undefined ? {} : { takenAt }),
    ...(kubernetesVersion === undefined ? {} : { kubernetesVersion }),
    ...(apiVersions === undefined ? {} : { apiVersions }),
    objects: [...collected.objects.values()],
    pods: [...collected.workloads.values()],
    helmReleases: [...collected.records.values()],
    services: header?.services ?? [],
    metrics: (header?.metrics ?? []).map((metric) => ({ ...metric })),
    kinds: header?.kinds === undefined ? collected.kinds : new Set(header.kinds.map(groupKind)),
    ...(kindsInNamespaces === undefined
      ? {}
      : {
          kindsInNamespaces: new Map(
            Object.entries(kindsInNamespaces).map(([kind, namespaces]) => [groupKind(kind), new Set(namespaces)]),
          ),
        }),
    ...(header?.kinds === undefined ? {} : { allNamespaces: true }),
    unread: [...(header?.unread ?? []).map((entry) => ({ ...entry, kind: groupKind(entry.kind) })), ...found.unread],
    ...(fingerprintKey === undefined || fingerprintKey === fingerprintKeyOf(collected.key)
      ? {}
      : { secretsComparable: false }),
    ...(header?.redacted === true ? { masked: true } : {}),
  };
}

/** `apps/v1/Deployment`, `apps/Deployment`, `v1/Service`, `Service` -> `group/Kind`. */
function groupKind(text: string): string {
  const parts = text.split('/');
  const kind = parts.at(-1) ?? '';
  const group = parts.length === 1 || /^v\d/.test(parts[0] ?? '') ? '' : (parts[0] ?? '');
  return `${group}/${kind}`;
}

/** @throws GateError snapshot.truncated when the header promises more than the files hold */
function checkComplete(collected: Collected): void {
  const missing = missingObjects(collected);
  if (collected.header === undefined || missing.length === 0) return;
  const more = missing.length > 4 ? ` and ${missing.length - 4} more kinds` : '';
  throw truncated(
    collected.header.location,
    `is not complete: its header counts more ${missing.slice(0, 4).join(', ')}${more}`,
  );
}

function missingObjects({ header, counts }: Collected): readonly string[] {
  const expected = Object.entries(header?.value.objects ?? {});
  return expected.flatMap(([kind, number]) => {
    const found = counts.get(groupKind(kind)) ?? 0;
    return found >= number ? [] : [`${kind.replace(/^gate\//, '')} (${number} instead of ${found})`];
  });
}

function collect(text: string, file: string, into: Collected): void {
  try {
    for (const document of documentsOf(text, file)) {
      into.documents++;
      add(document.value, { file, line: document.line }, into);
    }
  } catch (error) {
    // What was cut off leaves half of an object, or half of the header, behind.
    const cut = isGateError(error) && half.has(error.code) && (error.location?.line ?? 0) >= lastDocumentLine(text);
    const promised = into.header === undefined ? text.slice(0, 2000).includes(`gate/${endKind}: 1`) : false;
    if (cut && (promised || missingObjects(into).length > 0)) {
      throw truncated(error.location ?? { file }, 'ends in the middle', error);
    }
    throw error;
  }
}

const half: ReadonlySet<string> = new Set(['snapshot.bad-yaml', 'snapshot.bad-header', 'snapshot.not-an-object']);

/** 1-based line of the last document marker. */
function lastDocumentLine(text: string): number {
  const marker = text.lastIndexOf('\n---');
  let lines = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at <= marker; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}

function add(value: Json, location: SourceLocation, into: Collected): void {
  if (!isObject(value)) throw notAnObject('it is no mapping', location);
  const { apiVersion, kind } = value;
  const items = value['items'];
  if (Array.isArray(items)) {
    // kubectl sorts keys: `kind: List` comes last, so its absence means that the end is missing.
    if (typeof kind !== 'string') throw truncated(location, 'ends in the middle');
    if (!kind.endsWith('List')) throw notAnObject(`it has items, but its kind is ${kind}`, location);
    if (kind !== 'List' && typeof apiVersion === 'string') into.kinds.add(kindKey(apiVersion, kind.slice(0, -4)));
    for (const [index, item] of items.entries()) {
      addItem(withTypeOf(item, apiVersion, kind), location, into, ` (item ${index + 1} of the list)`);
    }
    return;
  }
  addItem(value, location, into, '');
}

function addItem(value: Json, location: SourceLocation, into: Collected, where: string): void {
  const own = gateDocument(value);
  if (own === undefined) addObject(value, location, into, where);
  else addGateDocument(own, location, into, where);
}

/** Items of a typed list (`PodList` from the API itself) carry neither apiVersion nor kind. */
function withTypeOf(item: Json, apiVersion: Json | undefined, kind: string): Json {
  if (!isObject(item) || kind === 'List' || typeof apiVersion !== 'string') return item;
  if (item['kind'] !== undefined && item['apiVersion'] !== undefined) return item;
  return { apiVersion, kind: kind.slice(0, -4), ...item };
}

function addGateDocument(document: GateDocument, location: SourceLocation, into: Collected, where: string): void {
  switch (document.kind) {
    case 'ClusterSnapshot':
      addHeader(document.value, location, into);
      return;
    case 'WorkloadPods':
      into.workloads.set(workloadKey(document.value), document.value);
      into.kinds.add('/Pod');
      break;
    case 'HelmRelease':
      addRelease(document.value, into);
      into.kinds.add(helmReleaseKind);
      break;
    case endKind:
      break;
    default:
      throw notAnObject(`${document.problem}${where}`, location);
  }
  count(into.counts, `gate/${document.kind}`);
}

function addHeader(value: JsonObject, location: SourceLocation, into: Collected): void {
  if (into.header !== undefined) {
    const { file, line } = into.header.location;
    throw new GateError({
      code: 'snapshot.two-headers',
      message: `The snapshot has two ClusterSnapshot headers; the first is at ${file}:${line}`,
      fault: 'user',
      location,
      next: 'Keep one header. Snapshots of two clusters are two snapshots.',
    });
  }
  into.header = { value: readHeader(value, location), location };
}

function addRelease(release: HelmReleaseRecord, into: Collected): void {
  const key = `${release.namespace}\0${release.name}`;
  const known = into.records.get(key);
  if (known === undefined || known.revision <= release.revision) into.records.set(key, release);
}

function workloadKey({ namespace, owner }: WorkloadPods): string {
  return [namespace, owner.group, owner.kind, owner.name].join('\0');
}

function addObject(value: Json, location: SourceLocation, into: Collected, where: string): void {
  const problem = problemOf(value);
  if (problem !== undefined) throw notAnObject(`${problem}${where}`, location);
  const raw = value as JsonObject;
  const kind = kindKey(String(raw['apiVersion']), String(raw['kind']));
  into.kinds.add(kind);
  count(into.counts, kind);
  if (kind === '/Pod') return into.pods.add(raw);
  if ((kind === '/Secret' || kind === '/ConfigMap') && into.releases.add(raw)) {
    into.kinds.add(helmReleaseKind);
    return;
  }
  if (kind === 'apps/ReplicaSet' || kind === 'batch/Job') into.pods.addOwner(raw);
  const object = keepObject(raw, into.key);
  // The same object in two files: the later file counts.
  into.objects.set([kind, object.metadata.namespace ?? '', object.metadata.name].join('\0'), object);
}

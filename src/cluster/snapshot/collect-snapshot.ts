import pMap from 'p-map';
import type { HelmReleaseRecord, UnreadKind, WorkloadPods } from '../../core/cluster.ts';
import type { JsonObject } from '../../core/model.ts';
import type { Progress } from '../../core/ports.ts';
import type { ApiServer, ServedKind } from '../api-server.ts';
import type { Discovery } from '../reading/discovery.ts';
import { textAt } from '../fields.ts';
import { createHelmReleases, helmReleaseKind } from '../helm/helm-releases.ts';
import type { ListOptions } from '../reading/list.ts';
import { keepObject, problemOf } from '../objects.ts';
import { controllerOf } from '../pods/pod-owner.ts';
import { createPodSummary } from '../pods/pods.ts';
import { readReleases } from '../reading/read-cluster.ts';
import { readKind, type ReadOutcome } from '../reading/read-kind.ts';
import { keyOf } from './snapshot-kinds.ts';

export interface CollectRequest {
  readonly api: ApiServer;
  readonly discovery: Discovery;
  readonly kinds: readonly ServedKind[];
  /** Also records of Helm releases. */
  readonly withReleases: boolean;
  /** Absent: all. */
  readonly namespaces?: readonly string[];
  readonly redactKey: Uint8Array;
  readonly progress: Progress;
  /** Gets each object as gate keeps it: redacted. */
  readonly onObject: (kind: string, object: JsonObject) => void;
}

export interface CollectedCluster {
  readonly pods: readonly WorkloadPods[];
  readonly releases: readonly HelmReleaseRecord[];
  /** Read everywhere, as `group/Kind`. */
  readonly kinds: readonly string[];
  readonly kindsInNamespaces: ReadonlyMap<string, readonly string[]>;
  readonly unread: readonly UnreadKind[];
  readonly services: readonly { readonly namespace: string; readonly name: string }[];
}

/** Kinds that are listed at one time; each keeps two pages in memory. */
const concurrency = 3;

/** Objects per request where they are large: definitions and configuration of up to a megabyte each. */
const pageSizes: Readonly<Record<string, number>> = {
  '/ConfigMap': 100,
  '/Secret': 100,
  'apiextensions.k8s.io/CustomResourceDefinition': 25,
};

interface Collecting extends CollectRequest {
  readonly summary: ReturnType<typeof createPodSummary>;
  readonly releases: ReturnType<typeof createHelmReleases>;
  readonly services: { namespace: string; name: string }[];
}

/**
 * Lists the kinds, in parallel, and hands on what it finds page by page: nothing is kept but counts. What may not be read
 * is named and does not stop the rest.
 * @throws GateError when the server itself does not work (cluster.unreachable, cluster.timeout, cluster.unauthorized)
 */
export async function collectCluster(request: CollectRequest): Promise<CollectedCluster> {
  const collecting: Collecting = {
    ...request,
    summary: createPodSummary(request.redactKey),
    releases: createHelmReleases(),
    services: [],
  };
  const tasks = [
    ...request.kinds.map((kind) => ({ key: keyOf(kind), read: async () => readOne(collecting, kind) })),
    ...(request.withReleases ? [{ key: helmReleaseKind, read: async () => readReleaseRecords(collecting) }] : []),
  ];
  request.progress.start('Reading the cluster', tasks.length);
  const outcomes = await pMap(
    tasks,
    async ({ key, read }) => {
      const outcome = await read();
      request.progress.advance(key.replace(/^\//, ''));
      return { key, ...outcome };
    },
    { concurrency },
  );
  request.progress.done();
  const found = collecting.releases.finish();
  return {
    pods: collecting.summary.finish(),
    releases: found.releases,
    kinds: outcomes.filter(({ read }) => read === 'all').map(({ key }) => key),
    kindsInNamespaces: new Map(
      outcomes.flatMap(({ key, read }) => (read === 'all' || read.size === 0 ? [] : [[key, [...read].toSorted()]])),
    ),
    unread: [...outcomes.flatMap(({ unread }) => unread), ...found.unread],
    services: collecting.services,
  };
}

async function readOne(collecting: Collecting, kind: ServedKind): Promise<ReadOutcome> {
  const key = keyOf(kind);
  if (key === 'apps/ReplicaSet') return readReplicaSets(collecting, kind);
  const { summary, releases, services } = collecting;
  const limit = pageSizes[key] ?? 250;
  const options: ListOptions = {
    limit,
    // Helm keeps up to ten revisions of each release, of up to a megabyte.
    ...(key === '/Secret' ? { fieldSelector: 'type!=helm.sh/release.v1' } : {}),
  };
  return readObjects(collecting, kind, options, (object) => {
    if (key === '/Pod') return summary.add(object);
    if (key === '/ConfigMap' && releases.add(object)) return undefined;
    if (key === 'batch/Job') summary.addOwner(object);
    if (key === '/Service') services.push(nameOf(object));
    return collecting.onObject(key, keepObject(object, collecting.redactKey));
  });
}

/**
 * ReplicaSets of Deployments are many and say nothing that the Deployment does not say: only who owns them is read. One
 * without an owner was made by somebody and is an object like others.
 */
async function readReplicaSets(collecting: Collecting, kind: ServedKind): Promise<ReadOutcome> {
  const own: { namespace: string; name: string }[] = [];
  const outcome = await readObjects(collecting, kind, { metadataOnly: true }, (object) => {
    collecting.summary.addOwner(object);
    if (controllerOf(object) === undefined) own.push(nameOf(object));
  });
  const details = await pMap(
    own,
    async ({ namespace, name }) =>
      readObjects(
        { ...collecting, namespaces: [namespace] },
        kind,
        { fieldSelector: `metadata.name=${name}` },
        (object) => collecting.onObject(keyOf(kind), keepObject(object, collecting.redactKey)),
      ),
    { concurrency },
  );
  return { ...outcome, unread: [...outcome.unread, ...details.flatMap(({ unread }) => unread)] };
}

async function readObjects(
  { api, namespaces }: Collecting,
  kind: ServedKind,
  options: Omit<ListOptions, 'namespace'>,
  take: (object: JsonObject) => void,
): Promise<ReadOutcome> {
  let problem: string | undefined;
  const outcome = await readKind(
    api,
    kind,
    namespaces === undefined ? {} : { namespaces },
    (items) => {
      for (const item of items) {
        const wrong = problemOf(item);
        if (wrong === undefined) take(item);
        else problem ??= wrong;
      }
    },
    options,
  );
  if (problem === undefined) return outcome;
  const reason = `the server gave an object that gate does not take: ${problem}`;
  return { read: new Set(), unread: [...outcome.unread, { kind: keyOf(kind), reason }] };
}

async function readReleaseRecords(collecting: Collecting): Promise<ReadOutcome> {
  const { api, discovery, namespaces, releases } = collecting;
  const where = namespaces === undefined ? {} : { namespaces };
  return readReleases({ api, discovery, releases, fallback: [] }, { kind: helmReleaseKind, ...where });
}

function nameOf(object: JsonObject): { namespace: string; name: string } {
  return {
    namespace: textAt(object, 'metadata', 'namespace') ?? 'default',
    name: textAt(object, 'metadata', 'name') ?? '',
  };
}

import { groupOf, splitKind } from '../../core/json.ts';
import pMap from 'p-map';
import { GateError } from '../../core/errors.ts';
import type { ClusterState, UnreadKind, WantedKind } from '../../core/cluster.ts';
import type { JsonObject, KubeObject } from '../../core/model.ts';
import type { ApiServer, ServedKind } from '../api-server.ts';
import { servedKind, type Discovery } from './discovery.ts';
import { createHelmReleases, helmReleaseKind, isReleaseStorage } from '../helm/helm-releases.ts';
import type { ListOptions } from './list.ts';
import { keepObject, problemOf } from '../objects.ts';
import { createPodSummary } from '../pods/pods.ts';
import { isForbidden, readKind, type ReadOutcome } from './read-kind.ts';

/** What was read of a cluster. */
export type ReadState = Pick<
  ClusterState,
  'objects' | 'pods' | 'helmReleases' | 'kinds' | 'kindsInNamespaces' | 'allNamespaces' | 'unread'
>;

/** Kinds that are listed at one time; each keeps up to two pages in memory. */
const concurrency = 6;

/**
 * Lists the kinds asked for, in parallel. Objects are redacted and trimmed page by page; pods are counted and dropped.
 * @throws GateError when nothing at all could be read because the server does not work
 */
export async function readCluster(
  api: ApiServer,
  discovery: Discovery,
  wanted: readonly WantedKind[],
  redactKey: Uint8Array,
): Promise<ReadState> {
  const reading: Reading = {
    api,
    discovery,
    redactKey,
    fallback: [...new Set(wanted.flatMap(({ namespaces }) => namespaces ?? []))].toSorted(),
    pods: createPodSummary(redactKey),
    releases: createHelmReleases(),
  };
  const outcomes = await pMap(wanted, async (kind) => ({ kind: kind.kind, ...(await readWanted(reading, kind)) }), {
    concurrency,
  });
  const kinds = new Set(outcomes.filter(({ read }) => read === 'all').map(({ kind }) => kind));
  const kindsInNamespaces = new Map(
    outcomes.flatMap(({ kind, read }) => (read === 'all' || read.size === 0 ? [] : [[kind, read] as const])),
  );
  const asked = outcomes.filter(({ served }) => served !== false);
  if (asked.every(({ read }) => read !== 'all' && read.size === 0)) failWithNothing(api, asked);
  const { releases, unread } = reading.releases.finish();
  return {
    objects: outcomes.flatMap(({ objects = [] }) => objects),
    pods: reading.pods.finish(),
    helmReleases: releases,
    kinds,
    ...(kindsInNamespaces.size === 0 ? {} : { kindsInNamespaces }),
    allNamespaces: true,
    unread: [...outcomes.flatMap((outcome) => outcome.unread), ...unread, ...staleGroups(discovery)].toSorted(
      (left, right) => (left.kind < right.kind ? -1 : left.kind > right.kind ? 1 : 0),
    ),
  };
}

/** An empty picture must not look like one that was read. */
function failWithNothing(api: ApiServer, outcomes: readonly ReadOutcome[]): void {
  const trouble = outcomes.find((outcome) => outcome.trouble !== undefined)?.trouble;
  if (trouble !== undefined) throw trouble;
  const [first, ...others] = outcomes.flatMap(({ unread }) => unread);
  if (first === undefined || ![first, ...others].every(isForbidden)) return;
  throw new GateError({
    code: 'cluster.unauthorized',
    message: `Nothing that is needed may be read from ${api.url}: ${first.reason}`,
    fault: 'user',
    next: '`gate rbac` prints the role that gate needs.',
  });
}

interface Reading {
  readonly api: ApiServer;
  readonly discovery: Discovery;
  readonly redactKey: Uint8Array;
  readonly fallback: readonly string[];
  readonly pods: ReturnType<typeof createPodSummary>;
  readonly releases: ReturnType<typeof createHelmReleases>;
}

/** Kinds with objects of up to a megabyte come in smaller pages; Helm's revisions are left out where the server can. */
const listOptions: Readonly<Record<string, Omit<ListOptions, 'namespace'>>> = {
  '/ConfigMap': { limit: 100 },
  '/Secret': { limit: 100, fieldSelector: 'type!=helm.sh/release.v1' },
  'apiextensions.k8s.io/CustomResourceDefinition': { limit: 25 },
};

interface WantedOutcome extends ReadOutcome {
  readonly objects?: readonly KubeObject[];
}

async function readWanted(reading: Reading, wanted: WantedKind): Promise<WantedOutcome> {
  if (wanted.kind === '/Pod') return readPods(reading, wanted);
  if (wanted.kind === helmReleaseKind) return readReleases(reading, wanted);
  const found = findKind(reading.discovery, wanted);
  if (found === undefined) return notServed(reading.discovery, wanted.kind);
  const objects: KubeObject[] = [];
  let problem: string | undefined;
  const add = (items: readonly JsonObject[]): void => {
    for (const item of items) {
      const wrong = problemOf(item);
      if (wrong !== undefined) problem ??= wrong;
      // Helm's records are evidence of their own, and nothing that Git holds.
      else if (!isReleaseStorage(item)) objects.push(keepObject(item, reading.redactKey));
    }
  };
  const outcome = await readKind(reading.api, found, place(reading, wanted), add, listOptions[wanted.kind]);
  if (problem === undefined) return { ...outcome, objects };
  const reason = `the server gave an object that gate does not take: ${problem}`;
  return { ...outcome, read: new Set(), unread: [...outcome.unread, { kind: wanted.kind, reason }] };
}

/** In the version that Git has, so that both sides compare; else in the one that the server prefers. */
function findKind(discovery: Discovery, { kind, version }: WantedKind): ServedKind | undefined {
  const [group, name] = splitKind(kind);
  const exact = version === undefined ? undefined : servedKind(discovery, group, name, version);
  return exact ?? servedKind(discovery, group, name);
}

function place(reading: Pick<Reading, 'fallback'>, { namespaces }: WantedKind) {
  return { ...(namespaces === undefined ? {} : { namespaces }), fallback: reading.fallback };
}

/** There is none, unless the server that would serve it is away. */
function notServed({ stale }: Discovery, kind: string): ReadOutcome {
  const [group] = splitKind(kind);
  if (!stale.some((version) => version.startsWith(`${group}/`))) return { read: 'all', unread: [], served: false };
  return { read: new Set(), unread: [{ kind, ...staleReason }], served: false };
}

const staleReason = {
  reason: 'the extension API server that serves it does not answer',
  next: 'See `kubectl get apiservices`.',
};

/** `group/*` of each group whose extension API server is away: nothing is known of its kinds, not even which there are. */
export function staleGroups({ stale }: Discovery): UnreadKind[] {
  const groups = new Set(stale.map(groupOf));
  return [...groups].map((group) => ({ kind: `${group}/*`, ...staleReason }));
}

async function readPods(reading: Reading, wanted: WantedKind): Promise<ReadOutcome> {
  const { api, discovery, pods } = reading;
  const where = place(reading, wanted);
  const owners = [
    ['apps', 'ReplicaSet'],
    ['batch', 'Job'],
  ].flatMap(([group = '', kind = '']) => servedKind(discovery, group, kind) ?? []);
  const pod = servedKind(discovery, '', 'Pod');
  if (pod === undefined) return notServed(discovery, '/Pod');
  const add = (items: readonly JsonObject[], to: (item: JsonObject) => void): void => {
    for (const item of items) if (problemOf(item) === undefined) to(item);
  };
  const [outcome] = await Promise.all([
    readKind(api, pod, where, (items) => add(items, (item) => pods.add(item))),
    // Where they may not be listed, the names and labels of the pods tell what is above them.
    ...owners.map((owner) =>
      readKind(api, owner, where, (items) => add(items, (item) => pods.addOwner(item)), { metadataOnly: true }),
    ),
  ]);
  return outcome;
}

/** Without revisions that a later one replaced: they are nine tenths of the bytes, of up to 1 MB each. */
const releaseList = { labelSelector: 'owner=helm,status!=superseded', limit: 50 };

/** Reads the newest revisions of Helm releases. */
export async function readReleases(
  reading: Pick<Reading, 'api' | 'discovery' | 'fallback' | 'releases'>,
  wanted: WantedKind,
): Promise<ReadOutcome> {
  const { api, discovery, releases } = reading;
  const add = (items: readonly JsonObject[]): void => {
    for (const item of items) if (problemOf(item) === undefined) releases.add(item);
  };
  const [secret, configMap] = [servedKind(discovery, '', 'Secret'), servedKind(discovery, '', 'ConfigMap')];
  if (secret === undefined || configMap === undefined) return notServed(discovery, '/Secret');
  const where = place(reading, wanted);
  const bySecret = await readKind(api, secret, where, add, {
    ...releaseList,
    fieldSelector: 'type=helm.sh/release.v1',
  });
  // HELM_DRIVER=configmap is rare: not being allowed to look there is no gap worth a word.
  if (bySecret.read === 'all' || bySecret.read.size > 0) await readKind(api, configMap, where, add, releaseList);
  return { ...bySecret, unread: bySecret.unread.map((entry) => ({ ...entry, kind: helmReleaseKind })) };
}

import type { ClusterState, ContainerMetrics, ServiceMetrics, UnreadKind } from '../../core/cluster.ts';
import type { JsonObject } from '../../core/model.ts';
import type { Progress } from '../../core/ports.ts';
import type { ApiServer } from '../api-server.ts';
import { collectCluster, type CollectedCluster } from './collect-snapshot.ts';
import type { Discovery } from '../reading/discovery.ts';
import { emitYaml } from './emit-yaml.ts';
import { endKind, gateVersion, podsDocument, releaseDocument } from './gate-documents.ts';
import { createMask } from './mask.ts';
import { openOutput, unwritable, type Format, type Output } from './output-file.ts';
import { fingerprintKeyOf } from '../snapshot.ts';
import { staleGroups } from '../reading/read-cluster.ts';
import { chooseKinds, type KindChoice } from './snapshot-kinds.ts';
import { snapshotObject } from './snapshot-objects.ts';
import type { Spool } from './spool.ts';
import { count, recordOf } from '../pods/tally.ts';

export interface SnapshotRequest {
  readonly api: ApiServer;
  readonly discovery: Discovery;
  /** A path, or `-` for stdout. `.json` gives a JSON List, `.gz` packs; everything else is YAML. */
  readonly output: string;
  readonly choice: KindChoice;
  /** Kinds of namespaces are read in these only. Absent: in all. */
  readonly namespaces?: readonly string[];
  /** Also hides what judging can do without: see {@link createMask}. */
  readonly redact: boolean;
  readonly redactKey: Uint8Array;
  readonly now: Date;
  readonly progress: Progress;
  /** Asks for figures of containers and Services, given what was found. */
  readonly metrics?: (state: ClusterState) => Promise<{
    readonly metrics: readonly ContainerMetrics[];
    readonly services: readonly ServiceMetrics[];
  }>;
}

export interface SnapshotSummary {
  /** Documents without header and end. */
  readonly objects: number;
  readonly kinds: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly unread: readonly UnreadKind[];
}

/**
 * Writes what a cluster holds into one file, the header first. Objects go through a temporary file, so that memory does
 * not grow with the cluster; the file appears under its name when it is complete. The same cluster gives the same bytes,
 * but for `takenAt`.
 * @throws GateError cluster.* when the server does not work, snapshot.unwritable, snapshot.unknown-kind
 */
export async function writeSnapshot(request: SnapshotRequest): Promise<SnapshotSummary> {
  const began = performance.now();
  const { api, discovery, redactKey, choice } = request;
  const chosen = chooseKinds(discovery, choice);
  const output = openOutput(request.output);
  try {
    const mask = request.redact ? createMask(redactKey) : undefined;
    const counts = new Map<string, number>();
    const add = documentWriter(request.output, output, counts);
    const collected = await collectCluster({
      api,
      discovery,
      kinds: chosen.kinds,
      withReleases: chosen.releases,
      ...(request.namespaces === undefined ? {} : { namespaces: [...new Set(request.namespaces)].toSorted() }),
      redactKey,
      progress: request.progress,
      onObject: (kind, object) => {
        const kept = snapshotObject(object);
        add(kind, kept, mask === undefined ? kept : mask.object(kept));
      },
    });
    for (const pods of collected.pods) {
      const { kind, name, group } = pods.owner;
      const document = podsDocument(mask === undefined ? pods : mask.pods(pods));
      add('gate/WorkloadPods', { metadata: { namespace: pods.namespace, name: `${kind}/${name}/${group}` } }, document);
    }
    for (const release of collected.releases) {
      const { namespace, name } = release;
      add('gate/HelmRelease', { metadata: { namespace, name } }, releaseDocument(release));
    }
    add(`\uffff/${endKind}`, {}, { apiVersion: gateVersion, kind: endKind });
    const unread = [...chosen.unread, ...collected.unread].toSorted((left, right) =>
      sortKey(left) < sortKey(right) ? -1 : 1,
    );
    const figures = await request.metrics?.(stateFor(request, collected));
    const header = headerOf(request, collected, unread, counts, figures);
    const bytes = await output.finish(texts(output.spool, output.format, header));
    const objects = [...counts.values()].reduce((sum, number) => sum + number, -1);
    const kinds = collected.kinds.length + collected.kindsInNamespaces.size;
    return { objects, kinds, bytes, seconds: (performance.now() - began) / 1000, unread };
  } finally {
    output.close();
  }
}

function sortKey({ kind, namespaces = [], reason }: UnreadKind): string {
  return [kind, namespaces.join(), reason].join('\0');
}

/** Adds one document to the file; `of` is the object whose place it takes. */
function documentWriter(target: string, { spool, format }: Output, counts: Map<string, number>) {
  return (kind: string, of: JsonObject, document: JsonObject): void => {
    const metadata = (of['metadata'] ?? {}) as { namespace?: string; name?: string };
    const key = [kind, metadata.namespace ?? '', metadata.name ?? ''].join('\0');
    const text = format === 'yaml' ? `---\n${emitYaml(document)}` : `,\n${JSON.stringify(document)}`;
    try {
      spool.add(key, text);
    } catch (cause) {
      throw unwritable(target, cause);
    }
    count(counts, kind.startsWith('\uffff') ? `gate/${endKind}` : label(kind));
  };
}

function* texts(spool: Spool, format: Format, header: JsonObject): Generator<Buffer> {
  const head =
    format === 'yaml' ? emitYaml(header) : `{"apiVersion":"v1","kind":"List","items":[\n${JSON.stringify(header)}`;
  yield Buffer.from(head);
  yield* spool.read();
  if (format === 'json') yield Buffer.from('\n]}\n');
}

/** `/Service` -> `Service`: as people write kinds. */
function label(kind: string): string {
  return kind.replace(/^\//, '');
}

/** What is asked for figures about: no objects but names. */
function stateFor({ api, discovery }: SnapshotRequest, collected: CollectedCluster): ClusterState {
  return {
    name: api.name,
    kubernetesVersion: discovery.kubernetesVersion,
    objects: collected.services.map((metadata) => ({ apiVersion: 'v1', kind: 'Service', metadata })),
    pods: collected.pods,
    helmReleases: [],
    metrics: [],
    services: [],
    kinds: new Set(collected.kinds),
    unread: [],
  };
}

function headerOf(
  { api, discovery, namespaces, redact, redactKey, now }: SnapshotRequest,
  { kinds, kindsInNamespaces }: CollectedCluster,
  unread: readonly UnreadKind[],
  counts: ReadonlyMap<string, number>,
  figures: Awaited<ReturnType<NonNullable<SnapshotRequest['metrics']>>> | undefined,
): JsonObject {
  const header = {
    apiVersion: gateVersion,
    kind: 'ClusterSnapshot',
    metadata: { name: api.name },
    // First, and the end first of all: a header that is cut off behind this line shows what is missing.
    objects: { [`gate/${endKind}`]: 1, ...recordOf(counts) },
    ...(redact ? { redacted: true } : { server: api.url }),
    takenAt: now.toISOString().replace(/\.\d+Z$/, 'Z'),
    kubernetesVersion: discovery.kubernetesVersion,
    fingerprintKey: fingerprintKeyOf(redactKey),
    unread: [...unread, ...staleGroups(discovery)].map((entry) => ({ ...entry, kind: label(entry.kind) })),
    kinds: kinds.map(label).toSorted(),
    ...(namespaces === undefined
      ? {}
      : {
          kindsInNamespaces: recordOf(new Map([...kindsInNamespaces].map(([kind, places]) => [label(kind), places]))),
        }),
    apiVersions: discovery.apiVersions,
    ...(figures === undefined ? {} : { metrics: figures.metrics, services: figures.services }),
  };
  return header as unknown as JsonObject;
}

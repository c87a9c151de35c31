import { isObject } from '../core/json.ts';
import { basename } from 'node:path';
import { GateError, messageOf, type SourceLocation } from '../core/errors.ts';
import type { ClusterState } from '../core/cluster.ts';
import type { Json, JsonObject, KubeObject } from '../core/model.ts';
import type { Cluster } from '../core/ports.ts';
import { readDocument, splitDocuments, YamlError } from '../core/yaml/read.ts';
import { readSnapshotText, snapshotFiles } from './files.ts';
import { readHeader, type SnapshotHeader } from './header.ts';
import { keepObject, kindKey, problemOf } from './objects.ts';

const noKey = new Uint8Array(32);

/**
 * A cluster read from a file or a folder: any mix of objects and `List`s as kubectl prints them, YAML or JSON, also
 * gzipped, and at most one `ClusterSnapshot` header. Secrets are redacted while they are read.
 * @param redactKey key of the fingerprints, the same as for rendered objects, so that equal secrets are seen as equal
 */
export function readSnapshot(path: string, redactKey: Uint8Array = noKey): Cluster {
  let state: Promise<ClusterState> | undefined;
  const read = (): Promise<ClusterState> =>
    (state ??= Promise.resolve().then(() => {
      const collected = empty();
      for (const file of snapshotFiles(path)) collect(readSnapshotText(file), file, redactKey, collected);
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
  const collected = empty();
  collect(text, file, redactKey, collected);
  return stateOf(collected, file);
}

interface Collected {
  header: { readonly value: SnapshotHeader; readonly location: SourceLocation } | undefined;
  readonly objects: Map<string, KubeObject>;
  readonly kinds: Set<string>;
  documents: number;
}

function empty(): Collected {
  return { header: undefined, objects: new Map(), kinds: new Set(), documents: 0 };
}

function stateOf(collected: Collected, path: string): ClusterState {
  const header = collected.header?.value;
  if (collected.documents === 0) {
    throw new GateError({
      code: 'snapshot.empty',
      message: `The snapshot ${basename(path)} holds no objects`,
      fault: 'user',
      location: { file: path },
      next: 'Write it with `kubectl get <kinds> --all-namespaces -o yaml`.',
    });
  }
  const { takenAt, kubernetesVersion, apiVersions } = header ?? {};
  return {
    ...(header === undefined ? {} : { named: true }),
    name: header?.metadata.name ?? basename(path).replace(/\.(?:ya?ml|json)(?:\.gz)?$/i, ''),
    ...(takenAt === undefined ? {} : { takenAt }),
    ...(kubernetesVersion === undefined ? {} : { kubernetesVersion }),
    ...(apiVersions === undefined ? {} : { apiVersions }),
    objects: [...collected.objects.values()],
    pods: [],
    helmReleases: [],
    services: (header?.services ?? []).map((service) => ({ ...service })),
    unread: [],
    metrics: (header?.metrics ?? []).map((metric) => ({ ...metric })),
    kinds: header?.kinds === undefined ? collected.kinds : new Set(header.kinds.map(groupKind)),
    ...(header?.kinds === undefined ? {} : { allNamespaces: true }),
  };
}

/** `apps/v1/Deployment`, `apps/Deployment`, `v1/Service`, `Service` -> `group/Kind`. */
function groupKind(text: string): string {
  const parts = text.split('/');
  const kind = parts.at(-1) ?? '';
  const group = parts.length === 1 || /^v\d/.test(parts[0] ?? '') ? '' : (parts[0] ?? '');
  return `${group}/${kind}`;
}

function collect(text: string, file: string, key: Uint8Array, into: Collected): void {
  for (const document of documentsOf(text, file)) {
    into.documents++;
    add(document.value, { file, line: document.line }, key, into);
  }
}

interface Document {
  readonly value: Json;
  readonly line: number;
}

function* documentsOf(text: string, file: string): Iterable<Document> {
  const json = /\.json(?:\.gz)?$/i.test(file) || text.startsWith('{');
  if (json) {
    const value = parseJson(text, file);
    if (value !== undefined) {
      yield { value, line: 1 };
      return;
    }
  }
  for (const part of splitDocuments(text)) {
    let document;
    try {
      document = readDocument(part);
    } catch (cause) {
      throw badYaml(cause, file);
    }
    if (document.value !== null) yield document;
  }
}

/** Undefined when the text is no single JSON value but may be YAML. */
function parseJson(text: string, file: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    const message = messageOf(cause);
    const position = Number(/ at position (\d+)/.exec(message)?.[1] ?? 0);
    if (/Unexpected end|Unterminated/.test(message) || position >= text.trimEnd().length)
      throw truncated(file, text.split('\n').length, cause);
    // Several JSON values in one file, or YAML in flow style: the YAML reader says what is wrong.
    return undefined;
  }
}

function badYaml(cause: unknown, file: string): GateError {
  const line = cause instanceof YamlError ? cause.line : undefined;
  const column = cause instanceof YamlError ? cause.column : undefined;
  return new GateError({
    code: 'snapshot.bad-yaml',
    message: `The snapshot cannot be read: ${messageOf(cause)}`,
    fault: 'user',
    location: { file, ...(line === undefined ? {} : { line }), ...(column === undefined ? {} : { column }) },
    next: 'Write the snapshot again; it must be what kubectl prints with -o yaml or -o json.',
    cause,
  });
}

function truncated(file: string, line: number, cause?: unknown): GateError {
  return new GateError({
    code: 'snapshot.truncated',
    message: `The snapshot ${basename(file)} ends in the middle`,
    fault: 'user',
    location: { file, line },
    next: 'Write it again: what is missing would look as if it were not in the cluster.',
    cause,
  });
}

function add(value: Json, location: SourceLocation, key: Uint8Array, into: Collected): void {
  if (!isObject(value)) throw notAnObject('it is no mapping', location);
  const { apiVersion, kind } = value;
  if (apiVersion === 'gate/v1' && kind === 'ClusterSnapshot') return addHeader(value, location, into);
  const items = value['items'];
  if (Array.isArray(items)) {
    // kubectl sorts keys: `kind: List` comes last, so its absence means that the end is missing.
    if (typeof kind !== 'string') throw truncated(location.file, location.line ?? 1);
    if (!kind.endsWith('List')) throw notAnObject(`it has items, but its kind is ${kind}`, location);
    if (kind !== 'List' && typeof apiVersion === 'string') into.kinds.add(kindKey(apiVersion, kind.slice(0, -4)));
    for (const [index, item] of items.entries()) {
      addObject(withTypeOf(item, apiVersion, kind), location, key, into, ` (item ${index + 1} of the list)`);
    }
    return;
  }
  addObject(value, location, key, into, '');
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

/** Items of a typed list (`PodList` from the API itself) carry neither apiVersion nor kind. */
function withTypeOf(item: Json, apiVersion: Json | undefined, kind: string): Json {
  if (!isObject(item) || kind === 'List' || typeof apiVersion !== 'string') return item;
  if (item['kind'] !== undefined && item['apiVersion'] !== undefined) return item;
  return { apiVersion, kind: kind.slice(0, -4), ...item };
}

function addObject(value: Json, location: SourceLocation, key: Uint8Array, into: Collected, where: string): void {
  const problem = problemOf(value);
  if (problem !== undefined) throw notAnObject(`${problem}${where}`, location);
  const object = keepObject(value as JsonObject, key);
  const kind = kindKey(object.apiVersion, object.kind);
  into.kinds.add(kind);
  // The same object in two files: the later file counts.
  into.objects.set([kind, object.metadata.namespace ?? '', object.metadata.name].join('\0'), object);
}

function notAnObject(why: string, location: SourceLocation): GateError {
  return new GateError({
    code: 'snapshot.not-an-object',
    message: `A document of the snapshot is not a Kubernetes object: ${why}`,
    fault: 'user',
    location,
    next: 'A snapshot holds only what kubectl prints with -o yaml or -o json, and at most one ClusterSnapshot header.',
  });
}

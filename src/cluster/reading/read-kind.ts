import type { UnreadKind } from '../../core/cluster.ts';
import { isGateError, type GateError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/model.ts';
import type { ApiServer, ServedKind } from '../api-server.ts';
import { ListRefused, missingRule, pages, type ListOptions } from './list.ts';

/** How far a kind was read. */
export interface ReadOutcome {
  /** `all`: every object in the cluster. Otherwise exactly these namespaces, possibly none. */
  readonly read: 'all' | ReadonlySet<string>;
  readonly unread: readonly UnreadKind[];
  /** False: the server has no such kind, or the one that serves it is away; nothing was listed. */
  readonly served?: false;
  /** The server failed at a list, rather than refusing it. */
  readonly trouble?: GateError;
}

/**
 * Reads a kind in the whole cluster, or in some namespaces. When the whole cluster is forbidden, the namespaces of
 * `fallback` are read one by one: a Role in each of them is enough for a change that touches only these.
 * @param onPage gets the objects as they come; the next page is on its way meanwhile
 * @throws GateError when the server itself does not work
 */
export async function readKind(
  api: ApiServer,
  kind: ServedKind,
  where: { readonly namespaces?: readonly string[]; readonly fallback?: readonly string[] },
  onPage: (items: readonly JsonObject[]) => void,
  options: Omit<ListOptions, 'namespace'> = {},
): Promise<ReadOutcome> {
  let trouble: GateError | undefined;
  const list = async (namespace: string | undefined): Promise<UnreadKind | undefined> => {
    try {
      for await (const page of pages(api, kind, { ...options, ...(namespace === undefined ? {} : { namespace }) })) {
        onPage(page);
      }
      return undefined;
    } catch (error) {
      if (!(error instanceof ListRefused)) throw error;
      if (isGateError(error.cause)) trouble ??= error.cause;
      return error.unread;
    }
  };
  const outcome = await readPlaces(kind, where, list);
  return trouble === undefined ? outcome : { ...outcome, trouble };
}

type List = (namespace: string | undefined) => Promise<UnreadKind | undefined>;

async function readPlaces(
  kind: ServedKind,
  where: { readonly namespaces?: readonly string[]; readonly fallback?: readonly string[] },
  list: List,
): Promise<ReadOutcome> {
  if (where.namespaces === undefined || !kind.namespaced) {
    const refused = await list(undefined);
    if (refused === undefined) return { read: 'all', unread: [] };
    const fallback = kind.namespaced && isForbidden(refused) ? (where.fallback ?? []) : [];
    if (fallback.length === 0) return { read: new Set(), unread: [refused] };
    const { read, unread } = await inNamespaces(kind, fallback, list);
    if (read === 'all' || read.size === 0) return { read, unread: [refused] };
    // What lies in other namespaces stays unknown: the evidence was wanted of all of them.
    const elsewhere = { ...refused, reason: `${refused.reason} outside of the namespace ${[...read].join(', ')}` };
    return { read, unread: [elsewhere, ...unread] };
  }
  return inNamespaces(kind, where.namespaces, list);
}

async function inNamespaces(kind: ServedKind, namespaces: readonly string[], list: List): Promise<ReadOutcome> {
  const results = await Promise.all(
    namespaces.map(async (namespace) => ({ namespace, refused: await list(namespace) })),
  );
  const read = new Set(results.filter(({ refused }) => refused === undefined).map(({ namespace }) => namespace));
  return {
    read,
    unread: joinRefused(
      kind,
      results.flatMap(({ refused }) => refused ?? []),
    ),
  };
}

/** Namespaces that were refused for one reason are one entry. */
function joinRefused(kind: ServedKind, refused: readonly UnreadKind[]): UnreadKind[] {
  const reasons = Map.groupBy(refused, ({ reason }) => reason);
  return [...reasons.values()].map((entries) => {
    const [first] = entries as [UnreadKind, ...UnreadKind[]];
    if (entries.length === 1) return first;
    const namespaces = entries.flatMap((entry) => entry.namespaces ?? []);
    return { ...first, namespaces, ...(isForbidden(first) ? { next: missingRule(kind, namespaces) } : {}) };
  });
}

/** The server refused the list, rather than failing at it. */
export function isForbidden({ reason }: UnreadKind): boolean {
  return reason.startsWith('list is forbidden');
}

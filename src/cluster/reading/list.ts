import type { UnreadKind } from '../../core/cluster.ts';
import { isGateError } from '../../core/errors.ts';
import { isObject } from '../../core/json.ts';
import type { JsonObject } from '../../core/model.ts';
import type { ApiAnswer, ApiServer, ServedKind } from '../api-server.ts';
import { ExchangeStopped } from '../connection/exchange-stopped.ts';

export interface ListOptions {
  /** Absent: the whole cluster. Of no meaning for cluster-scoped kinds. */
  readonly namespace?: string;
  /** Objects per request; default 500, as kubectl. */
  readonly limit?: number;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Only `metadata` of each object (PartialObjectMetadata). */
  readonly metadataOnly?: boolean;
}

/** The server does not give a list; {@link ListRefused.unread} says why and what is missing. */
export class ListRefused extends Error {
  readonly unread: UnreadKind;

  constructor(unread: UnreadKind, cause?: unknown) {
    super(`${unread.kind}: ${unread.reason}`, { cause });
    this.unread = unread;
  }
}

/**
 * All objects of a kind, page by page; the next page is asked for while one is worked on. Every object has `apiVersion`
 * and `kind`. `resourceVersion` is left unset: that is the most recent state, while `0` may be a watch cache that lags
 * behind (Kubernetes API concepts, "Resource versions"). A kind that is not served has no objects.
 * @throws ListRefused when this list is not given, while the server itself works
 * @throws GateError as requests do
 */
export async function* pages(
  api: ApiServer,
  kind: ServedKind,
  options: ListOptions = {},
): AsyncGenerator<readonly JsonObject[], void, void> {
  if (!kind.verbs.includes('list')) return;
  const reader = { api, kind, options, limit: options.limit ?? 500 };
  // Filled only when the list has to be read again from the start.
  const seen = new Set<string>();
  let restarts = 0;
  let next: Promise<Page> | undefined = fetchPage(reader, undefined);
  while (next !== undefined) {
    const page: Page = await next;
    if (page.expired) {
      // The continue token outlived the history of etcd (5 minutes by default): the rest would be of another time.
      if (++restarts > 3) throw new ListRefused({ ...about(kind, options), reason: expiredReason, next: expiredNext });
      next = fetchPage(reader, undefined);
      continue;
    }
    next = page.token === undefined ? undefined : fetchPage(reader, page.token);
    // It is awaited in the next turn; until then nobody listens.
    next?.catch(() => undefined);
    const fresh = page.items.filter((item) => !seen.has(identity(item)));
    for (const item of fresh) seen.add(identity(item));
    if (fresh.length > 0) yield fresh;
  }
}

const expiredReason = 'the list expired three times while it was read';
const expiredNext = 'The server drops its history faster than the list can be read; use a snapshot.';

interface Reader {
  readonly api: ApiServer;
  readonly kind: ServedKind;
  readonly options: ListOptions;
  limit: number;
}

interface Page {
  readonly items: readonly JsonObject[];
  readonly token: string | undefined;
  readonly expired: boolean;
}

const nothing: Page = { items: [], token: undefined, expired: false };

async function fetchPage(reader: Reader, token: string | undefined): Promise<Page> {
  const { api, kind, options } = reader;
  let answer: ApiAnswer;
  try {
    answer = await api.request('GET', pathOf(reader, token), options.metadataOnly === true ? { accept: partial } : {});
  } catch (error) {
    // A few hundred of the largest objects (1.5 MB each) are more than is read at once.
    if (isTooLarge(error) && reader.limit > 1) {
      reader.limit = Math.ceil(reader.limit / 10);
      return fetchPage(reader, token);
    }
    if (isGateError(error) && (error.code === 'cluster.overloaded' || error.code === 'cluster.bad-answer')) {
      const next = error.next === undefined ? {} : { next: error.next };
      throw new ListRefused({ ...about(kind, options), reason: error.message, ...next, failed: true }, error);
    }
    throw error;
  }
  const { status, body } = answer;
  if (status === 410) return { ...nothing, expired: true };
  if (status === 404 || status === 405) return nothing;
  // An empty PartialObjectMetadataList has `items: null` (a nil slice in Go).
  const items = body['items'] === null ? [] : body['items'];
  if (status !== 200 || !Array.isArray(items)) throw refused(reader, answer);
  const metadata = isObject(body['metadata']) ? body['metadata'] : {};
  const rest = metadata['continue'];
  const apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
  // First, as kubectl prints them; the items themselves have none, or PartialObjectMetadata.
  const type = { apiVersion, kind: kind.kind };
  return {
    items: items.filter(isObject).map((item) => ({ ...type, ...item, ...type })),
    token: typeof rest === 'string' && rest !== '' ? rest : undefined,
    expired: false,
  };
}

const partial = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';

function isTooLarge(error: unknown): boolean {
  return isGateError(error) && error.cause instanceof ExchangeStopped && error.cause.reason === 'too-large';
}

/** `/apis/apps/v1/namespaces/shop/deployments` */
export function pathOfKind(kind: ServedKind, namespace: string | undefined): string {
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  const place = namespace === undefined || !kind.namespaced ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${place}/${kind.plural}`;
}

function pathOf({ kind, options, limit }: Reader, token: string | undefined): string {
  const query = new URLSearchParams({ limit: String(limit) });
  if (options.labelSelector !== undefined) query.set('labelSelector', options.labelSelector);
  if (options.fieldSelector !== undefined) query.set('fieldSelector', options.fieldSelector);
  if (token !== undefined) query.set('continue', token);
  return `${pathOfKind(kind, options.namespace)}?${query.toString()}`;
}

/** uid; objects of some extension API servers (metrics) have none. */
function identity(item: JsonObject): string {
  const metadata = isObject(item['metadata']) ? item['metadata'] : {};
  const uid = metadata['uid'];
  return typeof uid === 'string' ? uid : `${String(metadata['namespace'])}/${String(metadata['name'])}`;
}

function about(kind: ServedKind, { namespace }: ListOptions): Pick<UnreadKind, 'kind' | 'namespaces'> {
  const place = namespace === undefined || !kind.namespaced ? {} : { namespaces: [namespace] };
  return { kind: `${kind.group}/${kind.kind}`, ...place };
}

function refused({ kind, options }: Reader, { status, body }: ApiAnswer): ListRefused {
  const message = typeof body['message'] === 'string' ? body['message'] : '';
  if (status === 403) {
    const user = /User "([^"]{1,253})"/.exec(message)?.[1];
    const place = about(kind, options);
    return new ListRefused({
      ...place,
      reason: `list is forbidden${user === undefined ? '' : ` for ${user}`}`,
      next: missingRule(kind, place.namespaces),
    });
  }
  return new ListRefused({
    ...about(kind, options),
    reason: `the server answered ${status}${message === '' ? '' : `: ${message.replace(/\s+/g, ' ').slice(0, 300)}`}`,
  });
}

/**
 * The RBAC rule that a reader lacks, as YAML flow text.
 * @param namespaces where; undefined: in the whole cluster
 */
export function missingRule(kind: ServedKind, namespaces: readonly string[] | undefined): string {
  const role =
    namespaces === undefined
      ? 'ClusterRole'
      : `Role in ${namespaces.length === 1 ? 'the namespace' : 'each of the namespaces'} ${namespaces.join(', ')}`;
  return `Grant in a ${role}: {apiGroups: ["${kind.group}"], resources: ["${kind.plural}"], verbs: ["list"]}.`;
}

import type { ApiAnswer, ApiServer, ServedKind } from '../../../src/cluster/api-server.ts';
import type { Discovery } from '../../../src/cluster/reading/discovery.ts';
import { pathOfKind } from '../../../src/cluster/reading/list.ts';
import { isObject } from '../../../src/core/json.ts';
import type { JsonObject } from '../../../src/core/model.ts';

/** What the server in memory holds of one kind. Called for each list, so that large kinds need not be kept. */
export interface MemoryKind {
  readonly kind: ServedKind;
  readonly objects: () => Iterable<JsonObject>;
  /** Lists are answered with 403. */
  readonly forbidden?: true;
}

export interface MemoryApi {
  readonly api: ApiServer;
  readonly discovery: Discovery;
  /** Paths of all requests. */
  readonly requests: string[];
}

export function servedAs(apiVersion: string, kind: string, plural: string, namespaced = true): ServedKind {
  const slash = apiVersion.indexOf('/');
  return {
    group: slash === -1 ? '' : apiVersion.slice(0, slash),
    version: apiVersion.slice(slash + 1),
    kind,
    plural,
    namespaced,
    verbs: ['get', 'list'],
    preferred: true,
  };
}

/** An API server that answers lists from memory, with limits, continue tokens and the selectors that gate uses. */
export function memoryApi(kinds: readonly MemoryKind[], stale: readonly string[] = []): MemoryApi {
  const requests: string[] = [];
  const cursors = new Map<string, { readonly rest: Iterator<JsonObject>; readonly held: JsonObject }>();
  let cursor = 0;

  const list = (entry: MemoryKind, namespace: string | undefined, query: URLSearchParams): ApiAnswer => {
    if (entry.forbidden === true) {
      const message = `${entry.kind.plural} is forbidden: User "reader" cannot list resource`;
      return answer(403, { kind: 'Status', message });
    }
    const token = query.get('continue');
    const start = token === null ? undefined : cursors.get(token);
    if (token !== null) cursors.delete(token);
    const rest = start?.rest ?? entry.objects()[Symbol.iterator]();
    const keeps = selector(query, namespace);
    const limit = Number(query.get('limit') ?? '500');
    const items: JsonObject[] = start === undefined ? [] : [start.held];
    let next: string | undefined;
    for (let step = rest.next(); step.done !== true; step = rest.next()) {
      if (!keeps(step.value)) continue;
      if (items.length === limit) {
        cursors.set((next = String(++cursor)), { rest, held: step.value });
        break;
      }
      items.push(step.value);
    }
    return answer(200, { metadata: next === undefined ? {} : { continue: next }, items });
  };

  const api: ApiServer = {
    name: 'memory',
    named: false,
    url: 'https://memory.example:6443',
    async request(_method, path) {
      requests.push(path);
      const [place = '', text = ''] = path.split('?');
      for (const entry of kinds) {
        const namespace = /\/namespaces\/([^/]+)\//.exec(place)?.[1];
        if (pathOfKind(entry.kind, namespace) === place) return list(entry, namespace, new URLSearchParams(text));
      }
      return answer(404, { kind: 'Status', message: 'not found' });
    },
    close: async () => undefined,
  };
  return {
    api,
    requests,
    discovery: {
      kubernetesVersion: 'v1.34.3',
      kinds: kinds.map(({ kind }) => kind),
      apiVersions: kinds
        .map(({ kind }) => `${kind.group === '' ? '' : `${kind.group}/`}${kind.version}/${kind.kind}`)
        .toSorted(),
      stale,
    },
  };
}

function answer(status: number, body: JsonObject): ApiAnswer {
  // As over the wire: a caller may keep what it gets.
  return { status, body: structuredClone(body), warnings: [], headers: {} };
}

function selector(query: URLSearchParams, namespace: string | undefined): (object: JsonObject) => boolean {
  const terms = [query.get('labelSelector'), query.get('fieldSelector')].flatMap((text) => text?.split(',') ?? []);
  return (object) => {
    const metadata = isObject(object['metadata']) ? object['metadata'] : {};
    const labels = isObject(metadata['labels']) ? metadata['labels'] : {};
    if (namespace !== undefined && metadata['namespace'] !== namespace) return false;
    return terms.every((term) => {
      const [, key = '', operator, wanted] = /^([^!=]+)(!?=)(.*)$/.exec(term) ?? [];
      const value = key === 'type' ? object['type'] : key === 'metadata.name' ? metadata['name'] : labels[key];
      return (value === wanted) === (operator === '=');
    });
  };
}

import { isObject } from '../../core/json.ts';
import type { JsonObject } from '../../core/model.ts';
import type { ApiServer } from '../api-server.ts';
import type { DiskCache } from './disk-cache.ts';

/** The OpenAPI v3 document of one group and version, or undefined when the server has none. */
export type OpenApiFor = (group: string, version: string) => Promise<JsonObject | undefined>;

/**
 * Documents of `/openapi/v3` as they are asked for. The index names each with a hash of its content in the URL, so a
 * document under its URL never changes and is kept on disk without asking again.
 * @throws GateError as requests do
 */
export function createOpenApi(api: ApiServer, cache?: DiskCache): OpenApiFor {
  let index: Promise<JsonObject> | undefined;
  const documents = new Map<string, Promise<JsonObject | undefined>>();
  return async (group, version) => {
    index ??= api.request('GET', '/openapi/v3').then(({ status, body }) => {
      const paths = status === 200 ? body['paths'] : undefined;
      return isObject(paths) ? paths : {};
    });
    const name = group === '' ? `api/${version}` : `apis/${group}/${version}`;
    const known = documents.get(name);
    if (known !== undefined) return known;
    const found = fetchDocument(api, (await index)[name], cache);
    documents.set(name, found);
    return found;
  };
}

async function fetchDocument(
  api: ApiServer,
  entry: JsonObject[string] | undefined,
  cache: DiskCache | undefined,
): Promise<JsonObject | undefined> {
  const path = isObject(entry) ? entry['serverRelativeURL'] : undefined;
  if (typeof path !== 'string' || !path.startsWith('/')) return undefined;
  const hashed = /[?&]hash=[A-Za-z0-9]/.test(path);
  const key = `${api.url}${path}`;
  const kept = hashed ? cache?.read(key) : undefined;
  if (isObject(kept)) return kept;
  const { status, body } = await api.request('GET', path);
  if (status !== 200) return undefined;
  if (hashed) cache?.write(key, body);
  return body;
}

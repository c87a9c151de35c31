import { isObject } from '../../core/json.ts';
import type { Json } from '../../core/model.ts';
import { readDocument, splitDocuments } from '../../core/yaml/read.ts';

// A key at the start of a line is one of the object itself.
const topLevel = (key: string): RegExp =>
  new RegExp(`^${key}:[ \\t]+(["']?)([\\w./-]{1,253})\\1[ \\t]*(?:#.*)?\\r?$`, 'm');
const apiVersionLine = topLevel('apiVersion');
const kindLine = topLevel('kind');

/**
 * API version and kind of every object of a rendered manifest: `apps/v1/Deployment`, sorted, each once. Objects inside of
 * a `List` count, documents that cannot be read do not.
 * @param manifest multi-document YAML
 */
export function manifestApis(manifest: string): readonly string[] {
  const apis = new Set<string>();
  for (const part of splitDocuments(manifest)) {
    const apiVersion = apiVersionLine.exec(part.text)?.[2];
    const kind = kindLine.exec(part.text)?.[2];
    if (apiVersion !== undefined && kind !== undefined && !kind.endsWith('List')) {
      apis.add(`${apiVersion}/${kind}`);
      continue;
    }
    try {
      addApis(readDocument(part).value, apis);
    } catch {
      // Helm stored it, so the server took it once; what is odd about it now is not the question here.
    }
  }
  return [...apis].toSorted();
}

function addApis(value: Json, into: Set<string>): void {
  if (!isObject(value)) return;
  const { apiVersion, kind, items } = value;
  if (Array.isArray(items) && typeof kind === 'string' && kind.endsWith('List')) {
    for (const item of items) if (isObject(item) && !Array.isArray(item['items'])) addApis(item, into);
    return;
  }
  if (typeof apiVersion === 'string' && typeof kind === 'string') into.add(`${apiVersion}/${kind}`);
}

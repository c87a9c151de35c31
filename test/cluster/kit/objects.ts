import { parseAllDocuments } from 'yaml';
import type { TestCluster } from './cluster.ts';

/** Any Kubernetes object; tests reach into fields of all kinds. */
export interface TestObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [key: string]: unknown };
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly [key: string]: any;
}

/** The objects of YAML documents, of a list, or one; `List`s are opened. */
export function objectsOf(what: string | TestObject | readonly TestObject[], namespace?: string): TestObject[] {
  const all = typeof what === 'string' ? documentsOf(what) : [what].flat();
  return all
    .flatMap((object) => (object.kind === 'List' ? (object['items'] as TestObject[]) : [object]))
    .map((object) =>
      namespace === undefined || object.metadata.namespace !== undefined
        ? object
        : { ...object, metadata: { ...object.metadata, namespace } },
    );
}

function documentsOf(text: string): TestObject[] {
  return parseAllDocuments(text, { version: '1.1' }).flatMap((document) => {
    if (!('errors' in document)) return [];
    for (const error of document.errors) throw error;
    const value = document.toJS() as TestObject | null;
    return value === null ? [] : [value];
  });
}

interface Resource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/**
 * URL path of an object, by the server's own discovery. A kind that is not served yet (its CRD was applied just now)
 * is waited for.
 * @param part `collection`: where it would be created
 */
export async function pathOf(
  request: TestCluster['request'],
  object: TestObject,
  part?: 'collection',
): Promise<string> {
  const root = object.apiVersion.includes('/') ? `/apis/${object.apiVersion}` : `/api/${object.apiVersion}`;
  const resource = await served(request, root, object.kind);
  const namespace = resource.namespaced ? `/namespaces/${object.metadata.namespace ?? 'default'}` : '';
  const collection = `${root}${namespace}/${resource.name}`;
  return part === 'collection' ? collection : `${collection}/${encodeURIComponent(object.metadata.name)}`;
}

const known = new WeakMap<TestCluster['request'], Map<string, Resource>>();

async function served(request: TestCluster['request'], root: string, kind: string): Promise<Resource> {
  let resources = known.get(request);
  if (resources === undefined) known.set(request, (resources = new Map()));
  for (let attempt = 0; attempt < 100; attempt++) {
    const found = resources.get(`${root}/${kind}`);
    if (found !== undefined) return found;
    if (attempt > 0) await new Promise((next) => setTimeout(next, 100));
    const answer = await request('GET', root);
    const list: Resource[] = answer.status === 200 ? answer.body.resources : [];
    for (const resource of list) {
      if (!resource.name.includes('/')) resources.set(`${root}/${resource.kind}`, resource);
    }
  }
  throw new Error(`the server does not serve ${kind} in ${root}`);
}

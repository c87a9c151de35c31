import { isObject } from '../../core/json.ts';
import type { Json, JsonObject } from '../../core/model.ts';
import type { ApiAnswer, ApiServer, ServedKind } from '../api-server.ts';
import type { DiskCache } from './disk-cache.ts';
import { GateError } from '../../core/errors.ts';

/** What a server serves. */
export interface Discovery {
  /** `v1.34.3`. */
  readonly kubernetesVersion: string;
  readonly kinds: readonly ServedKind[];
  /** As Helm's `.Capabilities.APIVersions`: `apps/v1` and `apps/v1/Deployment`, sorted. */
  readonly apiVersions: readonly string[];
  /** Groups whose extension API server does not answer (`metrics.k8s.io/v1beta1`): what they serve is not known. */
  readonly stale: readonly string[];
}

/** The kind in one version; without a version in the one that the server prefers. Undefined: it is not served. */
export function servedKind(
  discovery: Pick<Discovery, 'kinds'>,
  group: string,
  kind: string,
  version?: string,
): ServedKind | undefined {
  const all = discovery.kinds.filter((served) => served.group === group && served.kind === kind);
  return all.find((served) => (version === undefined ? served.preferred : served.version === version));
}

const aggregated = [
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList',
  'application/json',
].join(',');

/**
 * Asks what is served, in two requests where the server has aggregated discovery (Kubernetes 1.26 and later), else one
 * per group and version. The server is asked every time, because a custom resource definition may come at any moment;
 * what is cached is only the text, which the server confirms by its `ETag`.
 * @throws GateError cluster.unauthorized when the user may not even see what is served
 */
export async function discover(api: ApiServer, cache?: DiskCache): Promise<Discovery> {
  const [version, core, groups] = await Promise.all([
    readVersion(api),
    getCached(api, '/api', cache),
    getCached(api, '/apis', cache),
  ]);
  const parts = await Promise.all([core, groups].map((body) => readPart(api, body)));
  return joinParts(version, parts);
}

async function readVersion(api: ApiServer): Promise<string> {
  const { body } = await get(api, '/version');
  if (typeof body['gitVersion'] === 'string') return body['gitVersion'];
  throw new GateError({
    code: 'cluster.bad-answer',
    message: `${api.url} does not answer as a Kubernetes API server: /version names no gitVersion`,
    fault: 'tool',
    next: 'Check the server of this context in the kubeconfig.',
  });
}

async function get(api: ApiServer, path: string, ifNoneMatch?: string): Promise<ApiAnswer> {
  const answer = await api.request('GET', path, {
    accept: path === '/version' ? 'application/json' : aggregated,
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }),
  });
  if (answer.status < 400 || answer.status === 404) return answer;
  const message = typeof answer.body['message'] === 'string' ? `: ${answer.body['message']}` : '';
  throw new GateError({
    code: answer.status === 403 ? 'cluster.unauthorized' : 'cluster.bad-answer',
    message: `${api.url} answered GET ${path} with ${answer.status}${message}`,
    fault: 'user',
    next:
      answer.status === 403
        ? 'The user needs the ClusterRole system:discovery, which every authenticated user has unless it was taken away.'
        : 'Check the server of this context in the kubeconfig.',
  });
}

async function getCached(api: ApiServer, path: string, cache: DiskCache | undefined): Promise<JsonObject> {
  const key = `${api.url}${path}`;
  const kept = cache?.read(key);
  const etag = isObject(kept) && typeof kept['etag'] === 'string' ? kept['etag'] : undefined;
  const answer = await get(api, path, etag);
  if (answer.status === 304 && isObject(kept) && isObject(kept['body'])) return kept['body'];
  const found = answer.headers['etag'];
  if (answer.status === 200 && found !== undefined) cache?.write(key, { etag: found, body: answer.body });
  return answer.body;
}

interface Part {
  readonly kinds: readonly ServedKind[];
  readonly apiVersions: readonly string[];
  readonly stale: readonly string[];
}

async function readPart(api: ApiServer, body: JsonObject): Promise<Part> {
  if (body['kind'] === 'APIGroupDiscoveryList') return joinVersions(aggregatedVersions(body));
  return joinVersions(await classicVersions(api, body));
}

/** One group and version with its resources; undefined: they could not be had. */
interface GroupVersion {
  readonly group: string;
  readonly version: string;
  readonly preferred: boolean;
  readonly resources: readonly Resource[] | undefined;
}

interface Resource {
  /** `deployments`, `deployments/scale`. */
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

/** APIGroupDiscoveryList as client-go takes it apart (discovery/aggregated_discovery.go). */
function aggregatedVersions(body: JsonObject): GroupVersion[] {
  return objects(body['items']).flatMap((item) => {
    const metadata = item['metadata'];
    const group = isObject(metadata) ? text(metadata['name']) : '';
    const versions = objects(item['versions']);
    // The preferred version is the first that is not stale.
    const preferred = versions.find((version) => version['freshness'] !== 'Stale');
    return versions.map((version) => ({
      group,
      version: text(version['version']),
      preferred: version === preferred,
      resources:
        version['freshness'] === 'Stale' ? undefined : objects(version['resources']).flatMap(aggregatedResource),
    }));
  });
}

/** A resource and its subresources; one without a kind of its own is left out. */
function aggregatedResource(resource: JsonObject): Resource[] {
  const name = text(resource['resource']);
  const namespaced = resource['scope'] === 'Namespaced';
  return [
    { name, kind: kindOf(resource), namespaced, verbs: texts(resource['verbs']) },
    ...objects(resource['subresources']).map((sub) => ({
      name: `${name}/${text(sub['subresource'])}`,
      kind: kindOf(sub),
      namespaced,
      verbs: texts(sub['verbs']),
    })),
  ].filter(({ kind }) => kind !== '');
}

function kindOf(resource: JsonObject): string {
  const kind = resource['responseKind'];
  return isObject(kind) ? text(kind['kind']) : '';
}

/** APIVersions (`/api`) or APIGroupList (`/apis`), then one APIResourceList per group and version. */
async function classicVersions(api: ApiServer, body: JsonObject): Promise<GroupVersion[]> {
  const list = [
    ...texts(body['versions']).map((version, index) => ({ group: '', version, preferred: index === 0 })),
    ...objects(body['groups']).flatMap((group) => {
      const preferred = isObject(group['preferredVersion']) ? group['preferredVersion']['version'] : undefined;
      return objects(group['versions']).map((version) => ({
        group: text(group['name']),
        version: text(version['version']),
        preferred: version['version'] === preferred,
      }));
    }),
  ];
  return Promise.all(list.map(async (entry) => ({ ...entry, resources: await resourcesOf(api, entry) })));
}

async function resourcesOf(
  api: ApiServer,
  { group, version }: { readonly group: string; readonly version: string },
): Promise<readonly Resource[] | undefined> {
  const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  let answer: ApiAnswer;
  try {
    answer = await api.request('GET', path);
  } catch (error) {
    // The extension API server of this group is down; the others need not be.
    if (error instanceof GateError && error.code === 'cluster.overloaded') return undefined;
    throw error;
  }
  if (answer.status !== 200) return undefined;
  return objects(answer.body['resources']).map((resource) => ({
    name: text(resource['name']),
    kind: text(resource['kind']),
    namespaced: resource['namespaced'] === true,
    verbs: texts(resource['verbs']),
  }));
}

function joinVersions(versions: readonly GroupVersion[]): Part {
  const kinds: ServedKind[] = [];
  const apiVersions: string[] = [];
  const stale: string[] = [];
  // A kind may be missing in the version that its group prefers: then the first version that has it is preferred.
  const preferred = new Set(
    versions
      .filter((entry) => entry.preferred)
      .flatMap(({ group, resources }) => (resources ?? []).map(({ name }) => `${group}/${name}`)),
  );
  for (const { group, version, preferred: isPreferred, resources } of versions) {
    const groupVersion = group === '' ? version : `${group}/${version}`;
    if (resources === undefined) {
      stale.push(groupVersion);
      continue;
    }
    apiVersions.push(groupVersion);
    for (const { name, kind, namespaced, verbs } of resources) {
      // Subresources count for Helm (action.GetVersionSet), as `apps/v1/Scale`.
      apiVersions.push(`${groupVersion}/${kind}`);
      if (name.includes('/')) continue;
      const first = !preferred.has(`${group}/${name}`);
      if (first) preferred.add(`${group}/${name}`);
      kinds.push({ group, version, kind, plural: name, namespaced, verbs, preferred: isPreferred || first });
    }
  }
  return { kinds, apiVersions, stale };
}

function joinParts(kubernetesVersion: string, parts: readonly Part[]): Discovery {
  return {
    kubernetesVersion,
    kinds: parts.flatMap(({ kinds }) => kinds),
    apiVersions: [...new Set(parts.flatMap(({ apiVersions }) => apiVersions))].toSorted(),
    stale: parts.flatMap(({ stale }) => stale),
  };
}

function objects(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function texts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

import pMap from 'p-map';
import type { DryRunAnswer, DryRunRequest } from '../core/cluster.ts';
import { isGateError, type GateError } from '../core/errors.ts';
import { groupOf, isObject, versionOf } from '../core/json.ts';
import type { JsonObject } from '../core/model.ts';
import type { ApiAnswer, ApiServer, ServedKind } from './api-server.ts';
import { answerOf, createRightsCheck, lacksVersion, type RightsCheck, type Sent } from './dry-run-answer.ts';

export interface DryRunLimits {
  /** Hides what looks like a credential in the objects that the server gives back; 32 bytes. */
  readonly redactKey: Uint8Array;
  /** Requests at the same time; default 6. */
  readonly concurrency?: number;
  /** Of one request, inside the deadline of the run. Default 35,000: a webhook may take 30 s. */
  readonly timeoutMs?: number;
}

/**
 * Sends objects with `dryRun=All` and says what the server makes of each: it runs admission, defaulting and validation
 * and stores nothing. Never throws for one object: what the server did not judge is `unknown`, with the reason.
 * @param served the kinds of this server, by discovery
 * @returns the function behind `Cluster.dryRun`; answers in the order of the requests
 */
export function createDryRun(
  api: ApiServer,
  served: readonly ServedKind[],
  limits: DryRunLimits,
): (requests: readonly DryRunRequest[]) => Promise<readonly DryRunAnswer[]> {
  const kinds = Map.groupBy(served, ({ group, kind }) => `${group}/${kind}`);
  const timeoutMs = limits.timeoutMs ?? 35_000;
  const rights = createRightsCheck(api, timeoutMs);
  return async (requests) =>
    pMap(requests, (request) => ask({ api, kinds, rights, timeoutMs, redactKey: limits.redactKey }, request), {
      concurrency: limits.concurrency ?? 6,
    });
}

interface Context {
  readonly api: ApiServer;
  readonly kinds: ReadonlyMap<string, readonly ServedKind[]>;
  readonly rights: RightsCheck;
  readonly timeoutMs: number;
  readonly redactKey: Uint8Array;
}

async function ask(context: Context, request: DryRunRequest): Promise<DryRunAnswer> {
  const apiVersion = String(request.object['apiVersion']);
  const kind = String(request.object['kind']);
  const group = groupOf(apiVersion);
  const version = versionOf(apiVersion);
  const known = context.kinds.get(`${group}/${kind}`) ?? [];
  // A version that went away: the server itself shall say so, and the kind keeps its name in URLs.
  const resource = known.find((one) => one.version === version) ?? known[0];
  if (resource === undefined) {
    return {
      id: request.id,
      outcome: 'unknown',
      reason: 'NotServed',
      message: `the server does not serve ${group === '' ? kind : `${group} ${kind}`}`,
      next: 'Install its CustomResourceDefinition or API first.',
      warnings: [],
    };
  }
  const sent = prepare(request, { ...resource, version });
  try {
    const answer = await send(context, sent);
    return await answerOf(sent, answer, context.rights, context.redactKey);
  } catch (error) {
    if (!isGateError(error)) throw error;
    return notAnswered(request.id, error);
  }
}

function prepare(request: DryRunRequest, resource: ServedKind): Sent {
  const metadata = isObject(request.object['metadata']) ? request.object['metadata'] : {};
  const { namespace: written, ...rest } = metadata;
  const namespace = typeof written === 'string' && written !== '' ? written : 'default';
  const object: JsonObject = {
    ...request.object,
    metadata: resource.namespaced ? { ...rest, namespace } : rest,
  };
  const root = resource.group === '' ? '/api' : `/apis/${resource.group}`;
  const place = resource.namespaced ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return {
    request,
    resource,
    object,
    ...(resource.namespaced ? { namespace } : {}),
    name: typeof metadata['name'] === 'string' ? metadata['name'] : '',
    collection: `${root}/${resource.version}${place}/${resource.plural}`,
  };
}

async function send(context: Context, sent: Sent): Promise<ApiAnswer> {
  switch (sent.request.method) {
    case 'apply':
      return write(context, sent, 'PATCH', sent.object);
    case 'create':
      return write(context, sent, 'POST', sent.object);
    case 'update': {
      const answer = await write(context, sent, 'PUT', sent.object);
      if (answer.status === 404 && namesObject(answer, sent))
        return write(context, sent, 'POST', withVersion(sent.object));
      if (!lacksVersion(answer)) return answer;
      // Changed since it was read, or a kind that is only updated with a version: once more with the present one.
      const live = await context.api.request('GET', urlOf(sent), { timeoutMs: context.timeoutMs });
      const metadata = isObject(live.body['metadata']) ? live.body['metadata'] : {};
      const version = metadata['resourceVersion'];
      if (live.status !== 200 || typeof version !== 'string') return answer;
      return write(context, sent, 'PUT', withVersion(sent.object, version));
    }
  }
}

/** Is it the object that is not there, and not its namespace or its API? */
function namesObject(answer: ApiAnswer, sent: Sent): boolean {
  const { details } = answer.body;
  return isObject(details) && details['name'] === sent.name && details['kind'] === sent.resource.plural;
}

function withVersion(object: JsonObject, version?: string): JsonObject {
  const metadata = isObject(object['metadata']) ? object['metadata'] : {};
  const { resourceVersion: _old, ...rest } = metadata;
  return { ...object, metadata: version === undefined ? rest : { ...rest, resourceVersion: version } };
}

function urlOf(sent: Sent): string {
  return `${sent.collection}/${encodeURIComponent(sent.name)}`;
}

async function write(
  context: Context,
  sent: Sent,
  method: 'POST' | 'PUT' | 'PATCH',
  body: JsonObject,
): Promise<ApiAnswer> {
  const { fieldManager, force, fieldValidation = 'Warn' } = sent.request;
  const query = new URLSearchParams({ dryRun: 'All', fieldManager, fieldValidation });
  if (method === 'PATCH') query.set('force', String(force));
  const url = method === 'POST' ? sent.collection : urlOf(sent);
  return context.api.request(method, `${url}?${query.toString()}`, {
    body,
    ...(method === 'PATCH' ? { contentType: 'application/apply-patch+yaml' } : {}),
    timeoutMs: context.timeoutMs,
    // A 5xx is often the answer itself: a webhook that fails.
    retry: false,
  });
}

function notAnswered(id: string, error: GateError): DryRunAnswer {
  const timeout = error.code === 'cluster.timeout';
  return {
    id,
    outcome: 'unknown',
    reason: timeout ? 'Timeout' : 'Unreachable',
    message: timeout ? `${error.message}; an admission webhook may hang` : error.message,
    ...(error.next === undefined ? {} : { next: error.next }),
    warnings: [],
  };
}

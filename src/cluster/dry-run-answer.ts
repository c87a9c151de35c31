import type { DryRunAnswer, DryRunRequest } from '../core/cluster.ts';
import { isGateError } from '../core/errors.ts';
import { isObject } from '../core/json.ts';
import type { JsonObject, KubeObject } from '../core/model.ts';
import { redactCredentials, redactObject } from '../core/redact.ts';
import type { ApiAnswer, ApiServer, ServedKind } from './api-server.ts';

/** One object on its way. */
export interface Sent {
  readonly request: DryRunRequest;
  readonly resource: ServedKind;
  /** With its namespace, or without one when the kind has none. */
  readonly object: JsonObject;
  readonly namespace?: string;
  /** '' when the server makes it up. */
  readonly name: string;
  /** URL path of the collection. */
  readonly collection: string;
}

/** May our own identity do this? Undefined when the server does not say. Answers are kept. */
export type RightsCheck = (verb: string, sent: Sent) => Promise<boolean | undefined>;

/** Asks by SelfSubjectAccessReview, which every authenticated user may create. */
export function createRightsCheck(api: ApiServer, timeoutMs: number): RightsCheck {
  const known = new Map<string, Promise<boolean | undefined>>();
  const review = async (verb: string, { resource, namespace }: Sent): Promise<boolean | undefined> => {
    const attributes = { verb, group: resource.group, resource: resource.plural, ...(namespace ? { namespace } : {}) };
    try {
      const answer = await api.request('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
        body: {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SelfSubjectAccessReview',
          spec: { resourceAttributes: attributes },
        },
        timeoutMs,
      });
      const { status } = answer.body;
      return isObject(status) && typeof status['allowed'] === 'boolean' ? status['allowed'] : undefined;
    } catch (error) {
      if (isGateError(error)) return undefined;
      throw error;
    }
  };
  return async (verb, sent) => {
    const key = `${verb} ${sent.resource.group}/${sent.resource.plural} ${sent.namespace ?? ''}`;
    let answer = known.get(key);
    if (answer === undefined) known.set(key, (answer = review(verb, sent)));
    return answer;
  };
}

/** The update needs the version of the object that is there: it is stale or absent. */
export function lacksVersion(answer: ApiAnswer): boolean {
  if (answer.status === 409) return answer.body['reason'] === 'Conflict';
  return (
    answer.status === 422 && /metadata\.resourceVersion: Invalid value: .*must be specified/.test(messageIn(answer))
  );
}

/** What an answer of the server means for the object. */
export async function answerOf(
  sent: Sent,
  answer: ApiAnswer,
  rights: RightsCheck,
  redactKey: Uint8Array,
): Promise<DryRunAnswer> {
  const { id } = sent.request;
  const { status: code, warnings } = answer;
  if (code < 300) {
    // Of a Secret the server only saw placeholders.
    const isSecret = sent.resource.group === '' && sent.resource.kind === 'Secret';
    const object = isSecret ? undefined : (redactObject(answer.body, redactKey) as unknown as KubeObject);
    return { id, outcome: 'accepted', code, warnings, ...(object === undefined ? {} : { object }) };
  }
  const message = redactCredentials(messageIn(answer), redactKey);
  const { reason } = answer.body;
  const causes = causesIn(answer).map((cause) => ({ ...cause, message: redactCredentials(cause.message, redactKey) }));
  const said = {
    id,
    code,
    message,
    ...(typeof reason === 'string' && reason !== '' ? { reason } : {}),
    ...(causes.length === 0 ? {} : { causes }),
    warnings,
  };
  const unknown = await whyUnknown(sent, code, message, rights);
  return unknown === undefined ? { ...said, outcome: 'rejected' } : { ...said, ...unknown, outcome: 'unknown' };
}

type Why = { readonly reason: string; readonly message?: string; readonly next?: string };

/** Undefined: the server refuses the object, as it will refuse it when the engine sends it. */
async function whyUnknown(sent: Sent, code: number, message: string, rights: RightsCheck): Promise<Why | undefined> {
  if (/does not support dry run/i.test(message)) {
    return {
      reason: 'NoDryRun',
      next: 'Set sideEffects: None or NoneOnDryRun on that webhook, if that is true of it.',
    };
  }
  if (code === 403) return forbidden(sent, message, rights);
  // Somebody changed or created the object meanwhile. A conflict of field managers is a refusal.
  if (code === 409 && !/conflicts? with "/.test(message)) return { reason: 'Conflict', next: 'Run gate again.' };
  if (code === 405 || code === 429 || code === 401) return { reason: code === 429 ? 'Unreachable' : 'NotServed' };
  if (code < 500) return undefined;
  if (timedOut(message) || code === 504) {
    return {
      reason: 'Timeout',
      next: 'Check the admission webhook and its backend, or run gate again.',
    };
  }
  // A webhook with failurePolicy Fail that cannot be called refuses the sync just so; server-side apply answers fields
  // that the schema does not have with 500 as well.
  if (
    code === 500 &&
    /failed calling webhook|failed to create typed patch object|field not declared in schema/.test(message)
  )
    return undefined;
  return { reason: 'Unreachable', next: 'Run gate again.' };
}

function timedOut(message: string): boolean {
  return /context deadline exceeded|Client\.Timeout exceeded|request did not complete within/i.test(message);
}

/** `deployments.apps "api" is forbidden: User "..." cannot patch resource ...`: the authorizer, whichever it is. */
const unauthorized = /(?:^|: )User "(?:[^"\\]|\\.)*" cannot ([a-z]+) /;
/** Checks of the user inside admission and storage of RBAC objects: about us, not about the engine. */
const aboutUser =
  /is attempting to grant RBAC permissions not currently held|cannot set blockOwnerDeletion if an ownerReference/;

async function forbidden(sent: Sent, message: string, rights: RightsCheck): Promise<Why | undefined> {
  const verbs = verbsOf(sent.request.method);
  const denied: Why = {
    reason: 'NotAllowed',
    message: `gate's identity may not ask: ${message}`,
    next: `Grant it ${missingRule(sent, verbs)}.`,
  };
  if (unauthorized.test(message)) return denied;
  if (aboutUser.test(message)) {
    return { reason: 'NotAllowed', message: `refused because of gate's own identity: ${message}` };
  }
  // Quota, Pod Security, policies and webhooks answer 403 too. Who may do it is refused for what it holds.
  return (await rights(verbs[0] ?? '', sent)) === false ? denied : undefined;
}

/** Server-side apply of an object that is not there needs `create` as well (handlers/patch.go). */
function verbsOf(method: DryRunRequest['method']): readonly string[] {
  return method === 'apply' ? ['patch', 'create'] : method === 'update' ? ['update', 'create'] : ['create'];
}

function missingRule(sent: Sent, verbs: readonly string[]): string {
  const rule = { apiGroups: [sent.resource.group], resources: [sent.resource.plural], verbs };
  const where = sent.namespace === undefined ? '' : ` in namespace ${sent.namespace}`;
  return `the rule ${JSON.stringify(rule)}${where} (gate rbac prints all that a dry run needs)`;
}

function messageIn(answer: ApiAnswer): string {
  const { message } = answer.body;
  return typeof message === 'string' && message !== '' ? message : `status ${answer.status}`;
}

function causesIn(answer: ApiAnswer): { readonly field?: string; readonly message: string }[] {
  const { details } = answer.body;
  const causes = isObject(details) ? details['causes'] : undefined;
  if (!Array.isArray(causes)) return [];
  return causes.flatMap((cause) => {
    if (!isObject(cause) || typeof cause['message'] !== 'string') return [];
    const { field, message } = cause;
    return [typeof field === 'string' && field !== '' ? { field, message } : { message }];
  });
}

import type { DryRunRequest } from '../core/cluster.ts';
import { isObject } from '../core/json.ts';
import type { Entry, JsonObject, KubeObject, ResourceChange } from '../core/model.ts';
import type { LiveWorld } from '../core/rule.ts';
import { hiddenFields, withPlaceholders } from './dry-run-hidden.ts';
import { applyMethod, requestFor, type ApplyMethod } from './dry-run-method.ts';
import { podOf } from './dry-run-pods.ts';

/** One thing to ask the API server, or why it cannot be asked. */
export interface DryRunQuestion {
  readonly id: string;
  readonly of: 'object' | 'pod';
  readonly entry: Entry;
  readonly change: ResourceChange;
  /** For people: how it is sent. */
  readonly method: string;
  readonly request?: DryRunRequest;
  /** Set when there is no request. */
  readonly unknown?: { readonly reason: 'HiddenValue' | 'NotRead'; readonly message: string; readonly next?: string };
  /** Fields of which the request does not hold the real value, as the server names fields. */
  readonly hidden: readonly string[];
}

/**
 * What to ask about the objects that a change adds or changes. Hooks and removed objects are left out.
 * Questions come in the order of the changes; ids are unique.
 * @param live what is known of the cluster of the changes, which must all be in one scope
 */
export function dryRunQuestions(
  changes: readonly ResourceChange[],
  live: LiveWorld | undefined,
  ask: { readonly objects: boolean; readonly pods: boolean },
): readonly DryRunQuestion[] {
  return changes.flatMap((change, index) => {
    const entry = change.after;
    if (entry === undefined || change.action === 'removed' || (entry.hook?.length ?? 0) > 0) return [];
    return [
      ...(ask.objects ? [objectQuestion(`${index}`, change, entry, live)] : []),
      ...(ask.pods ? podQuestion(`${index}/pod`, change, entry) : []),
    ];
  });
}

function objectQuestion(id: string, change: ResourceChange, entry: Entry, live: LiveWorld | undefined): DryRunQuestion {
  const { group, kind, namespace, name } = entry.ref;
  const held = live?.get(group, kind, namespace, name);
  const method = applyMethod(entry, held);
  const base = { id, of: 'object' as const, entry, change, method: method.label, hidden: [] };
  const unknown = cannotAsk(entry, held, method, live);
  if (unknown !== undefined) return { ...base, unknown };
  const after = withNamespace(entry);
  const before = change.action === 'changed' ? (change.before?.object as unknown as JsonObject | undefined) : undefined;
  const isSecret = group === '' && kind === 'Secret';
  const built = requestFor(id, after, before, held as unknown as JsonObject | undefined, method);
  const hidden = hiddenFields(built.object).filter((field) => !field.includes('last-applied-configuration'));
  const object = isSecret ? withPlaceholders(built.object) : built.object;
  const generated = name === '' || entry.object.metadata['generateName'] !== undefined;
  return {
    ...base,
    hidden,
    request: generated ? { ...built, object, method: 'create' } : { ...built, object },
  };
}

function cannotAsk(
  entry: Entry,
  held: KubeObject | undefined,
  method: ApplyMethod,
  live: LiveWorld | undefined,
): DryRunQuestion['unknown'] {
  const { group, kind, namespace } = entry.ref;
  if (group === '' && kind === 'Pod' && method.type !== 'apply') {
    return {
      reason: 'NotRead',
      message: 'pods are counted and not kept one by one, and a client-side apply is merged with the live one',
    };
  }
  if (method.type !== 'apply' && held === undefined && live?.covers(group, kind, namespace) !== true) {
    return {
      reason: 'NotRead',
      message: `the live ${kind} could not be read, and a client-side apply is merged with it`,
      next: `Let gate list ${kind} objects.`,
    };
  }
  if (group !== '' || (kind !== 'Secret' && kind !== 'ConfigMap') || held === undefined) return undefined;
  if (held['immutable'] !== true) return undefined;
  const data = { data: held['data'], binaryData: held['binaryData'], after: entry.object['data'] } as JsonObject;
  if (kind === 'ConfigMap' && hiddenFields(data).length === 0) return undefined;
  return {
    reason: 'HiddenValue',
    message: `the live ${kind} is immutable and gate does not know its values in clear, so the server would refuse what gate can send whatever the change is`,
  };
}

function podQuestion(id: string, change: ResourceChange, entry: Entry): readonly DryRunQuestion[] {
  const pod = podOf(change);
  if (pod === undefined) return [];
  const request: DryRunRequest = {
    id,
    object: pod,
    method: 'create',
    fieldManager: 'kube-controller-manager',
    force: false,
    fieldValidation: 'Warn',
  };
  const method = 'creation of a pod from its template, without an owner';
  return [{ id, of: 'pod', entry, change, method, request, hidden: hiddenFields(pod) }];
}

/** Objects that name no namespace go where the engine sends them; the adapter leaves it out for cluster-scoped kinds. */
function withNamespace(entry: Entry): JsonObject {
  const object = entry.object as unknown as JsonObject;
  const namespace = entry.ref.namespace ?? entry.target.afterRender.defaultNamespace;
  const { metadata } = object;
  if (namespace === undefined || !isObject(metadata) || metadata['namespace'] !== undefined) return object;
  return { ...object, metadata: { ...metadata, namespace } };
}

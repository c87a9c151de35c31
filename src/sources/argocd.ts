import { messageOf } from '../core/errors.ts';
import type { Discovery, Expansion, JsonObject, NotEvaluated, Target } from '../core/model.ts';
import type { SourcedObject } from '../core/ports.ts';
import { expandApplicationSet } from './applicationset/expand.ts';
import type { ExpandedSet } from './applicationset/expand.ts';
import { createTemplateBatch } from './applicationset/templating.ts';
import { applicationTarget } from './argocd/application.ts';
import type { ApplicationInput } from './argocd/application.ts';
import { knownClusters } from './argocd/clusters.ts';
import type { ArgoContext } from './argocd/context.ts';
import { settleIdentities } from './argocd/identity.ts';
import { createOwnership } from './argocd/ownership.ts';
import { get, text } from './argocd/values.ts';

export type { ArgoContext } from './argocd/context.ts';

/**
 * Turns Application and ApplicationSet objects into targets. Other objects are ignored, except cluster Secrets, which
 * the cluster generator needs. Call it with the objects of plain files first and then with what targets render: a
 * rendered Application has the id of the plain one and replaces it.
 *
 * Never throws for what stands in the objects: what cannot be used is in `notEvaluated` with file and sentence.
 */
export async function discoverArgoCd(objects: readonly SourcedObject[], context: ArgoContext): Promise<Discovery> {
  const ownership = createOwnership(context);
  const known = knownClusters(context.tree, context.config, objects, context.cluster);
  const surroundings = { context, clusters: known.clusters, ownership, batch: createTemplateBatch(context.goTemplate) };
  const sets = await Promise.all(
    objects.filter((item) => isArgo(item.object, 'ApplicationSet')).map((item) => expandSafely(item, surroundings)),
  );
  const inputs: readonly ApplicationInput[] = [
    ...objects.filter((item) => isArgo(item.object, 'Application')),
    ...sets.flatMap((set) => set.applications),
  ];
  const targets: { readonly target: Target; readonly input: ApplicationInput }[] = [];
  const notEvaluated: NotEvaluated[] = [];
  for (const input of inputs) {
    const result = targetSafely(input, surroundings);
    if (result.ok) {
      targets.push({ target: result.target, input });
      notEvaluated.push(...result.notes);
    } else {
      notEvaluated.push(result.problem);
    }
  }
  const settled = settleIdentities(targets, context.known ?? [], known.clusters);
  return {
    targets: settled.map((item) => item.target),
    notEvaluated: [
      ...notEvaluated,
      ...sets.flatMap((set) => set.notEvaluated),
      ...(sets.some((set) => set.usesClusters) ? known.notEvaluated : []),
      ...ownership.notes(),
    ],
    expansions: sets.map((set) => expansionOf(set, settled)),
  };
}

function isArgo(object: JsonObject, kind: string): boolean {
  return get(object, 'kind') === kind && (text(get(object, 'apiVersion')) ?? '').startsWith('argoproj.io/');
}

function expansionOf(
  set: ExpandedSet,
  settled: readonly { readonly target: Target; readonly input: ApplicationInput }[],
): Expansion {
  const mine = new Set(set.applications);
  const targets = settled.filter((item) => mine.has(item.input)).map((item) => item.target.id);
  return { declaredBy: set.ref, location: set.location, targets, complete: set.complete };
}

async function expandSafely(
  item: SourcedObject,
  surroundings: Parameters<typeof expandApplicationSet>[1],
): Promise<ExpandedSet> {
  try {
    return await expandApplicationSet(item, surroundings);
  } catch (error) {
    const name = text(get(item.object, 'metadata', 'name')) ?? '(without a name)';
    const ref = { group: 'argoproj.io', version: 'v1alpha1', kind: 'ApplicationSet', name };
    const notEvaluated = [unexpected(`ApplicationSet ${name}`, error, item)];
    return { ref, location: item.location, applications: [], notEvaluated, complete: false, usesClusters: false };
  }
}

function targetSafely(
  input: ApplicationInput,
  surroundings: Parameters<typeof applicationTarget>[1],
): ReturnType<typeof applicationTarget> {
  try {
    return applicationTarget(input, surroundings);
  } catch (error) {
    const name = text(get(input.object, 'metadata', 'name')) ?? '(without a name)';
    return { ok: false, problem: unexpected(`Application ${name}`, error, input) };
  }
}

/** A fault of gate or of the template engine: nothing of the object was looked at, so the verdict must not trust it. */
function unexpected(
  what: string,
  error: unknown,
  item: { readonly location: SourcedObject['location'] },
): NotEvaluated {
  return { what, reason: `cannot be evaluated: ${messageOf(error)}`, location: item.location, weight: 'incomplete' };
}

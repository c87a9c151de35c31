import type { Confidence, Entry, KubeObject, ResourceChange, Target } from '../../core/model.ts';
import type { LiveWorld, RuleContext } from '../../core/rule.ts';
import { at, listAt, stringAt, stringMapAt } from './pods.ts';

/** An object that leaves the render, and whether the engine then deletes it from the cluster (rules.md 0.7). */
export interface Deletion {
  readonly change: ResourceChange;
  /** The object that goes away. */
  readonly entry: Entry;
  readonly live?: KubeObject;
  /** `maybe`: depends on something that cannot be told here; `why` says on what. */
  readonly outcome: 'deleted' | 'kept' | 'maybe';
  /** One clause: "Argo CD prunes it (automated.prune is true)". */
  readonly why: string;
  /** Its whole target goes away, not only the object. */
  readonly wholeTarget: boolean;
}

interface Fate {
  readonly outcome: Deletion['outcome'];
  readonly why: string;
}

/**
 * Every object that leaves its target in this change and is in no other target afterwards.
 * An object that moved to another target is not among them.
 */
export function deletions(context: RuleContext<unknown>): readonly Deletion[] {
  const result: Deletion[] = [];
  const fates = new Map<string, Fate>();
  for (const change of context.changes) {
    const entry = change.before;
    if (entry === undefined || change.movedFrom !== undefined) continue;
    if (change.action !== 'removed' && change.action !== 'renamed') continue;
    if (entry.hook !== undefined && entry.hook.length > 0) continue;
    const { group, kind, namespace, name } = entry.ref;
    if (context.after.get(entry.target.scope, group, kind, namespace, name) !== undefined) continue;
    const world = context.live(entry.target.scope);
    const live = world?.get(group, kind, namespace, name) ?? change.live;
    const wholeTarget = !context.targets.after.has(entry.target.id);
    const fate = objectFate(entry, live, wholeTarget, world, context, fates);
    result.push({
      change,
      entry,
      ...(live === undefined ? {} : { live }),
      outcome: fate.outcome,
      why: fate.why,
      wholeTarget,
    });
  }
  return result;
}

function objectFate(
  entry: Entry,
  live: KubeObject | undefined,
  wholeTarget: boolean,
  world: LiveWorld | undefined,
  context: RuleContext<unknown>,
  fates: Map<string, Fate>,
): Fate {
  const { group, kind, namespace } = entry.ref;
  if (world?.covers(group, kind, namespace) === true && live === undefined)
    return { outcome: 'kept', why: 'it does not exist in the cluster' };
  if (createdByEngine(entry))
    return { outcome: 'kept', why: 'Argo CD created the namespace (CreateNamespace) and never deletes it' };
  if (kind === 'CustomResourceDefinition' && isHelmCrdFolder(entry))
    return { outcome: 'kept', why: 'Helm never deletes what is in the crds/ folder of a chart' };
  const guard = guardOf(entry, live, wholeTarget);
  if (guard !== undefined) return guard;
  if (wholeTarget && entry.target.engine === 'argocd' && kind === 'CustomResourceDefinition')
    return { outcome: 'kept', why: 'Argo CD does not delete CRDs when an Application is deleted' };
  const cached = fates.get(`${entry.target.id}\u0000${wholeTarget}`);
  if (cached !== undefined) return cached;
  const fate = wholeTarget
    ? removedTargetFate(entry.target, world, context)
    : pruneFate(context.targets.after.get(entry.target.id) ?? entry.target);
  fates.set(`${entry.target.id}\u0000${wholeTarget}`, fate);
  return fate;
}

/** Applied by Helm itself (not rendered by Argo CD) from the `crds/` folder of the chart or of a subchart. */
export function isHelmCrdFolder(entry: Entry): boolean {
  return entry.target.apply.mode === 'helm' && /(^|\/)crds\//.test(entry.provenance.template ?? '');
}

function createdByEngine({ ref, target, provenance }: Entry): boolean {
  return (
    ref.kind === 'Namespace' &&
    target.afterRender.createNamespace?.name === ref.name &&
    provenance.file === undefined &&
    provenance.template === undefined
  );
}

/**
 * Guards on the object. The live object decides where it is known: an annotation that only Git has, and that was
 * never applied, protects nothing; one that was put on by hand does protect.
 */
export function guardOf(entry: Entry, live: KubeObject | undefined, wholeTarget: boolean): Fate | undefined {
  const annotations = stringMapAt(live ?? entry.object, 'metadata', 'annotations');
  const engine = entry.target.engine;
  const keep = annotations['helm.sh/resource-policy']?.trim().toLowerCase() === 'keep';
  if (engine === 'argocd') {
    const options = (annotations['argocd.argoproj.io/sync-options'] ?? '').split(',').map((option) => option.trim());
    const appOptions = entry.target.apply.syncOptions ?? [];
    if (wholeTarget) {
      // controller/appcontroller.go shouldBeDeleted: `keep` counts like Delete=false, for cascades only.
      if (keep) return { outcome: 'kept', why: 'helm.sh/resource-policy: keep' };
      if (options.includes('Delete=false') || appOptions.includes('Delete=false'))
        return { outcome: 'kept', why: 'sync option Delete=false' };
      if (options.includes('Delete=confirm') || appOptions.includes('Delete=confirm'))
        return { outcome: 'kept', why: 'sync option Delete=confirm waits for a person' };
      return undefined;
    }
    if (options.includes('Prune=false') || appOptions.includes('Prune=false'))
      return { outcome: 'kept', why: 'sync option Prune=false' };
    if (options.includes('Prune=confirm') || appOptions.includes('Prune=confirm'))
      return { outcome: 'kept', why: 'sync option Prune=confirm waits for a person' };
    return undefined;
  }
  if (engine === 'flux') {
    if (annotations['kustomize.toolkit.fluxcd.io/prune']?.toLowerCase() === 'disabled')
      return { outcome: 'kept', why: 'kustomize.toolkit.fluxcd.io/prune: disabled' };
    if (keep && entry.target.apply.mode === 'helm') return { outcome: 'kept', why: 'helm.sh/resource-policy: keep' };
    return undefined;
  }
  if (keep) return { outcome: 'kept', why: 'helm.sh/resource-policy: keep' };
  if (engine === 'helm') return undefined;
  // Nothing says which tool deploys this: the guard of any of them shows the intent.
  const options = annotations['argocd.argoproj.io/sync-options'] ?? '';
  if (/\bPrune=(false|confirm)\b/.test(options)) return { outcome: 'kept', why: `sync option ${options}` };
  return annotations['kustomize.toolkit.fluxcd.io/prune']?.toLowerCase() === 'disabled'
    ? { outcome: 'kept', why: 'kustomize.toolkit.fluxcd.io/prune: disabled' }
    : undefined;
}

/** An object left a target that stays. */
function pruneFate(target: Target): Fate {
  const { prune, suspended, automated } = target.apply;
  const engine = engineName(target);
  if (prune === false)
    return { outcome: 'kept', why: `${engine} does not prune here; the object stays behind as an orphan` };
  if (suspended === true)
    return { outcome: 'maybe', why: `${engine} is suspended here; the object goes when it is resumed` };
  if (prune === 'unknown')
    return { outcome: 'maybe', why: 'nothing in the tree says whether the deploying tool prunes' };
  if (target.engine === 'helm') return { outcome: 'deleted', why: 'helm upgrade deletes it' };
  if (target.engine === 'flux')
    return target.apply.mode === 'helm'
      ? { outcome: 'deleted', why: 'the HelmRelease upgrade deletes it' }
      : { outcome: 'deleted', why: 'Flux prunes it (spec.prune is true)' };
  if (target.engine === 'argocd')
    return automated === false
      ? { outcome: 'maybe', why: 'Argo CD deletes it when someone syncs with prune' }
      : { outcome: 'deleted', why: 'Argo CD prunes it (automated.prune is true)' };
  return { outcome: 'deleted', why: `${engine} prunes it` };
}

/** What happens to the objects of a target that this change removes as a whole; the same for all of them. */
export function fateOfRemovedTarget(target: Target, context: RuleContext<unknown>): Pick<Deletion, 'outcome' | 'why'> {
  return removedTargetFate(target, context.live(target.scope), context);
}

/** The whole target is gone: the declaration's own deletion decides (finalizer, prune of the parent). */
function removedTargetFate(target: Target, world: LiveWorld | undefined, context: RuleContext<unknown>): Fate {
  const declaration = target.declaredBy;
  if (target.engine === 'helm')
    return { outcome: 'maybe', why: 'the release is no longer in the tree; uninstalling it deletes the object' };
  if (declaration === undefined || (target.engine !== 'argocd' && target.engine !== 'flux'))
    return { outcome: 'maybe', why: 'nothing in the tree says what deletes the objects of a removed unit' };
  const parent = parentOf(target, context);
  const parentPrunes = parent?.apply.prune;
  if (parentPrunes === false)
    return {
      outcome: 'kept',
      why: `${parent?.name ?? 'its parent'} does not prune, so ${declaration.kind} ${declaration.name} and its objects stay`,
    };
  if (target.engine === 'argocd') {
    const object = declarationObject(target, world, context);
    if (declaration.kind === 'ApplicationSet') return generatedApplicationFate(target, object);
    const cascades = object === undefined ? undefined : hasCascadeFinalizer(object);
    if (cascades === false)
      return {
        outcome: 'kept',
        why: `Application ${declaration.name} has no resources finalizer, so its deletion leaves the objects`,
      };
    if (cascades === true && parentPrunes === true)
      return {
        outcome: 'deleted',
        why: `Application ${declaration.name} is pruned and its resources finalizer deletes everything it owns`,
      };
    return {
      outcome: 'maybe',
      why: `whether the removal of Application ${declaration.name} deletes its objects depends on its finalizer and on who deletes it`,
    };
  }
  if (target.apply.mode !== 'helm' && target.apply.prune === false)
    return {
      outcome: 'kept',
      why: `Kustomization ${declaration.name} has spec.prune: false, so its deletion leaves the objects`,
    };
  if (parentPrunes === true)
    return {
      outcome: 'deleted',
      why:
        target.apply.mode === 'helm'
          ? `HelmRelease ${declaration.name} is pruned, which uninstalls the release`
          : `Kustomization ${declaration.name} is pruned and its finalizer deletes everything it applied`,
    };
  return {
    outcome: 'maybe',
    why: `it depends on whether ${declaration.kind} ${declaration.name} itself is deleted from the cluster`,
  };
}

/** Has the Application the finalizer that deletes its objects along with it? */
export function cascades(target: Target, context: RuleContext<unknown>): boolean {
  const object = declarationObject(target, context.live(target.scope), context);
  return target.declaredBy?.kind === 'Application' && object !== undefined && hasCascadeFinalizer(object);
}

/** ApplicationSet policy `sync` (the default) deletes Applications that are no longer generated, with their resources. */
function generatedApplicationFate(target: Target, set: unknown): Fate {
  const name = target.declaredBy?.name ?? '';
  const policy = stringAt(set, 'spec', 'syncPolicy', 'applicationsSync') ?? 'sync';
  if (policy === 'create-only' || policy === 'create-update')
    return { outcome: 'kept', why: `ApplicationSet ${name} has applicationsSync: ${policy}` };
  if (at(set, 'spec', 'syncPolicy', 'preserveResourcesOnDeletion') === true)
    return { outcome: 'kept', why: `ApplicationSet ${name} has preserveResourcesOnDeletion: true` };
  return set === undefined
    ? { outcome: 'maybe', why: `it depends on the deletion policy of ApplicationSet ${name}` }
    : {
        outcome: 'deleted',
        why: `ApplicationSet ${name} no longer generates Application ${target.name} and deletes it with its resources`,
      };
}

function parentOf(target: Target, context: RuleContext<unknown>): Target | undefined {
  const id = target.parents.at(-1);
  if (id === undefined) return undefined;
  return context.targets.after.get(id) ?? context.targets.before.get(id);
}

/** The Application as rendered (by the parent) or live. */
function declarationObject(target: Target, world: LiveWorld | undefined, context: RuleContext<unknown>): unknown {
  const ref = target.declaredBy;
  if (ref === undefined) return undefined;
  const live = world?.get(ref.group, ref.kind, ref.namespace, ref.name);
  if (live !== undefined) return live;
  return context.before
    .ofKind(ref.group, ref.kind)
    .find((entry) => entry.ref.name === ref.name && entry.ref.namespace === ref.namespace)?.object;
}

function hasCascadeFinalizer(object: unknown): boolean {
  return listAt(object, 'metadata', 'finalizers').some(
    (finalizer) => typeof finalizer === 'string' && finalizer.startsWith('resources-finalizer.argocd.argoproj.io'),
  );
}

/** How people call the deploying tool. */
export function engineName(target: Target): string {
  switch (target.engine) {
    case 'argocd':
      return 'Argo CD';
    case 'flux':
      return 'Flux';
    case 'helm':
      return 'Helm';
    default:
      return 'the deploying tool';
  }
}

/** Annotation that keeps an object through a prune of this target's engine, as `key: value`. */
export function pruneGuardFor(target: Target): string {
  switch (target.engine) {
    case 'argocd':
      return 'argocd.argoproj.io/sync-options: Prune=false,Delete=false';
    case 'flux':
      return target.apply.mode === 'helm'
        ? 'helm.sh/resource-policy: keep'
        : 'kustomize.toolkit.fluxcd.io/prune: disabled';
    default:
      return 'helm.sh/resource-policy: keep';
  }
}

/**
 * How sure the deletion itself is. A unit that nothing declares to an engine (a chart folder, an overlay) and that
 * leaves the tree as a whole is deleted only if a person does that too.
 */
export function deletionConfidence(deletion: Deletion): Confidence {
  if (deletion.outcome === 'deleted') return 'determined';
  return deletion.wholeTarget && deletion.entry.target.declaredBy === undefined ? 'hint' : 'likely';
}

/** A label or annotation says that the thing may be thrown away (preview, ephemeral, scratch, cache). */
export function isThrowaway(object: KubeObject): boolean {
  const labels = stringMapAt(object, 'metadata', 'labels');
  for (const [key, value] of Object.entries(labels)) {
    if (/(^|[/.-])(preview|ephemeral|scratch)$/.test(key) && value !== 'false') return true;
    if (/(^|[/.-])(env|environment|purpose|lifecycle)$/.test(key))
      if (/^(preview|ephemeral|scratch|review|pull-request|temporary)$/.test(value)) return true;
  }
  return false;
}

/** `helm.sh/hook`-free text of a field for facts: strings and numbers as they are, else undefined. */
export function textAt(object: unknown, ...keys: readonly string[]): string | undefined {
  const value = at(object, ...keys);
  return typeof value === 'number' ? String(value) : stringAt(object, ...keys);
}

import { Type } from 'typebox';
import type { Confidence, Entry, KubeObject, ResourceChange } from '../../core/model.ts';
import { defineRule, type LiveWorld, type Problem, type RuleContext, type World } from '../../core/rule.ts';
import { generatedBy } from '../kit/generators.ts';
import { keysOf, filledElsewhere } from '../kit/config-keys.ts';
import { getOrMake, memo } from '../kit/memo.ts';
import { podTemplate } from '../kit/pods.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { podReferences, type Reference } from '../kit/references.ts';
import { entryIdentity } from '../kit/touched.ts';
import { examples } from './examples/config-key-removed.ts';

function isConfig(entry: Entry | undefined): boolean {
  return (
    entry !== undefined && entry.ref.group === '' && (entry.ref.kind === 'ConfigMap' || entry.ref.kind === 'Secret')
  );
}

/** References of a workload that read one key and may not find it missing. */
function keyReferences(object: KubeObject): readonly KeyReference[] {
  const template = podTemplate(object);
  if (template === undefined) return [];
  return podReferences(template).flatMap((reference) =>
    reference.key === undefined || reference.optional ? [] : [{ ...reference, key: reference.key }],
  );
}

/** What the pod meets. A subPath of a key that is not there becomes an empty directory in place of the file. */
function effect(reference: Reference): string {
  if (reference.use === 'env')
    return `container ${reference.container ?? ''} does not start (CreateContainerConfigError: couldn't find key)`;
  if (reference.use === 'subPath')
    return `container ${reference.container ?? ''} finds an empty directory where the file was`;
  return 'the volume cannot be mounted (references non-existent config key), so the pod stays in ContainerCreating';
}

interface Provider {
  readonly entry: Entry;
  readonly keys: ReadonlySet<string>;
}

/** The ConfigMap or Secret of a reference, when Git decides on its keys. */
function providerOf(world: World, owner: Entry, reference: Reference): Provider | undefined {
  const namespace = owner.ref.namespace ?? 'default';
  const entry = world.get(owner.target.scope, '', reference.kind, namespace, reference.name);
  if (entry === undefined || filledElsewhere(entry.object)) return undefined;
  // A controller writes into it as well.
  if (
    reference.kind === 'Secret' &&
    generatedBy(world, owner.target.scope, namespace, 'Secret', reference.name) !== undefined
  )
    return undefined;
  const keys = keysOf(entry.effective);
  return keys.size === 0 ? undefined : { entry, keys };
}

function moreKeys(context: RuleContext<unknown>, owner: Entry, provider: Entry): ReadonlySet<string> {
  const live = context.live(owner.target.scope)?.get('', provider.ref.kind, provider.ref.namespace, provider.ref.name);
  if (live === undefined) return new Set();
  // Keys that only the cluster has are not removed: they were never in the manifest.
  const before = context.before.get(
    owner.target.scope,
    '',
    provider.ref.kind,
    provider.ref.namespace,
    provider.ref.name,
  );
  const own = before === undefined ? new Set<string>() : keysOf(before.effective);
  return new Set([...keysOf(live)].filter((key) => !own.has(key)));
}

/** Same reference on the other side: same place, or the same object and key. */
function previous(change: ResourceChange | undefined, owner: Entry, before: World, reference: Reference) {
  const old =
    change === undefined
      ? before.get(owner.target.scope, owner.ref.group, owner.ref.kind, owner.ref.namespace, owner.ref.name)
      : change.before;
  if (old === undefined) return undefined;
  const all = keyReferences(old.effective);
  const same = all.find((r) => r.kind === reference.kind && r.name === reference.name && r.key === reference.key);
  const found = same ?? all.find((r) => r.path === reference.path && r.kind === reference.kind);
  return found === undefined ? undefined : { owner: old, reference: found };
}

function* checkOwner(
  context: RuleContext<unknown>,
  owner: Entry,
  change: ResourceChange | undefined,
): Iterable<Problem> {
  const seen = new Set<string>();
  for (const reference of keyReferences(owner.effective)) {
    const id = `${reference.kind}/${reference.name}/${reference.key}`;
    const provider = providerOf(context.after, owner, reference);
    if (provider === undefined || provider.keys.has(reference.key) || seen.has(id)) continue;
    if (moreKeys(context, owner, provider.entry).has(reference.key)) continue;
    const old = previous(change, owner, context.before, reference);
    const oldProvider = old === undefined ? undefined : providerOf(context.before, old.owner, old.reference);
    const worked = old !== undefined && oldProvider !== undefined && oldProvider.keys.has(old.reference.key);
    // It named a key that Git did not hold before either: whatever made it work goes on doing so.
    if (old !== undefined && old.reference.key === reference.key && oldProvider !== undefined && !worked) continue;
    if (
      old !== undefined &&
      old.reference.key === reference.key &&
      oldProvider === undefined &&
      old.reference.name === reference.name
    )
      continue;
    seen.add(id);
    const removed = worked && oldProvider.keys.has(reference.key);
    yield toProblem(context, { owner, reference, provider, removed });
  }
}

function toProblem(
  context: RuleContext<unknown>,
  found: {
    readonly owner: Entry;
    readonly reference: Reference & { readonly key: string };
    readonly provider: Provider;
    readonly removed: boolean;
  },
): Problem {
  const { owner, reference, provider, removed } = found;
  const name = formatRef(provider.entry.ref);
  const world = context.live(owner.target.scope);
  const running = world?.get(owner.ref.group, owner.ref.kind, owner.ref.namespace, owner.ref.name);
  const confidence: Confidence =
    removed && running !== undefined ? 'proven' : removed || reference.kind === 'ConfigMap' ? 'determined' : 'likely';
  const keys = [...provider.keys].slice(0, 12);
  return problemAt(owner, reference.path, {
    message: removed
      ? `${formatRef(owner.ref)} reads key ${reference.key} of ${name}, which this change removes: ${effect(reference)}, at the next start of a pod.`
      : `${formatRef(owner.ref)} now reads key ${reference.key} of ${name}, which does not hold it: ${effect(reference)}.`,
    confidence,
    evidence: {
      before: removed ? reference.key : null,
      after: keys,
      facts: [`${name} holds ${provider.keys.size} ${provider.keys.size === 1 ? 'key' : 'keys'} after the change`],
    },
    fix: removed
      ? `Keep key ${reference.key} in ${name} next to the new one, move ${formatRef(owner.ref)} over, and remove it in a later change.`
      : `Add key ${reference.key} to ${name} or correct the key at ${reference.path}.`,
    rootCause: `config-key-removed:${owner.target.scope}/${name}/${reference.key}`,
  });
}

type KeyReference = Reference & { readonly key: string };

/** Live workloads that read single keys, by namespace, kind and name of what they read. */
const liveReaders = memo((live: LiveWorld) => {
  const index = new Map<
    string,
    { group: string; kind: string; object: KubeObject; references: readonly KeyReference[] }[]
  >();
  for (const kind of ['Deployment', 'StatefulSet', 'DaemonSet', 'CronJob']) {
    const group = kind === 'CronJob' ? 'batch' : 'apps';
    for (const object of live.ofKind(group, kind)) {
      const bySource = Map.groupBy(keyReferences(object), (reference) => `${reference.kind}/${reference.name}`);
      for (const [source, references] of bySource)
        getOrMake(index, `${object.metadata.namespace ?? 'default'}/${source}`, () => []).push({
          group,
          kind,
          object,
          references,
        });
    }
  }
  return index;
});

/** Workloads that only the cluster knows and that read a key which this change removes. */
function* checkForeign(
  context: RuleContext<unknown>,
  change: ResourceChange,
  known: ReadonlySet<string>,
): Iterable<Problem> {
  const { before, after } = change;
  if (before === undefined || after === undefined || !isConfig(after)) return;
  const world = context.live(after.target.scope);
  if (world === undefined || filledElsewhere(after.object)) return;
  const keys = keysOf(after.effective);
  const gone = new Set([...keysOf(before.effective)].filter((key) => !keys.has(key)));
  if (gone.size === 0) return;
  const source = `${after.ref.namespace ?? 'default'}/${after.ref.kind}/${before.ref.name}`;
  for (const { group, kind, object, references } of liveReaders(world).get(source) ?? []) {
    if (known.has(`${group}/${kind}/${object.metadata.namespace}/${object.metadata.name}`)) continue;
    const reader = references.find((reference) => gone.has(reference.key));
    if (reader === undefined) continue;
    yield problemAt(
      after,
      after.ref.kind === 'Secret' ? '/data' : `/data/${reader.key.replaceAll('~', '~0').replaceAll('/', '~1')}`,
      {
        message: `${kind} ${after.ref.namespace}/${object.metadata.name}, which runs in the cluster and is not in this repository, reads key ${reader.key} of ${formatRef(after.ref)}, which this change removes: ${effect(reader)}, at the next start of a pod.`,
        confidence: 'proven',
        evidence: {
          before: reader.key,
          after: [...keys].slice(0, 12),
          live: `${kind} ${object.metadata.name}: ${reader.path}`,
        },
        fix: `Keep key ${reader.key} in ${formatRef(after.ref)} until ${kind} ${object.metadata.name} no longer reads it.`,
        rootCause: `config-key-removed:${after.target.scope}/${formatRef(after.ref)}/${reader.key}`,
      },
    );
  }
}

export default defineRule({
  id: 'config-key-removed',
  since: '0.1.0',
  family: 'References to config, secrets, identity',
  title: 'Config key removed',
  severity: 'high',
  reversibility: 'instant',
  confidence: 'determined',
  needs: 'transition',
  kinds: [
    '/ConfigMap',
    '/Secret',
    'apps/Deployment',
    'apps/StatefulSet',
    'apps/DaemonSet',
    'batch/Job',
    'batch/CronJob',
  ],
  live: ['apps/DaemonSet', 'apps/Deployment', 'apps/StatefulSet', 'batch/CronJob'],
  summary: 'A key of a ConfigMap or Secret goes away while a workload still names it.',
  docs: {
    why: 'A container whose `configMapKeyRef` or `secretKeyRef` names a key that is not there does not start (`CreateContainerConfigError`), a volume with that key in `items` is not mounted, and a `subPath` of it becomes an empty directory. Running pods keep what they have, so it shows at the next restart, often in another application that reads the same ConfigMap.',
    fix: 'Three steps: add the new key, move every reader, remove the old key.',
    ignoreWhen: 'The readers are removed at the same time by another repository.',
  },
  references: [
    'k8s:pkg/kubelet/kuberuntime/kuberuntime_container.go',
    'https://github.com/sentry-kubernetes/charts/issues/1433',
  ],
  options: Type.Object({}),
  examples,
  *check(context) {
    const changes = new Map<string, ResourceChange>();
    const namespaces = new Map<string, { scope: string; namespace: string }>();
    for (const change of context.changes) {
      const entry = change.after;
      if (entry === undefined) continue;
      changes.set(entryIdentity(entry), change);
      const namespace = entry.ref.namespace ?? 'default';
      // Readers that are not touched matter only where a ConfigMap or Secret changed.
      if (isConfig(entry))
        namespaces.set(`${entry.target.scope}\u0000${namespace}`, { scope: entry.target.scope, namespace });
    }
    const judged = new Set<Entry>();
    for (const { scope, namespace } of namespaces.values())
      for (const owner of context.after.inNamespace(scope, namespace)) {
        judged.add(owner);
        yield* checkOwner(context, owner, changes.get(entryIdentity(owner)));
      }
    for (const change of context.changes)
      if (change.after !== undefined && !judged.has(change.after)) yield* checkOwner(context, change.after, change);
    const known = new Set(
      [...context.before.entries, ...context.after.entries].map(
        ({ ref }) => `${ref.group}/${ref.kind}/${ref.namespace}/${ref.name}`,
      ),
    );
    for (const change of context.changes) yield* checkForeign(context, change, known);
  },
});

import { splitKind } from '../../core/json.ts';
import { Type } from 'typebox';
import type { Confidence, Entry, Target } from '../../core/model.ts';
import { defineRule, type Problem, type RuleContext } from '../../core/rule.ts';
import { deletionConfidence, deletions, isThrowaway, pruneGuardFor, type Deletion } from '../kit/deletions.ts';
import { declarationKinds, liveKinds } from '../kit/live-kinds.ts';
import { activePods } from '../kit/live-pods.ts';
import { stringMapAt } from '../kit/pods.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { weaker } from '../kit/severity.ts';
import { failedTargetsFact, unitName } from '../kit/units.ts';
import { examples } from './examples/namespace-deleted.ts';

interface Options {
  readonly previewNames: string;
}

/** Namespaced kinds that are looked for in the cluster: what runs, what holds data, what is reached. */
const countedKinds = [
  'apps/Deployment',
  'apps/StatefulSet',
  'apps/DaemonSet',
  'batch/CronJob',
  'batch/Job',
  '/PersistentVolumeClaim',
  '/Service',
  'networking.k8s.io/Ingress',
] as const;

function counted(kinds: readonly string[], shown = 6): string {
  const counts = new Map<string, number>();
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  const text = sorted.slice(0, shown).map(([kind, count]) => `${count} ${kind}`);
  return sorted.length > shown ? `${text.join(', ')} and ${sorted.length - shown} more kinds` : text.join(', ');
}

/** What goes with the namespace: rendered objects by unit, and what only the cluster knows. */
function inventory(
  context: RuleContext<unknown>,
  entry: Entry,
): { readonly facts: string[]; readonly foreign: number; readonly claims: number } {
  const { scope } = entry.target;
  const name = entry.ref.name;
  const inside = context.before.inNamespace(scope, name);
  const byTarget = Map.groupBy(inside, ({ target }) => target.id);
  const facts = [...byTarget.values()]
    .slice(0, 8)
    .map(
      (entries) =>
        `${entries[0] === undefined ? '' : unitName(entries[0].target)}: ${counted(entries.map(({ ref }) => ref.kind))}`,
    );
  let foreign = [...byTarget.keys()].filter((id) => id !== entry.target.id).length;
  let claims = inside.filter(({ ref }) => ref.kind === 'PersistentVolumeClaim').length;
  const live = context.live(scope);
  if (live !== undefined) {
    const objects = countedKinds
      .flatMap((key) => live.ofKind(...splitKind(key)))
      .filter(({ metadata }) => metadata.namespace === name);
    const pods = live.pods(name).reduce((sum, found) => sum + activePods(found), 0);
    const known = new Set(inside.map(({ ref }) => `${ref.kind}/${ref.name}`));
    const unknown = objects.filter(({ kind, metadata }) => !known.has(`${kind}/${metadata.name}`));
    claims = Math.max(claims, objects.filter(({ kind }) => kind === 'PersistentVolumeClaim').length);
    const kinds = [...objects.map(({ kind }) => kind), ...Array<string>(pods).fill('Pod')];
    const unread = countedKinds.filter((key) => !live.covers(...splitKind(key), name));
    facts.push(
      `live: ${kinds.length === 0 ? 'nothing found in the namespace' : `in the namespace are ${counted(kinds)}`}${unread.length === 0 ? '' : `; not looked at: ${unread.map((key) => splitKind(key)[1]).join(', ')}`}`,
    );
    const workloads = unknown.filter(({ kind }) => ['Deployment', 'StatefulSet', 'DaemonSet'].includes(kind));
    if (workloads.length > 0) {
      foreign += 1;
      facts.push(
        `live, not in this repository: ${workloads
          .slice(0, 5)
          .map(({ kind, metadata }) => `${kind} ${metadata.name}`)
          .join(', ')}`,
      );
    }
  }
  return { facts, foreign, claims };
}

function* checkDeletion(context: RuleContext<Options>, deletion: Deletion): Iterable<Problem> {
  const { entry } = deletion;
  if (entry.ref.kind !== 'Namespace' || entry.ref.group !== '' || deletion.outcome === 'kept') return;
  if (isThrowaway(entry.object) || matchesAny(context.options.previewNames, entry.ref.name)) return;
  const { scope } = entry.target;
  const { facts, foreign, claims } = inventory(context, entry);
  const failed = failedTargetsFact(context, scope);
  const live = context.live(scope);
  const base: Confidence =
    deletion.outcome === 'deleted' && deletion.live !== undefined ? 'proven' : deletionConfidence(deletion);
  const others = foreign > 0 ? `, also of ${foreign === 1 ? 'another unit' : `${foreign} other units`}` : '';
  const data = claims > 0 ? `, ${claims} ${claims === 1 ? 'volume claim' : 'volume claims'} among them` : '';
  yield problemAt(entry, '', {
    message: `Namespace ${entry.ref.name} is ${deletion.outcome === 'deleted' ? 'deleted' : 'deleted if pruning is on'} by the sync, and Kubernetes deletes every object in it${others}${data}.`,
    confidence: failed === undefined ? base : weaker(base, 'likely'),
    evidence: {
      before: `Namespace ${entry.ref.name} in ${unitName(entry.target)}`,
      after: null,
      facts: [deletion.why, ...facts, ...(failed === undefined ? [] : [failed])],
      ...(live === undefined ? { wouldChange: 'a snapshot shows what else lives in the namespace' } : {}),
    },
    fix: `Keep Namespace ${entry.ref.name} in Git, or put ${pruneGuardFor(entry.target)} on the live Namespace first. Own namespaces outside of the units that live in them.`,
    rootCause: `prune:${scope}/${formatRef(entry.ref)}`,
  });
}

/** Argo CD with Replace and Force deletes and creates objects anew; for a Namespace that is everything in it. */
function recreates(target: Target, entry: Entry): boolean {
  if (target.engine !== 'argocd') return false;
  const options = (stringMapAt(entry.object, 'metadata', 'annotations')['argocd.argoproj.io/sync-options'] ?? '')
    .split(',')
    .map((option) => option.trim());
  // Options of the object win over those of the Application.
  const on = (name: string, byApplication: boolean | undefined) =>
    options.includes(`${name}=true`) || (byApplication === true && !options.includes(`${name}=false`));
  return on('Replace', target.apply.replace) && on('Force', target.apply.force);
}

function* checkReplace(context: RuleContext<Options>): Iterable<Problem> {
  for (const entry of context.after.ofKind('', 'Namespace')) {
    if (!recreates(entry.target, entry)) continue;
    const old = context.before.get(entry.target.scope, '', 'Namespace', undefined, entry.ref.name);
    // A new Namespace has nothing in it yet; one that was like this before is not news.
    if (old === undefined || recreates(context.targets.before.get(entry.target.id) ?? old.target, old)) continue;
    const { facts } = inventory(context, old);
    yield problemAt(entry, '/metadata', {
      message: `${unitName(entry.target)} now applies Namespace ${entry.ref.name} with Replace=true and Force=true, which deletes and creates it: every object in it goes, and Prune=false does not prevent it.`,
      confidence: 'likely',
      evidence: { before: 'apply', after: 'delete and create', facts },
      fix: `Set argocd.argoproj.io/sync-options: Replace=false,Force=false on Namespace ${entry.ref.name}, or use both options only on the Jobs that need them.`,
    });
  }
}

/** A comma separated list of names, each may end in `*`. */
function matchesAny(patterns: string, name: string): boolean {
  return patterns.split(',').some((pattern) => {
    const wanted = pattern.trim();
    return wanted.endsWith('*') ? wanted.length > 1 && name.startsWith(wanted.slice(0, -1)) : wanted === name;
  });
}

export default defineRule<Options>({
  id: 'namespace-deleted',
  since: '0.1.0',
  family: 'Data loss and prune',
  title: 'Namespace deleted',
  severity: 'critical',
  reversibility: 'irreversible',
  confidence: 'determined',
  needs: 'transition',
  kinds: ['/Namespace'],
  live: liveKinds(countedKinds, '/Pod'),
  liveOf: declarationKinds,
  summary: 'A Namespace leaves Git and is pruned, with everything in it, whoever owns that.',
  docs: {
    why: 'Deleting a Namespace deletes every object in it, also those of other Applications, of operators and of people, and volume claims with them. It cannot be stopped once it has begun: the namespace stays Terminating until it is empty. It happens when the Namespace leaves a unit that prunes, when it is renamed, and when Argo CD replaces it by force (`Replace=true` with `Force=true` deletes and creates).',
    fix: 'Guard namespaces (`Prune=false` or `Prune=confirm`, `kustomize.toolkit.fluxcd.io/prune: disabled`), and own them in a unit of their own.',
    ignoreWhen: 'The namespace is empty or made for a preview.',
  },
  references: [
    'https://github.com/argoproj/argo-cd/issues/12539',
    'https://github.com/argoproj/argo-cd/issues/29739',
    'https://github.com/fluxcd/flux2/issues/1462',
  ],
  options: Type.Object({
    previewNames: Type.String({
      default: 'preview-*,pr-*,review-*',
      description: 'Namespaces that come and go: comma separated names, `*` at the end matches any rest.',
    }),
  }),
  examples,
  *check(context) {
    for (const deletion of deletions(context)) yield* checkDeletion(context, deletion);
    yield* checkReplace(context);
  },
});

import { Type } from 'typebox';
import type { Confidence, Entry, KubeObject, ResourceChange } from '../../core/model.ts';
import { defineRule, type Problem, type RuleContext } from '../../core/rule.ts';
import { foreignObjects, liveEntry } from '../kit/live-entry.ts';
import { at, listAt, numberAt, stringAt } from '../kit/pods.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { scalerFor, scalerKinds, scalerOf, scaleTarget, type Scaler } from '../kit/scalers.ts';
import { examples } from './examples/replicas-reset-by-removal.ts';

const kinds = new Set(['apps/Deployment', 'apps/StatefulSet', 'apps/ReplicaSet', 'argoproj.io/Rollout']);

/**
 * Argo CD puts the live value into what it applies when a difference is ignored and `RespectIgnoreDifferences=true`
 * is set: then nothing is reset. Only pointers and expressions that name the field itself are recognised.
 */
function argoKeepsLiveValue(entry: Entry): boolean {
  const { ignoreDifferences = [], syncOptions = [] } = entry.target.apply;
  if (!syncOptions.includes('RespectIgnoreDifferences=true')) return false;
  return ignoreDifferences.some((item) => {
    const kind = stringAt(item, 'kind');
    const name = stringAt(item, 'name');
    if (kind !== undefined && kind !== '*' && kind !== entry.ref.kind) return false;
    if (name !== undefined && name !== '' && name !== entry.ref.name) return false;
    return (
      listAt(item, 'jsonPointers').includes('/spec/replicas') ||
      listAt<unknown>(item, 'jqPathExpressions').some((path) => String(path).trim() === '.spec.replicas')
    );
  });
}

/** Field managers that own `spec.replicas` of a live object, with whether they own it through the scale subresource. */
function replicaOwners(live: KubeObject): { manager: string; scale: boolean }[] {
  return listAt(live, 'metadata', 'managedFields').flatMap((field) =>
    at(field, 'fieldsV1', 'f:spec', 'f:replicas') === undefined
      ? []
      : [
          {
            manager: stringAt(field, 'manager') ?? '?',
            scale: stringAt(field, 'subresource') === 'scale',
          },
        ],
  );
}

/** An autoscaler that only the cluster has. */
function foreignScaler(context: RuleContext<unknown>, workload: Entry): Scaler | undefined {
  for (const [group, kind] of scalerKinds) {
    for (const object of foreignObjects(context, workload.target.scope, group, kind)) {
      const entry = liveEntry(object, workload.target);
      const target = scaleTarget(entry);
      if (target?.kind !== workload.ref.kind || target.name !== workload.ref.name) continue;
      if (entry.ref.namespace === (workload.ref.namespace ?? 'default')) return scalerOf(entry);
    }
  }
  return undefined;
}

interface Judgement {
  readonly confidence: Confidence;
  readonly mechanism: string;
  readonly facts: readonly string[];
}

/** Who owns the field decides; undefined: the value survives. */
function judge(entry: Entry, live: KubeObject | undefined, scaler: Scaler | undefined): Judgement | undefined {
  const { mode } = entry.target.apply;
  const owners = live === undefined ? [] : replicaOwners(live);
  const facts = owners.map(
    ({ manager, scale }) => `live: spec.replicas is owned by ${manager}${scale ? ' (scale)' : ''}`,
  );
  if (mode === 'server-side') {
    const others = owners.filter(({ scale }) => scale);
    if (others.length > 0) return undefined;
    const mechanism =
      'Server-side apply removes a field that no other manager owns, and the API server then fills in its default of 1';
    if (owners.length > 0) return { confidence: 'proven', mechanism, facts };
    return { confidence: scaler === undefined ? 'determined' : 'likely', mechanism, facts };
  }
  const mechanism =
    mode === 'helm'
      ? 'Helm sends null for a field that left the manifest, and the API server then fills in its default of 1'
      : 'Client-side apply sends null for a field that left the manifest, and the API server then fills in its default of 1';
  const lastApplied = stringAt(live, 'metadata', 'annotations', 'kubectl.kubernetes.io/last-applied-configuration');
  if (mode === 'client-side' && live !== undefined && lastApplied !== undefined) {
    // No last-applied value, nothing to remove: the live value stays.
    if (!/"replicas":\s*\d/.test(lastApplied)) return undefined;
    return {
      confidence: 'proven',
      mechanism,
      facts: [...facts, 'live: last-applied-configuration holds spec.replicas'],
    };
  }
  return { confidence: 'determined', mechanism, facts };
}

/** 1 -> 5 -> 10 -> 20: the default scale-up policy adds 4 pods or 100 % each 15 seconds, and jumps to `min` at once. */
function recovery(scaler: Scaler, wanted: number): string {
  const steps = [1];
  let now = Math.max(scaler.min, 5);
  while (now < wanted && steps.length < 8) {
    steps.push(now);
    now = Math.max(now * 2, now + 4);
  }
  steps.push(wanted);
  return `${formatRef(scaler.entry.ref)} brings it back step by step (${steps.join(' -> ')}, one step per 15 s, each after new pods are ready)`;
}

function* checkWorkload(
  context: RuleContext<unknown>,
  change: ResourceChange,
  before: Entry,
  after: Entry,
): Iterable<Problem> {
  const declared = numberAt(before.object, 'spec', 'replicas');
  if (declared === undefined || declared <= 1 || at(after.object, 'spec', 'replicas') !== undefined) return;
  if (argoKeepsLiveValue(after)) return;
  const { group, kind, namespace, name } = after.ref;
  const world = context.live(after.target.scope);
  const live = world?.get(group, kind, namespace, name) ?? change.live;
  if (live === undefined && world?.covers(group, kind, namespace) === true) return;
  const scaler = scalerFor(context.after, after) ?? foreignScaler(context, after);
  const judgement = judge(after, live, scaler);
  if (judgement === undefined) return;
  const running = numberAt(live, 'spec', 'replicas');
  const from = running ?? declared;
  if (from <= 1) return;
  yield problemAt(after, '/spec/replicas', {
    message: `${judgement.mechanism}: ${formatRef(after.ref)} goes from ${from} to 1 replica at the sync${scaler === undefined ? ' and stays there' : `, although ${scaler.entry.ref.kind} ${scaler.entry.ref.name} is meant to own the number`}.`,
    confidence: judgement.confidence,
    evidence: {
      before: declared,
      after: null,
      ...(running === undefined ? {} : { live: running }),
      facts: [
        `applied by ${after.target.engine}, ${after.target.apply.mode}`,
        ...judgement.facts,
        ...(scaler === undefined ? [] : [recovery(scaler, Math.max(from, scaler.min))]),
      ],
      ...(live === undefined
        ? { wouldChange: 'live managedFields show whether another manager owns spec.replicas' }
        : {}),
    },
    fix:
      scaler === undefined
        ? `Keep spec.replicas: ${declared} in ${formatRef(after.ref)}, or add the autoscaler first.`
        : `Hand the field over first: keep spec.replicas (${Math.max(declared, scaler.min)}) until the autoscaler owns it (kubectl apply edit-last-applied, or Argo CD ignoreDifferences /spec/replicas with RespectIgnoreDifferences=true), then remove it.`,
  });
}

export default defineRule({
  id: 'replicas-reset-by-removal',
  since: '0.1.0',
  family: 'Replicas, resources, quota, autoscaling',
  title: 'Replicas reset by removal',
  severity: 'high',
  reversibility: 'instant',
  confidence: 'determined',
  needs: 'transition',
  kinds: [...kinds],
  live: scalerKinds.map(([group, kind]) => `${group}/${kind}`),
  summary: 'Removing spec.replicas from a manifest scales the workload to the API default of one pod.',
  docs: {
    why: 'Linters advise to remove `spec.replicas` when an autoscaler owns it. The end state is right, the step is not: client-side apply (kubectl, Argo CD by default) and Helm send `null` for a field that was in the previous manifest, and the API server replaces it with its default, 1 (`SetDefaults_Deployment`). The autoscaler then starts again from one pod. With server-side apply the field survives only if another manager, such as the autoscaler through the scale subresource, owns it too.',
    fix: 'Two steps: transfer the ownership of `spec.replicas` first (edit the last-applied configuration, or Argo CD `ignoreDifferences` with `RespectIgnoreDifferences=true`, or an SSA manager of its own), then remove the field. Or keep `replicas` equal to the minimum of the autoscaler.',
    ignoreWhen:
      'One replica for a short time is acceptable, or the last applied configuration does not hold the field.',
  },
  references: [
    'https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#migrating-deployments-and-statefulsets-to-horizontal-autoscaling',
    'https://github.com/ansible/galaxy/pull/1095',
    'k8s:pkg/apis/apps/v1/defaults.go',
  ],
  options: Type.Object({}),
  examples,
  *check(context) {
    for (const change of context.changes) {
      const { before, after } = change;
      if (before === undefined || after === undefined) continue;
      if (kinds.has(`${after.ref.group}/${after.ref.kind}`)) yield* checkWorkload(context, change, before, after);
    }
  },
});

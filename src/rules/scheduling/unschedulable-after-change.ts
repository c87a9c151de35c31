import { Type } from 'typebox';
import type { Entry, KubeObject } from '../../core/model.ts';
import { defineRule, type LiveWorld, type Problem, type RuleContext } from '../../core/rule.ts';
import { misfit, shortOf, type Misfit } from '../kit/node-fit.ts';
import { podAmounts } from '../kit/pod-resources.ts';
import { at, containersOf, desiredPods, podTemplate, type PodTemplate } from '../kit/pods.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { semanticEqual } from '../../core/semantic.ts';
import { examples } from './examples/unschedulable-after-change.ts';

const constraintFields = ['nodeSelector', 'tolerations', 'affinity'] as const;

interface Fit {
  readonly nodes: number;
  readonly fitting: number;
  readonly misfits: Readonly<Record<Misfit, number>>;
}

function fitOf(template: PodTemplate, nodes: readonly KubeObject[], daemon: boolean): Fit {
  const misfits = { cordoned: 0, label: 0, taint: 0, resources: 0 };
  let fitting = 0;
  for (const node of nodes) {
    const reason = misfit(template, node, daemon);
    if (reason === undefined) fitting += 1;
    else misfits[reason] += 1;
  }
  return { nodes: nodes.length, fitting, misfits };
}

function reasons({ nodes, fitting, misfits }: Fit): string {
  const parts = [
    ...(misfits.label > 0 ? [`${misfits.label} label mismatch`] : []),
    ...(misfits.taint > 0 ? [`${misfits.taint} taint not tolerated`] : []),
    ...(misfits.cordoned > 0 ? [`${misfits.cordoned} cordoned`] : []),
    ...(misfits.resources > 0 ? [`${misfits.resources} too small`] : []),
  ];
  return `${fitting}/${nodes} nodes fit${parts.length === 0 ? '' : `: ${parts.join(', ')}`}`;
}

/** Something makes nodes on demand, so that a node that fits may appear. */
function nodesOnDemand(context: RuleContext<unknown>, live: LiveWorld, scope: string): boolean {
  const kinds = [
    ['karpenter.sh', 'NodePool'],
    ['cluster.x-k8s.io', 'MachineDeployment'],
    ['machine.openshift.io', 'MachineSet'],
  ] as const;
  return kinds.some(
    ([group, kind]) => live.ofKind(group, kind).length > 0 || context.after.ofKind(group, kind, scope).length > 0,
  );
}

/** The field that decides: the first that changed, else the first that is set. */
function deciding(old: PodTemplate | undefined, template: PodTemplate): string {
  const changed = constraintFields.find(
    (field) => !semanticEqual(at(old?.spec, field), at(template.spec, field), field),
  );
  if (changed !== undefined) return `${template.path}/${changed}`;
  const container = containersOf(template).find(({ container: now }) => {
    const was = old === undefined ? undefined : containersOf(old).find(({ container: then }) => then.name === now.name);
    return !semanticEqual(at(was?.container, 'resources'), at(now, 'resources'), 'resources');
  });
  return container === undefined ? `${template.path}/nodeSelector` : `${container.path}/resources/requests`;
}

/** Does a pod ask for more of anything than before? */
function asksForMore(old: PodTemplate | undefined, template: PodTemplate): boolean {
  const was = old === undefined ? {} : podAmounts(old, 'requests');
  return Object.entries(podAmounts(template, 'requests')).some(
    ([resource, amount]) => amount > ((was as Record<string, number>)[resource] ?? 0),
  );
}

function* judge(context: RuleContext<unknown>, before: Entry | undefined, after: Entry): Iterable<Problem> {
  const template = podTemplate(after.effective);
  if (template === undefined || desiredPods(after.effective) === 0) return;
  const old = before === undefined ? undefined : podTemplate(before.effective);
  const constrained = constraintFields.some((field) => at(template.spec, field) !== undefined);
  const changed = constraintFields.some(
    (field) => !semanticEqual(at(old?.spec, field), at(template.spec, field), field),
  );
  if (!asksForMore(old, template) && (old === undefined ? !constrained : !changed)) return;
  const { scope } = after.target;
  const live = context.live(scope);
  const nodes = live?.ofKind('', 'Node') ?? [];
  if (live?.covers('', 'Node') !== true || nodes.length === 0) return;
  const daemon = after.ref.kind === 'DaemonSet';
  const fit = fitOf(template, nodes, daemon);
  if (fit.fitting > 0) return;
  const was = old === undefined ? undefined : fitOf(old, nodes, daemon);
  if (was !== undefined && was.fitting === 0) return;
  const onDemand = nodesOnDemand(context, live, scope);
  const short = [...new Set(nodes.flatMap((node) => shortOf(template, node)))];
  yield problemAt(after, deciding(old, template), {
    message: `No node of the cluster takes the pods of ${formatRef(after.ref)} (${reasons(fit)}): ${daemon ? 'it gets no pod at all, and whoever waits for it waits for ever' : 'they stay Pending'}.`,
    severity: onDemand ? 'high' : 'critical',
    confidence: onDemand ? 'likely' : 'proven',
    evidence: {
      ...(was === undefined ? {} : { before: reasons(was) }),
      after: reasons(fit),
      facts: [
        ...(onDemand ? ['nodes are made on demand: the node pools decide whether one can fit'] : []),
        ...(fit.misfits.resources > 0 ? [`one pod asks for more ${short.join(', ')} than such a node has in all`] : []),
      ],
    },
    fix:
      fit.misfits.resources > 0
        ? `Ask for at most what a node has (${short.join(', ')}) in ${formatRef(after.ref)}, or add larger nodes first.`
        : `Give the nodes the labels first, tolerate their taints in ${formatRef(after.ref)}, or make the constraint a preference.`,
  });
}

export default defineRule({
  id: 'unschedulable-after-change',
  since: '0.1.0',
  family: 'Scheduling',
  title: 'Unschedulable after the change',
  severity: 'high',
  reversibility: 'instant',
  confidence: 'hint',
  needs: 'live',
  kinds: ['apps/Deployment', 'apps/StatefulSet', 'apps/DaemonSet', 'batch/Job', 'batch/CronJob', '/Node'],
  live: ['/Node', 'cluster.x-k8s.io/MachineDeployment', 'karpenter.sh/NodePool', 'machine.openshift.io/MachineSet'],
  summary: 'No node of the cluster has the labels or the size, or lacks the taints, that the pods ask for.',
  docs: {
    why: 'The API server takes every nodeSelector and toleration; the scheduler then leaves the pod Pending (FailedScheduling). A DaemonSet without a fitting node is worse to see: it has zero desired pods and looks complete, or a hook that counts its pods never ends.',
    fix: 'Label and untaint the nodes before the change, tolerate the taint, or use preferred instead of required affinity.',
    ignoreWhen: 'A new node pool with these labels comes up before the sync.',
  },
  references: [
    'https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/',
    'berkeley-dsep-infra/datahub incident 2018-01-26 (image puller against a tainted node)',
  ],
  options: Type.Object({}),
  examples,
  *check(context) {
    for (const { before, after } of context.changes) if (after !== undefined) yield* judge(context, before, after);
  },
});

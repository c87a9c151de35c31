import { requirementHolds } from '../../core/labels.ts';
import type { KubeObject } from '../../core/model.ts';
import { amountsAt, podAmounts } from './pod-resources.ts';
import { at, listAt, numberAt, stringAt, stringMapAt, type PodTemplate } from './pods.ts';
import { matchesLabels } from './select.ts';

/** Why a node does not take a pod, even when nothing else runs on it. */
export type Misfit = 'cordoned' | 'label' | 'taint' | 'resources';

/** Tolerations that the DaemonSet controller adds to its pods (`AddOrUpdateDaemonPodTolerations`). */
const daemonTolerations: readonly unknown[] = [
  'not-ready',
  'unreachable',
  'disk-pressure',
  'memory-pressure',
  'pid-pressure',
  'unschedulable',
].map((name) => ({ key: `node.kubernetes.io/${name}`, operator: 'Exists' }));

/**
 * The scheduler's filters NodeUnschedulable, NodeAffinity and TaintToleration on one node, and NodeResourcesFit against
 * all that the node can give (`status.allocatable`), not against what is free now. Ports and volumes are not looked at.
 * @param daemon the pod belongs to a DaemonSet
 */
export function misfit(template: PodTemplate, node: KubeObject, daemon: boolean): Misfit | undefined {
  const tolerations = [...listAt(template.spec, 'tolerations'), ...(daemon ? daemonTolerations : [])];
  if (at(node, 'spec', 'unschedulable') === true && !daemon) return 'cordoned';
  const labels = { ...stringMapAt(node, 'metadata', 'labels') };
  if (!matchesLabels(stringMapAt(template.spec, 'nodeSelector'), labels) || !affinityHolds(template, node, labels))
    return 'label';
  for (const taint of listAt(node, 'spec', 'taints')) {
    const effect = stringAt(taint, 'effect');
    if (effect !== 'NoSchedule' && effect !== 'NoExecute') continue;
    if (!tolerations.some((toleration) => tolerates(toleration, taint))) return 'taint';
  }
  return shortOf(template, node).length > 0 ? 'resources' : undefined;
}

/** Resources of which one pod asks for more than the node has in all; [] when the node does not say what it has. */
export function shortOf(template: PodTemplate, node: KubeObject): readonly string[] {
  const allocatable = amountsAt(node, 'status', 'allocatable');
  if (Object.keys(allocatable).length === 0) return [];
  return Object.entries(podAmounts(template, 'requests'))
    .filter(([resource, amount]) => amount > (allocatable[resource] ?? 0))
    .map(([resource]) => resource);
}

function tolerates(toleration: unknown, taint: unknown): boolean {
  const effect = stringAt(toleration, 'effect') ?? '';
  if (effect !== '' && effect !== stringAt(taint, 'effect')) return false;
  const key = stringAt(toleration, 'key') ?? '';
  const operator = stringAt(toleration, 'operator') ?? 'Equal';
  if (key === '') return operator === 'Exists';
  if (key !== stringAt(taint, 'key')) return false;
  return operator === 'Exists' || (stringAt(toleration, 'value') ?? '') === (stringAt(taint, 'value') ?? '');
}

/** Terms are alternatives, the expressions of a term all hold; a term without expressions matches nothing. */
function affinityHolds(template: PodTemplate, node: KubeObject, labels: Readonly<Record<string, string>>): boolean {
  const required = at(template.spec, 'affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution');
  if (required === undefined || required === null) return true;
  return listAt(required, 'nodeSelectorTerms').some((term) => {
    const expressions = listAt(term, 'matchExpressions');
    const fields = listAt(term, 'matchFields');
    if (expressions.length + fields.length === 0) return false;
    return (
      expressions.every((expression) => holds(expression, labels)) &&
      fields.every((field) => holds(field, { 'metadata.name': node.metadata.name }))
    );
  });
}

function holds(expression: unknown, labels: Readonly<Record<string, string>>): boolean {
  const key = stringAt(expression, 'key') ?? '';
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  const values = listAt<unknown>(expression, 'values').map(String);
  const operator = stringAt(expression, 'operator');
  switch (operator) {
    case 'Gt':
      return Number(value) > (numberAt({ v: values[0] }, 'v') ?? Number.NaN);
    case 'Lt':
      return Number(value) < (numberAt({ v: values[0] }, 'v') ?? Number.NaN);
    default:
      return requirementHolds(operator, values, value);
  }
}

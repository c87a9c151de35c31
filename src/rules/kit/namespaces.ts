import type { RuleContext } from '../../core/rule.ts';
import { stringMapAt } from './pods.ts';
import { requirementHolds } from '../../core/labels.ts';
import type { LabelSelector } from './select.ts';

/** Labels of a namespace on one side. */
export interface NamespaceLabels {
  readonly labels: Readonly<Record<string, string>>;
  /** False: neither the tree nor the cluster shows the Namespace, so it may carry labels that are not known here. */
  readonly complete: boolean;
}

/** Set by the API server on every Namespace (NamespaceDefaultLabelName, always on since 1.22). */
export const nameLabel = 'kubernetes.io/metadata.name';

/**
 * Labels of a namespace as they will be (or were): the rendered Namespace, what the engine adds when it creates it, and
 * live labels that nobody removes. A label that this change takes out of the manifest is gone after it.
 */
export function namespaceLabels(
  context: RuleContext<unknown>,
  side: 'before' | 'after',
  scope: string,
  name: string,
): NamespaceLabels {
  const world = side === 'before' ? context.before : context.after;
  const rendered = world.get(scope, '', 'Namespace', undefined, name);
  const live = context.live(scope)?.get('', 'Namespace', undefined, name);
  const labels: Record<string, string> = stringMapAt(live, 'metadata', 'labels');
  if (side === 'after' && live !== undefined) {
    const before = stringMapAt(
      context.before.get(scope, '', 'Namespace', undefined, name)?.object,
      'metadata',
      'labels',
    );
    const after = stringMapAt(rendered?.object, 'metadata', 'labels');
    for (const key of Object.keys(before)) if (!Object.hasOwn(after, key)) delete labels[key];
    // Replace=true sends the manifest as the whole object; an apply leaves labels alone that it never owned.
    if (rendered?.target.apply.replace === true)
      for (const key of Object.keys(labels)) if (!Object.hasOwn(after, key)) delete labels[key];
  }
  Object.assign(labels, stringMapAt(rendered?.object, 'metadata', 'labels'));
  const created = createdNamespace(context, side, scope, name);
  if (rendered === undefined && created !== undefined) Object.assign(labels, created);
  labels[nameLabel] = name;
  return { labels, complete: rendered !== undefined || live !== undefined };
}

function createdNamespace(
  context: RuleContext<unknown>,
  side: 'before' | 'after',
  scope: string,
  name: string,
): Readonly<Record<string, string>> | undefined {
  for (const target of context.targets[side].values()) {
    const created = target.afterRender.createNamespace;
    if (target.scope === scope && created?.name === name && created.labels !== undefined) return created.labels;
  }
  return undefined;
}

/**
 * Does a selector match labels that may be incomplete?
 * `unless-labelled`: yes, unless the object carries a label that is not known here (NotIn, DoesNotExist on an unknown key).
 * `if-labelled`: only if it carries a label that is not known here (In, Exists on an unknown key).
 */
export type SelectorAnswer = 'yes' | 'no' | 'unless-labelled' | 'if-labelled';

/** Evaluates a label selector; an absent one matches everything, as in webhooks and policies where `{}` is the default. */
export function selects(selector: LabelSelector | undefined, { labels, complete }: NamespaceLabels): SelectorAnswer {
  let answer: SelectorAnswer = 'yes';
  for (const requirement of requirementsOf(selector)) {
    const value = Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined;
    const optIn = requirement.operator === 'In' || requirement.operator === 'Exists';
    if (value === undefined && !complete) {
      if (optIn) answer = 'if-labelled';
      else if (answer === 'yes') answer = 'unless-labelled';
      continue;
    }
    if (!requirementHolds(requirement.operator, requirement.values, value)) return 'no';
  }
  return answer;
}

export interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values: readonly string[];
}

/** `matchLabels` and `matchExpressions` of a selector as one list. */
export function requirementsOf(selector: LabelSelector | undefined): readonly Requirement[] {
  if (typeof selector !== 'object' || selector === null) return [];
  const labels = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({
    key,
    operator: 'In',
    values: [value],
  }));
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values }) => ({
    key,
    operator,
    values: values ?? [],
  }));
  return [...labels, ...expressions];
}

/** Every object that satisfies `narrow` also satisfies `wide`. */
function implies(narrow: Requirement, wide: Requirement): boolean {
  if (narrow.key !== wide.key) return false;
  const subset = (a: readonly string[], b: readonly string[]) => a.every((value) => b.includes(value));
  switch (wide.operator) {
    case 'In':
      return narrow.operator === 'In' && subset(narrow.values, wide.values);
    case 'Exists':
      return narrow.operator === 'In' || narrow.operator === 'Exists';
    case 'NotIn':
      if (narrow.operator === 'NotIn') return subset(wide.values, narrow.values);
      if (narrow.operator === 'In') return !narrow.values.some((value) => wide.values.includes(value));
      return narrow.operator === 'DoesNotExist';
    case 'DoesNotExist':
      return narrow.operator === 'DoesNotExist';
    default:
      return false;
  }
}

/** Does `wide` match everything that `narrow` matches? Decided requirement by requirement; false when it cannot be told. */
export function selectorCovers(wide: LabelSelector | undefined, narrow: LabelSelector | undefined): boolean {
  const narrowed = requirementsOf(narrow);
  return requirementsOf(wide).every((requirement) => narrowed.some((other) => implies(other, requirement)));
}

export type SelectorChange = 'same' | 'wider' | 'narrower' | 'different';

/** How a selector changed. */
export function compareSelectors(before: LabelSelector | undefined, after: LabelSelector | undefined): SelectorChange {
  const covers = selectorCovers(after, before);
  const covered = selectorCovers(before, after);
  if (covers && covered) return 'same';
  if (covers) return 'wider';
  return covered ? 'narrower' : 'different';
}

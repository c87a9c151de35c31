import { requirementHolds } from '../../core/labels.ts';

/** `metav1.LabelSelector` and the equality maps of Services. */
export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

/**
 * Does a label selector match these labels? As `metav1.LabelSelectorAsSelector`: an empty selector matches
 * everything, an absent one matches nothing. `NotIn` and `DoesNotExist` also match when the key is missing.
 */
export function matchesSelector(
  selector: LabelSelector | undefined,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  if (selector === undefined || selector === null) return false;
  const have = labels ?? {};
  if (!matchesLabels(selector.matchLabels ?? {}, have)) return false;
  return (selector.matchExpressions ?? []).every((expression) => matchesExpression(expression, have));
}

function matchesExpression(
  expression: { key: string; operator: string; values?: string[] },
  labels: Readonly<Record<string, string>>,
): boolean {
  const value = Object.hasOwn(labels, expression.key) ? labels[expression.key] : undefined;
  return requirementHolds(expression.operator, expression.values ?? [], value);
}

/** Equality map (Service `spec.selector`, `matchLabels`): every pair must be there. An empty map matches everything. */
export function matchesLabels(
  wanted: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  const have = labels ?? {};
  return Object.entries(wanted).every(([key, value]) => Object.hasOwn(have, key) && have[key] === value);
}

/** `app=web,tier in (a,b)` as kubectl prints selectors. */
export function formatSelector(selector: LabelSelector | undefined): string {
  if (selector === undefined) return '(none)';
  const parts = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    if (operator === 'Exists') parts.push(key);
    else if (operator === 'DoesNotExist') parts.push(`!${key}`);
    else parts.push(`${key} ${operator === 'In' ? 'in' : 'notin'} (${(values ?? []).join(',')})`);
  }
  return parts.length === 0 ? '(everything)' : parts.join(',');
}

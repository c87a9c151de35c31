import { requirementHolds } from '../core/labels.ts';
import { type Fields, isFields, own } from './defaults/fill.ts';

type Labels = Fields | undefined;

/** Does a `LabelSelector` of an API object match? Absent and empty ones match everything. */
export function matchesSelector(selector: unknown, labels: Labels): boolean {
  if (!isFields(selector)) return true;
  const wanted = own(selector, 'matchLabels');
  if (isFields(wanted) && Object.entries(wanted).some(([key, value]) => valueOf(labels, key) !== value)) return false;
  const expressions = own(selector, 'matchExpressions');
  if (!Array.isArray(expressions)) return true;
  return expressions.every((item) => !isFields(item) || matchesExpression(item, labels));
}

function matchesExpression(item: Fields, labels: Labels): boolean {
  const value = valueOf(labels, String(own(item, 'key')));
  const values = own(item, 'values');
  return requirementHolds(own(item, 'operator'), Array.isArray(values) ? values : [], value);
}

function valueOf(labels: Labels, key: string): unknown {
  return labels === undefined ? undefined : own(labels, key);
}

const requirement = /^\s*(?:(!)\s*([\w./-]+)|([\w./-]+)(?:\s*(==|=|!=)\s*([\w.-]*)|\s+(in|notin)\s*\(([^()]*)\))?)\s*$/;

/**
 * Does a selector in text form (`app=x,tier!=y,env in (a, b),!old`) match? As labels.Parse of k8s.io/apimachinery, without
 * the numeric comparisons.
 * @returns undefined when the text is not understood
 */
export function matchesSelectorText(selector: string, labels: Labels): boolean | undefined {
  if (selector.length > 2000) return undefined;
  let matches = true;
  for (const part of splitRequirements(selector)) {
    const found = requirement.exec(part);
    if (found === null) return undefined;
    const [, not, absent, key = '', operator, single, word, listed] = found;
    const value = valueOf(labels, not === undefined ? key : (absent ?? ''));
    if (not !== undefined) matches &&= value === undefined;
    else if (operator !== undefined) matches &&= (value === single) === (operator !== '!=');
    else if (word !== undefined) {
      const values = (listed ?? '').split(',').map((text) => text.trim());
      matches &&= (typeof value === 'string' && values.includes(value)) === (word === 'in');
    } else matches &&= value !== undefined;
  }
  return matches;
}

/** At commas outside of parentheses. */
function splitRequirements(selector: string): readonly string[] {
  const parts: string[] = [''];
  let depth = 0;
  for (const char of selector) {
    if (char === '(') depth++;
    if (char === ')') depth--;
    if (char === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += char;
  }
  return parts;
}

import { requirementHolds } from '../../core/labels.ts';
import type { JsonObject } from '../../core/model.ts';
import { asObject, get, objects, scalarText, text, texts } from '../argocd/values.ts';
import { ExpansionError } from './params.ts';

/**
 * metav1.LabelSelector without the limits on label values (applicationset/utils/selector.go), so that parameters
 * such as URLs can be matched. An empty selector matches everything.
 * @throws ExpansionError for an operator that does not exist or values that do not fit it
 */
export function compileSelector(selector: JsonObject): (labels: ReadonlyMap<string, string>) => boolean {
  const tests = Object.entries(asObject(get(selector, 'matchLabels')) ?? {}).map(
    ([key, value]) =>
      (labels: ReadonlyMap<string, string>): boolean =>
        labels.has(key) && labels.get(key) === scalarText(value),
  );
  for (const expression of objects(get(selector, 'matchExpressions'))) tests.push(compileExpression(expression));
  return (labels) => tests.every((test) => test(labels));
}

export function isEmptySelector(selector: JsonObject | undefined): boolean {
  return (
    Object.keys(asObject(get(selector, 'matchLabels')) ?? {}).length === 0 &&
    objects(get(selector, 'matchExpressions')).length === 0
  );
}

const operators: ReadonlySet<string> = new Set(['In', 'NotIn', 'Exists', 'DoesNotExist']);

function compileExpression(expression: JsonObject): (labels: ReadonlyMap<string, string>) => boolean {
  const key = text(get(expression, 'key')) ?? '';
  const operator = text(get(expression, 'operator')) ?? '';
  const values = texts(get(expression, 'values'));
  if ((operator === 'In' || operator === 'NotIn') && values.length === 0) {
    throw new ExpansionError(`the selector's ${operator} on ${key} has no values`);
  }
  if (!operators.has(operator)) throw new ExpansionError(`"${operator}" is not an operator of a label selector`);
  return (labels) => requirementHolds(operator, values, labels.get(key));
}

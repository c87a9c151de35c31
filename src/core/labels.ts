/**
 * One requirement of a label selector (`matchExpressions`) against the label's value; undefined when the label is not
 * there. `NotIn` and `DoesNotExist` then hold. An operator that the API does not know holds never.
 */
export function requirementHolds(operator: unknown, values: readonly unknown[], value: unknown): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}

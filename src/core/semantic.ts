import { quantityNanos } from './quantity.ts';

/**
 * Fields of built-in kinds that are no pointers and carry `omitempty`: an explicit zero value
 * (`false`, `0`, `''`) is not stored, so it equals an absent field (k8s.io/api types.go, 0.34).
 * Fields that are pointers (`privileged: false`, `replicas: 0`) are stored and not in here.
 */
const omittedWhenZero: ReadonlySet<string> = new Set([
  'hostNetwork',
  'hostPID',
  'hostIPC',
  'stdin',
  'stdinOnce',
  'tty',
  'readOnly',
  'paused',
  'unschedulable',
  'publishNotReadyAddresses',
  'globalDefault',
  'initialDelaySeconds',
  'minReadySeconds',
  'hostPort',
  'nodePort',
  'healthCheckNodePort',
  'clusterIP',
  'externalName',
  'loadBalancerIP',
  'priorityClassName',
  'serviceAccountName',
  'subPath',
  'subPathExpr',
  'subdomain',
  'hostname',
  'workingDir',
  'nodeName',
  'value',
  'medium',
  'apiGroup',
  'volumeName',
  'effect',
  'operator',
  'description',
  'externalTrafficPolicy',
  'sessionAffinity',
  'host',
  'prefix',
]);

/** Mappings whose presence alone says something, so `{}` differs from absent. */
const meaningfulWhenEmpty =
  /^(?:(?!nodeSelector$).*[sS]elector|emptyDir|status|exempt|matchResources|matchConstraints|behavior|ingress|egress|from|to|podInfo|limited|metrics|http)$/;

/**
 * Does a field of a built-in kind vanish in storage, so that it equals an absent field?
 * @param name the field's own name, without path
 */
export function vanishes(name: string, value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (value === false || value === 0 || value === '') return omittedWhenZero.has(name);
  if (typeof value !== 'object') return false;
  if (Array.isArray(value)) return value.length === 0;
  if (meaningfulWhenEmpty.test(name)) return false;
  return Object.entries(value).every(([key, inner]) => vanishes(key, inner));
}

/** Names of the mappings whose values are quantities. */
const quantityMaps = new Set(['requests', 'limits', 'hard', 'capacity', 'allocatable', 'overhead', 'podFixed']);
/** The same in LimitRange items. */
const limitMaps = new Set(['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio']);
const quantityFields = new Set(['sizeLimit', 'divisor', 'averageValue']);

/** Is the field a quantity, judged by its own name and the name of the mapping around it? */
export function isQuantityField(parent: string | undefined, name: string): boolean {
  if (quantityFields.has(name)) return true;
  // HorizontalPodAutoscaler `metrics[].*.target.value`.
  if (parent === 'target' && name === 'value') return true;
  return parent !== undefined && (quantityMaps.has(parent) || limitMaps.has(parent));
}

/**
 * Are two values the same amount? Both must be quantities. Rounded up to thousandths as the API server
 * does (`SetDefaults_ResourceList`).
 */
export function sameQuantity(left: unknown, right: unknown): boolean {
  if (!isNumberOrText(left) || !isNumberOrText(right)) return false;
  const a = quantityNanos(left);
  const b = quantityNanos(right);
  return a !== undefined && b !== undefined && milli(a) === milli(b);
}

function isNumberOrText(value: unknown): value is number | string {
  return typeof value === 'number' || typeof value === 'string';
}

/** Kubernetes rounds away from zero; negative quantities do not occur in these fields. */
function milli(nanos: bigint): bigint {
  return (nanos + 999_999n) / 1_000_000n;
}

/**
 * Equality as `equality.Semantic.DeepEqual` has it on the decoded objects: absent, null, empty and omitted zero values
 * are equal, quantities are compared by amount, lists keep their order.
 * @param path own names from the root, used to recognise quantities and zero values
 */
export function semanticEqual(left: unknown, right: unknown, name = '', parent?: string): boolean {
  if (left === right) return true;
  if (isAbsent(left) || isAbsent(right)) return vanishes(name, left) && vanishes(name, right);
  if (typeof left !== 'object' || typeof right !== 'object') {
    return isQuantityField(parent, name) && sameQuantity(left, right);
  }
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
    return left.every((item, index) => semanticEqual(item, right[index], name, parent));
  }
  const a = left as Record<string, unknown>;
  const b = right as Record<string, unknown>;
  for (const key of Object.keys(a)) {
    if (!semanticEqual(a[key], Object.hasOwn(b, key) ? b[key] : undefined, key, name)) return false;
  }
  return Object.keys(b).every((key) => Object.hasOwn(a, key) || vanishes(key, b[key]));
}

function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

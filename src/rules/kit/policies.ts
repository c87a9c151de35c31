import type { KubeObject } from '../../core/model.ts';
import { at, listAt, stringAt } from './pods.ts';
import { groupOf } from '../../core/json.ts';

/** How strictly a policy object acts on what violates it. */
export interface Enforcement {
  /** `true`: the request is refused. */
  readonly denies: boolean;
  /** As written or defaulted: `Enforce`, `deny`, `Deny, Audit`. */
  readonly text: string;
  /** Pointer to the field. */
  readonly path: string;
  /** Names what it is about within the object: a rule of a Kyverno policy; '' for the whole object. */
  readonly part: string;
}

/**
 * The enforcement of a policy object, one entry per rule where rules differ; [] for other kinds.
 * ValidatingAdmissionPolicyBinding, Gatekeeper constraints, Kyverno (Cluster)Policy and ValidatingPolicy.
 */
export function enforcementOf(object: KubeObject): readonly Enforcement[] {
  const group = groupOf(object.apiVersion);
  if (group === 'admissionregistration.k8s.io' && object.kind === 'ValidatingAdmissionPolicyBinding')
    return [actions(object)];
  if (group === 'policies.kyverno.io' && /^(Namespaced)?(Image)?ValidatingPolicy$/.test(object.kind))
    return [actions(object)];
  if (group === 'constraints.gatekeeper.sh') return [gatekeeper(object)];
  if (group === 'kyverno.io' && /^(Cluster)?Policy$/.test(object.kind)) return kyverno(object);
  return [];
}

function actions(object: KubeObject): Enforcement {
  const list = listAt(object, 'spec', 'validationActions').filter(
    (action): action is string => typeof action === 'string',
  );
  // Kyverno's own kinds default to Deny; for the built-in binding the field is required.
  const effective = list.length === 0 ? ['Deny'] : list;
  return { denies: effective.includes('Deny'), text: effective.join(', '), path: '/spec/validationActions', part: '' };
}

function gatekeeper(object: KubeObject): Enforcement {
  const action = stringAt(object, 'spec', 'enforcementAction') ?? 'deny';
  if (action === 'scoped') {
    const scoped = listAt(object, 'spec', 'scopedEnforcementActions');
    const denies = scoped.some((item) => stringAt(item, 'action') === 'deny');
    return {
      denies,
      text: `scoped: ${scoped.map((item) => stringAt(item, 'action') ?? '?').join(', ')}`,
      path: '/spec/scopedEnforcementActions',
      part: '',
    };
  }
  return { denies: action === 'deny', text: action, path: '/spec/enforcementAction', part: '' };
}

/** `validationFailureAction` is the default of the rules (Audit); `rules[].validate.failureAction` wins. */
function kyverno(object: KubeObject): readonly Enforcement[] {
  const common = stringAt(object, 'spec', 'validationFailureAction') ?? 'Audit';
  return listAt(object, 'spec', 'rules').flatMap((rule) => {
    const isImageRule = at(rule, 'verifyImages') !== undefined;
    if (at(rule, 'validate') === undefined && !isImageRule) return [];
    const name = stringAt(rule, 'name') ?? '';
    const own =
      stringAt(rule, 'validate', 'failureAction') ??
      listAt(rule, 'verifyImages')
        .map((item) => stringAt(item, 'failureAction'))
        .find((value) => value !== undefined);
    const action = own ?? common;
    return [
      {
        denies: action.toLowerCase() === 'enforce',
        text: action,
        path:
          own === undefined
            ? '/spec/validationFailureAction'
            : `/spec/rules/${name.replaceAll('~', '~0').replaceAll('/', '~1')}/validate/failureAction`,
        part: name,
      },
    ];
  });
}

/** Kinds of policy objects, for `kinds` of rules. */
export const policyKinds: readonly string[] = [
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy',
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding',
  'kyverno.io/ClusterPolicy',
  'kyverno.io/Policy',
  'policies.kyverno.io/ValidatingPolicy',
  'constraints.gatekeeper.sh/*',
  'templates.gatekeeper.sh/ConstraintTemplate',
];

/** Namespaces that a policy leaves out by name (Gatekeeper `excludedNamespaces`, Kyverno `exclude`), with their pointer. */
export function excludedNamespaces(object: KubeObject): ReadonlyMap<string, string> {
  const result = new Map<string, string>();
  const add = (names: readonly unknown[], path: string) => {
    for (const name of names) if (typeof name === 'string') result.set(name, path);
  };
  if (groupOf(object.apiVersion) === 'constraints.gatekeeper.sh')
    add(listAt(object, 'spec', 'match', 'excludedNamespaces'), '/spec/match/excludedNamespaces');
  if (groupOf(object.apiVersion) === 'kyverno.io') {
    for (const rule of listAt(object, 'spec', 'rules')) {
      const path = `/spec/rules/${stringAt(rule, 'name') ?? ''}/exclude`;
      add(listAt(rule, 'exclude', 'resources', 'namespaces'), path);
      for (const list of ['any', 'all'])
        for (const block of listAt(rule, 'exclude', list)) add(listAt(block, 'resources', 'namespaces'), path);
    }
  }
  return result;
}

/** Violations that the engine counted in the cluster; undefined when nothing says so. */
export interface Violations {
  readonly count: number;
  /** `Pod shop/api-0`, as far as they are listed. */
  readonly resources: readonly string[];
}

/** Gatekeeper writes `status.totalViolations` on the constraint. */
export function gatekeeperViolations(constraint: unknown): Violations | undefined {
  const count = at(constraint, 'status', 'totalViolations');
  if (typeof count !== 'number') return undefined;
  const resources = listAt(constraint, 'status', 'violations').map(
    (item) =>
      `${stringAt(item, 'kind') ?? '?'} ${[stringAt(item, 'namespace'), stringAt(item, 'name')].filter((part) => part !== undefined).join('/')}`,
  );
  return { count, resources };
}

/** Results `fail` of a policy in PolicyReports (wgpolicyk8s.io, openreports.io). */
export function reportedViolations(reports: readonly KubeObject[], policy: string): Violations {
  const resources: string[] = [];
  let count = 0;
  for (const report of reports) {
    for (const result of listAt(report, 'results')) {
      if (stringAt(result, 'result') !== 'fail' || stringAt(result, 'policy') !== policy) continue;
      count += 1;
      const subject = listAt(result, 'resources')[0] ?? listAt(result, 'subjects')[0] ?? at(report, 'scope');
      resources.push(
        `${stringAt(subject, 'kind') ?? '?'} ${[stringAt(subject, 'namespace'), stringAt(subject, 'name')].filter((part) => part !== undefined).join('/')}`,
      );
    }
  }
  return { count, resources };
}

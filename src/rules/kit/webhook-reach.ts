import type { V1RuleWithOperations } from '@kubernetes/client-node';
import { at, stringAt } from './pods.ts';
import { requirementsOf, nameLabel } from './namespaces.ts';
import type { LabelSelector } from './select.ts';
import { resourceCovers, ruleMatches } from './webhooks.ts';

const strings = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];

/** A rule prepared for many questions: exact words in sets, patterns with a star apart. */
interface Prepared {
  readonly scope: string;
  readonly operations: ReadonlySet<string>;
  readonly groups: ReadonlySet<string>;
  readonly resources: ReadonlySet<string>;
  readonly patterns: readonly string[];
}

function prepare(rule: V1RuleWithOperations): Prepared {
  const resources = strings(at(rule, 'resources'));
  return {
    scope: stringAt(rule, 'scope') ?? '*',
    operations: new Set(strings(at(rule, 'operations'))),
    groups: new Set(strings(at(rule, 'apiGroups'))),
    resources: new Set(resources),
    patterns: [...new Set(resources.filter((resource) => resource.includes('*')))],
  };
}

function coversOne(rule: Prepared, operation: string, group: string, resource: string, scope: string): boolean {
  const has = (set: ReadonlySet<string>, word: string) => set.has('*') || set.has(word);
  return (
    (rule.scope === '*' || rule.scope === scope) &&
    has(rule.operations, operation) &&
    has(rule.groups, group) &&
    (rule.resources.has(resource) || rule.patterns.some((pattern) => resourceCovers(pattern, resource)))
  );
}

/**
 * What `after` matches and `before` does not, as rules again; [] when it is not wider. A star counts as more than any list.
 * Stops at 200 combinations, far beyond what a reader needs.
 */
export function newlyMatched(
  before: readonly V1RuleWithOperations[],
  after: readonly V1RuleWithOperations[],
): readonly V1RuleWithOperations[] {
  const known = before.map(prepare);
  const result: V1RuleWithOperations[] = [];
  for (const rule of after) {
    const scope = stringAt(rule, 'scope') ?? '*';
    for (const group of strings(at(rule, 'apiGroups'))) {
      for (const resource of strings(at(rule, 'resources'))) {
        const operations = strings(at(rule, 'operations')).filter(
          (operation) => !known.some((old) => coversOne(old, operation, group, resource, scope)),
        );
        if (operations.length === 0) continue;
        result.push({ ...rule, operations, apiGroups: [group], resources: [resource] });
        if (result.length >= 200) return result;
      }
    }
  }
  return result;
}

/** Do the rules match requests without which pods, nodes or their heartbeats stop? */
export function matchesVital(rules: readonly V1RuleWithOperations[]): boolean {
  return rules.some((rule) =>
    (['CREATE', 'UPDATE', 'DELETE'] as const).some(
      (operation) =>
        ruleMatches(rule, { operation, group: '', resource: 'pods', scope: 'Namespaced' }) ||
        ruleMatches(rule, { operation, group: '', resource: 'nodes', scope: 'Cluster' }) ||
        ruleMatches(rule, { operation, group: 'coordination.k8s.io', resource: 'leases', scope: 'Namespaced' }),
    ),
  );
}

/** Does a selector only match what asks for it (a label that has to be there)? */
export function isOptIn(selector: LabelSelector | undefined): boolean {
  return requirementsOf(selector).some(({ operator }) => operator === 'In' || operator === 'Exists');
}

/** Is the only difference that values left `NotIn` lists (an exemption was taken away)? Such values by key. */
export function lostExemptions(
  before: LabelSelector | undefined,
  after: LabelSelector | undefined,
): ReadonlyMap<string, readonly string[]> {
  const lost = new Map<string, readonly string[]>();
  const now = requirementsOf(after);
  for (const { key, operator, values } of requirementsOf(before)) {
    if (operator !== 'NotIn') continue;
    const same = now
      .filter((other) => other.key === key && other.operator === 'NotIn')
      .flatMap((other) => other.values);
    if (same.length === 0) continue;
    const gone = values.filter((value) => !same.includes(value));
    if (gone.length > 0) lost.set(key, gone);
  }
  return lost;
}

/** Does the selector mention namespaces by name only? */
export function selectsByName(selector: LabelSelector | undefined): boolean {
  return requirementsOf(selector).every(({ key }) => key === nameLabel);
}

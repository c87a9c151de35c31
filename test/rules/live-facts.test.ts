import { expect, test } from 'vitest';
import type { RuleExample } from '../../src/core/rule.ts';
import { rules } from '../../src/rules/index.generated.ts';
import { runExample } from './run-example.ts';

/** The facts of the findings of one example, with other live evidence. */
function facts(ruleId: string, name: string, live: string): readonly string[] {
  const rule = rules.find(({ id }) => id === ruleId);
  const example = rule?.examples.find((candidate) => candidate.name === name);
  if (rule === undefined || example === undefined) throw new Error(`no example "${name}" of ${ruleId}`);
  return runExample(rule, { ...example, live } satisfies RuleExample).flatMap(({ evidence }) => evidence?.facts ?? []);
}

const traffic = (rate: number) => `
apiVersion: gate/v1
kind: ClusterSnapshot
metadata: {name: production}
services:
  - {namespace: shop, name: web, requestsPerSecond: ${rate}}
`;

test.each([
  ['service-endpoints-lost', 'the label goes away on the side of the pods, and the cluster has two endpoints now'],
  ['readiness-weakened', 'the readinessProbe is removed'],
])('%s: the traffic of the Service', (rule, example) => {
  expect(facts(rule, example, traffic(41.257))).toContain('live: Service shop/web answers 41.26 requests per second');
});

test('applicationset-shrinks: what the lost Applications own', () => {
  const found = facts(
    'applicationset-shrinks',
    'the cluster says what the lost Applications own',
    `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: cell-a, namespace: argocd}
status:
  resources:
    - {group: apps, version: v1, kind: StatefulSet, namespace: cell-a, name: db}
    - {version: v1, kind: PersistentVolumeClaim, namespace: cell-a, name: data-db-0}
    - {version: v1, kind: Service, namespace: cell-a, name: db}
`,
  );
  expect(found).toContain('live: they own 3 objects, among them 1 workloads and 1 volume claims');
});

test('flux-identity-change: what the inventory of the renamed Kustomization holds', () => {
  const found = facts(
    'flux-identity-change',
    'a Kustomization with prune is renamed',
    `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
status:
  inventory:
    entries:
      - {id: shop_api_apps_Deployment, v: v1}
      - {id: shop_uploads__PersistentVolumeClaim, v: v1}
`,
  );
  expect(found).toContain('live: its inventory holds 2 objects, 1 of them volume claims');
});

test('namespace-deleted: kinds that nobody looked at are named, so that a short list is not taken for all', () => {
  const found = facts(
    'namespace-deleted',
    rules.find(({ id }) => id === 'namespace-deleted')?.examples.find(({ live }) => live !== undefined)?.name ?? '',
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: shop}\n',
  );
  expect(found.find((fact) => fact.startsWith('live:'))).toMatch(
    /nothing found in the namespace; not looked at: Deployment, /,
  );
});

import { describe, expect, test } from 'vitest';
import immutableFieldChange from '../../../src/rules/identity/immutable-field-change.ts';
import { hasCluster, useCluster } from '../kit/cluster.ts';
import { checkSides } from '../kit/check.ts';
import { ask, engines } from './dry-run-sides.ts';
import { cases, named, nameOf } from './immutable-cases.ts';

const classes = `
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: growing}
provisioner: disk.example.org
allowVolumeExpansion: true
`;

describe.skipIf(!(await hasCluster()))('a dry run on a real server', () => {
  const cluster = useCluster();
  const all = (side: 'before' | 'after', offset: number) =>
    cases.map((one, index) => named(one[side], index + offset)).join('\n---\n');

  test.each(['flux', 'argocd'] as const)(
    'says of each update what the table of immutable fields says (%s)',
    async (engine) => {
      const offset = engine === 'flux' ? 0 : 1000;
      const before = all('before', offset);
      await cluster().apply(classes);
      if (engine === 'flux') await cluster().apply(before, { fieldManager: 'kustomize-controller' });
      else {
        const ended = await cluster().kubectl(['apply', '-f', '-'], { input: before });
        expect(ended.stderr.replaceAll(/^Warning.*$/gm, '').trim()).toBe('');
      }
      for (const [index, one] of cases.entries()) {
        if (one.status === undefined) continue;
        const metadata = { name: nameOf(one, index + offset) };
        await cluster().setStatus({ apiVersion: 'v1', kind: one.kind, metadata }, one.status);
      }
      const asked = await ask(cluster(), before, all('after', offset), { target: engines[engine] });
      // Addresses and ports of Services are taken until then.
      await cluster().remove(before);
      const offline = asked.problems(immutableFieldChange, 'offline');
      const told = asked.problems(immutableFieldChange);
      const seen = cases.map((one, index) => {
        const name = nameOf(one, index + offset);
        const answer = asked.find(one.kind, name)?.apply;
        const of = (problems: typeof told) =>
          problems.some(
            ({ resource, severity }) => resource.kind === one.kind && resource.name === name && severity === 'high',
          );
        return {
          name: one.name,
          server:
            answer?.outcome === 'rejected' ? 'refused' : answer?.outcome === 'accepted' ? 'accepted' : answer?.message,
          offline: of(offline) ? 'refused' : 'accepted',
          together: of(told) ? 'refused' : 'accepted',
        };
      });
      expect(seen).toEqual(
        cases.map(({ name, refused }) => {
          const verdict = refused ? 'refused' : 'accepted';
          // Argo CD deletes and creates bindings by itself: the server refuses, the sync does not fail.
          const own = engine === 'argocd' && /Binding roleRef/.test(name) ? 'accepted' : verdict;
          // Of pods only their number is kept, so there is nothing to merge with.
          const open = engine === 'argocd' && name.startsWith('Pod ');
          return { name, server: open ? expect.stringContaining('not kept') : verdict, offline: own, together: own };
        }),
      );
    },
  );

  test('is what gate check reports of a change', async () => {
    const deployment = (selector: string, replicas: number, priority = '') => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: checked, namespace: default}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {${selector}}}
  template:
    metadata: {labels: {app: checked, tier: back}}
    spec: {${priority}containers: [{name: main, image: 'registry.example.org/main:1.0.0'}]}
`;
    const before = deployment('app: checked', 1);
    expect((await cluster().kubectl(['apply', '-f', '-'], { input: before })).stderr).toBe('');
    const check = async (after: string, ...args: readonly string[]) =>
      checkSides(
        cluster().folder,
        { before: { 'deploy/app.yaml': before }, after: { 'deploy/app.yaml': after } },
        '--live',
        '--kubeconfig',
        cluster().kubeconfigFor('admin'),
        ...args,
      );

    const refused = await check(deployment('app: checked, tier: back', 1), '--dry-run');
    expect(refused.report.dryRun).toMatchObject({ asked: 1, accepted: 0, rejected: 1, unknown: 0 });
    const told = refused.report.findings.filter(({ willNotApply }) => willNotApply);
    // One refusal is told once, by the rule that knows its reason.
    expect(told.map(({ ruleId, confidence }) => `${ruleId} ${confidence}`)).toEqual(['immutable-field-change proven']);
    expect(refused.report).toMatchObject({ verdict: 'block' });
    expect(refused.code).toBe(1);

    const stuck = await check(
      deployment('app: checked', 1, 'priorityClassName: nobody-made-it, '),
      '--dry-run',
      '--dry-run-pods',
    );
    expect(stuck.report.dryRun).toMatchObject({ asked: 2, accepted: 1, rejected: 1 });
    expect(stuck.report.findings.map(({ ruleId }) => ruleId)).toContain('pods-rejected-by-api');

    const fine = await check(deployment('app: checked', 2), '--dry-run');
    expect(fine.report.dryRun).toMatchObject({ asked: 1, accepted: 1, rejected: 0, unknown: 0 });
    expect(fine.report.findings.filter(({ ruleId }) => /rejected-by-api|immutable/.test(ruleId))).toEqual([]);

    const silent = await check(deployment('app: checked', 2));
    expect(silent.report.dryRun).toBeUndefined();
  });
});

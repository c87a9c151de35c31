import { describe, expect, test } from 'vitest';
import immutableFieldChange from '../../../src/rules/identity/immutable-field-change.ts';
import { hasCluster, useCluster } from '../kit/cluster.ts';
import { ask, engines } from './dry-run-sides.ts';

const version = '1.31.4';
const stateful = (more: string) => `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  ${more}
  selector: {matchLabels: {app: db}}
  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: db, image: 'registry.example.org/db:1.0.0'}]}}
`;

describe.skipIf(!(await hasCluster({ version })))('a dry run on Kubernetes 1.31', () => {
  const cluster = useCluster({ version });

  test('refuses the history limit of a StatefulSet, as the table says of servers before 1.33', async () => {
    const before = stateful('revisionHistoryLimit: 10');
    await cluster().apply(before, { fieldManager: 'kustomize-controller' });
    const asked = await ask(cluster(), before, stateful('revisionHistoryLimit: 3'), { target: engines.flux });
    expect(asked.find('StatefulSet', 'db')?.apply).toMatchObject({ outcome: 'rejected', code: 422 });
    const offline = asked.problems(immutableFieldChange, 'offline');
    expect(offline).toMatchObject([
      { path: '/spec/revisionHistoryLimit', willNotApply: true, confidence: 'determined' },
    ]);
    const told = asked.problems(immutableFieldChange);
    expect(told).toMatchObject([{ path: '/spec/revisionHistoryLimit', willNotApply: true, confidence: 'proven' }]);
    const twin = await ask(cluster(), before, stateful('revisionHistoryLimit: 10\n  replicas: 3'), {
      target: engines.flux,
    });
    expect(twin.find('StatefulSet', 'db')?.apply?.outcome).toBe('accepted');
  });
});

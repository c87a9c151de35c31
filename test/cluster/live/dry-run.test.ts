import { describe, expect, test } from 'vitest';
import immutableFieldChange from '../../../src/rules/identity/immutable-field-change.ts';
import { hasCluster, useCluster } from '../kit/cluster.ts';
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
});

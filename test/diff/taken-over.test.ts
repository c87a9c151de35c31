import { expect, test } from 'vitest';
import { diffYaml } from './sides.ts';

const config = (level: string, more = '') => `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop${more}}
data: {LEVEL: ${level}}
`;
const tracked = (application: string) =>
  `, annotations: {argocd.argoproj.io/tracking-id: '${application}:/ConfigMap:shop/settings'}`;

test.each([
  ['nobody has it', undefined, undefined],
  ['it is as Git makes it', config('info'), 'it is in the cluster already, with all that Git sets'],
  ['it is otherwise', config('debug'), 'it is in the cluster already, and /data/LEVEL will change'],
  [
    'it is of another application',
    config('debug', tracked('billing')),
    'it is in the cluster already and belongs to Argo CD Application billing, and /data/LEVEL will change',
  ],
])('an object that is new in Git, when %s', (_, live, because) => {
  const { changes } = diffYaml('', config('info'), live ?? '');
  expect(changes.map(({ action, because: why }) => ({ action, why: why?.[0] }))).toEqual([
    { action: 'added', why: because },
  ]);
});

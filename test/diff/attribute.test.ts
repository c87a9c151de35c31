import { describe, expect, test } from 'vitest';
import { diffYaml, target } from './sides.ts';

const git = `apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop, labels: {app.kubernetes.io/instance: release, team: shop}}
spec:
  replicas: 2
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers: [{name: app, image: "shop/api:1", resources: {limits: {memory: 0.5Gi}}}]
`;

// The same object as an API server prints it: defaults, status, managed and tracking metadata, a sidecar injected.
const live = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
  namespace: shop
  uid: 0c2f
  resourceVersion: "42"
  generation: 3
  creationTimestamp: "2026-01-01T00:00:00Z"
  labels: {app.kubernetes.io/instance: shop, team: shop}
  annotations: {deployment.kubernetes.io/revision: "3", argocd.argoproj.io/tracking-id: "shop:apps/Deployment:shop/api"}
spec:
  replicas: 2
  revisionHistoryLimit: 10
  progressDeadlineSeconds: 600
  selector: {matchLabels: {app: api}}
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 25%, maxUnavailable: 25%}}
  template:
    metadata: {creationTimestamp: null, labels: {app: api, injected: "true"}}
    spec:
      containers:
        - {name: app, image: "shop/api:1", imagePullPolicy: IfNotPresent, resources: {limits: {memory: 512Mi}}, terminationMessagePath: /dev/termination-log, terminationMessagePolicy: File}
        - {name: proxy, image: "mesh/proxy:1"}
      dnsPolicy: ClusterFirst
      restartPolicy: Always
      schedulerName: default-scheduler
      securityContext: {}
      terminationGracePeriodSeconds: 30
status: {replicas: 2}
`;

describe('drift', () => {
  test('a cluster in sync with the base has none', () => {
    expect(diffYaml(git, git, live).drift).toEqual([]);
  });
  test('a field that Git sets and the cluster holds otherwise', () => {
    expect(diffYaml(git, git, live.replace('replicas: 2\n  revision', 'replicas: 5\n  revision')).drift).toMatchObject([
      { ref: { name: 'api' }, fields: [{ path: '/spec/replicas', before: 2, live: 5, attribution: 'drift' }] },
    ]);
  });
  test('a field that Git does not set is none', () => {
    expect(diffYaml(git, git, live.replace('revisionHistoryLimit: 10', 'revisionHistoryLimit: 3')).drift).toEqual([]);
  });
  test('a removed container is drift, though it is absent from the cluster', () => {
    const without = live.replace(/^ {8}- \{name: app,.*\n/m, '');
    expect(diffYaml(git, git, without).drift[0]?.fields.map((field) => field.path)).toEqual([
      '/spec/template/spec/containers/app',
    ]);
  });
  test('drift is never a change', () => {
    expect(diffYaml(git, git, live.replace('shop/api:1', 'shop/api:hotfix')).changes).toEqual([]);
  });
  test('another API version is not compared', () => {
    expect(
      diffYaml(git, git, live.replace('apps/v1', 'apps/v1beta2').replace('replicas: 2\n', 'replicas: 9\n')).drift,
    ).toEqual([]);
  });
  test('what the target ignores is none; what cannot be understood is noted', () => {
    const of = (ignoreDifferences: object) =>
      target('shop', {
        apply: { mode: 'client-side', prune: true, automated: true, ignoreDifferences: [ignoreDifferences as never] },
      });
    const scaled = live
      .replace('replicas: 2\n  revision', 'replicas: 5\n  revision')
      .replace('shop/api:1', 'shop/api:2');
    const run = (ignore: object) => {
      const result = diffYaml(git, git, scaled, of({ group: 'apps', kind: 'Deployment', ...ignore }));
      return [result.drift.flatMap((entry) => entry.fields.map((field) => field.path)), result.notes.length];
    };
    const [replicas, image] = ['/spec/replicas', '/spec/template/spec/containers/app/image'];
    expect(run({ jsonPointers: ['/spec/replicas'] })).toEqual([[image], 0]);
    expect(run({ jqPathExpressions: ['.spec.template.spec.containers[].image'] })).toEqual([[replicas], 0]);
    expect(run({ jqPathExpressions: ['.spec.template.spec.containers[] | select(.name == "app")'] })).toEqual([
      [replicas],
      0,
    ]);
    expect(run({ jqPathExpressions: ['.spec as $spec | .spec.replicas'] })).toEqual([[replicas, image], 1]);
    expect(run({ name: 'other', jsonPointers: ['/spec'] })).toEqual([[replicas, image], 0]);
    expect(run({ group: '*', kind: 'Dep*', jsonPointers: ['/spec'] })).toEqual([[], 0]);
  });
});

describe('who caused a change', () => {
  const after = git.replace('shop/api:1', 'shop/api:2').replace('replicas: 2', 'replicas: 4');
  test('a field that the cluster already holds was changed there before', () => {
    const result = diffYaml(git, after, live.replace('shop/api:1', 'shop/api:2'));
    expect(result.changes[0]?.fields.map((field) => [field.path, field.attribution, field.live])).toEqual([
      ['/spec/replicas', 'change', 2],
      ['/spec/template/spec/containers/app/image', 'base-moved', 'shop/api:2'],
    ]);
    expect(result.changes[0]?.live?.metadata.name).toBe('api');
  });
  test('a removed field that the cluster no longer has', () => {
    const labelled = git.replace('team: shop}', 'team: shop, old: "1"}');
    expect(diffYaml(labelled, git, live).changes[0]?.fields[0]).toMatchObject({
      path: '/metadata/labels/old',
      attribution: 'base-moved',
    });
  });
  test('a field that was edited in the cluster is overwritten, unless the engine keeps it', () => {
    const edited = live.replace('shop/api:1', 'shop/api:hotfix');
    const ignoreDifferences = [
      { group: 'apps', kind: 'Deployment', jqPathExpressions: ['.spec.template.spec.containers[].image'] },
    ];
    const conflict = (syncOptions: readonly string[]) => {
      const apply = { mode: 'client-side', prune: true, automated: true, ignoreDifferences, syncOptions } as const;
      return diffYaml(git, after, edited, target('shop', { apply })).changes[0]?.fields.map((field) => field.conflict);
    };
    expect(conflict([])).toEqual([undefined, true]);
    expect(conflict(['RespectIgnoreDifferences=true'])).toEqual([undefined, undefined]);
  });
  test('without evidence it is this change', () => {
    expect(
      diffYaml(git, after).changes[0]?.fields.every(
        (field) => field.attribution === 'change' && field.live === undefined,
      ),
    ).toBe(true);
  });
});

import { describe, expect, test } from 'vitest';
import { diffSides } from '../../src/diff/diff.ts';
import { diffYaml, failed, lines, rendered, target } from './sides.ts';

function deployment(
  fields: { image?: string; spec?: string; annotations?: string; env?: string; name?: string } = {},
): string {
  const name = fields.name ?? 'api';
  return `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: shop, labels: {helm.sh/chart: shop-1.0.0}}
spec:
  ${fields.spec ?? 'replicas: 2'}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}, annotations: ${fields.annotations ?? '{}'}}
    spec:
      containers:
        - name: app
          image: ${fields.image ?? 'registry.example.com/shop/api:1.0.0'}
          env: ${fields.env ?? '[]'}
          resources: {limits: {memory: 256Mi}}
`;
}

describe('changes and their impact', () => {
  test('nothing of what is equal', () => {
    expect(diffYaml(deployment(), deployment()).changes).toEqual([]);
    expect(diffYaml(deployment(), deployment().replace('256Mi', '268435456')).changes).toEqual([]);
  });
  test('an explicit default is no change', () => {
    expect(diffYaml(deployment(), deployment({ spec: 'replicas: 2\n  revisionHistoryLimit: 10' })).changes).toEqual([]);
  });
  test('a new image restarts pods', () => {
    const { changes } = diffYaml(deployment(), deployment({ image: 'registry.example.com/shop/api:1.1.0' }));
    expect(lines(changes)).toEqual(['changed Deployment/api restart /spec/template/spec/containers/app/image=restart']);
    expect(changes[0]?.fields[0]).toMatchObject({
      before: 'registry.example.com/shop/api:1.0.0',
      after: 'registry.example.com/shop/api:1.1.0',
      attribution: 'change',
    });
  });
  test.each([
    ['fewer replicas', 'replicas: 2', 'replicas: 1', 'disruption'],
    ['more replicas', 'replicas: 2', 'replicas: 3', 'configuration'],
    ['replicas left out fall back to one', 'replicas: 2', 'minReadySeconds: 0', 'disruption'],
    ['a rollout parameter', 'replicas: 2', 'replicas: 2\n  minReadySeconds: 5', 'configuration'],
  ])('%s', (_name, before, after, impact) => {
    expect(diffYaml(deployment({ spec: before }), deployment({ spec: after })).changes[0]?.impact).toBe(impact);
  });
  test('the strategy decides what a new template does', () => {
    const change = (spec: string) =>
      diffYaml(deployment({ spec }), deployment({ spec, image: 'registry.example.com/shop/api:2' })).changes[0]?.impact;
    expect(change('strategy: {type: Recreate}')).toBe('disruption');
    expect(change('paused: true')).toBe('configuration');
    expect(change('replicas: 0')).toBe('configuration');
  });
  test('labels alone are metadata', () => {
    const { changes } = diffYaml(deployment(), deployment().replace('shop-1.0.0', 'shop-1.0.1'));
    expect(lines(changes)).toEqual(['changed Deployment/api metadata /metadata/labels/helm.sh~1chart=metadata']);
  });
  test('a selector cannot change in place', () => {
    const { changes } = diffYaml(
      deployment(),
      deployment().replace('matchLabels: {app: api}', 'matchLabels: {app: api, version: a}'),
    );
    expect(lines(changes)).toEqual(['changed Deployment/api replace /spec/selector/matchLabels/version=replace']);
  });
  test('a version change keeps the identity', () => {
    const pdb = (version: string) => `apiVersion: policy/${version}
kind: PodDisruptionBudget
metadata: {name: api, namespace: shop}
spec: {minAvailable: 1, selector: {matchLabels: {app: api}}}
`;
    expect(lines(diffYaml(pdb('v1beta1'), pdb('v1')).changes)).toEqual([
      'changed PodDisruptionBudget/api configuration /apiVersion=configuration',
    ]);
  });
  test('a webhook that moves from v1beta1 to v1 fails closed from then on', () => {
    const hook = (version: string) => `apiVersion: admissionregistration.k8s.io/${version}
kind: ValidatingWebhookConfiguration
metadata: {name: policy}
webhooks: [{name: a.example.com, sideEffects: None, admissionReviewVersions: [v1beta1], clientConfig: {url: "https://hook"}}]
`;
    const fields = diffYaml(hook('v1beta1'), hook('v1')).changes[0]?.fields ?? [];
    expect(fields).toContainEqual(
      expect.objectContaining({ path: '/webhooks/a.example.com/failurePolicy', before: 'Ignore', after: 'Fail' }),
    );
  });
  test.each([
    ['PersistentVolumeClaim', 'v1', 'spec: {accessModes: [ReadWriteOnce]}', 'data-loss'],
    ['Service', 'v1', 'spec: {ports: [{port: 80}]}', 'disruption'],
    ['ConfigMap', 'v1', 'data: {}', 'configuration'],
    ['NetworkPolicy', 'networking.k8s.io/v1', 'spec: {podSelector: {}}', 'configuration'],
    ['PersistentVolume', 'v1', 'spec: {persistentVolumeReclaimPolicy: Delete}', 'data-loss'],
  ])('removing a %s', (kind, apiVersion, body, impact) => {
    const yaml = `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: x}\n${body}\n`;
    expect(diffYaml(yaml, '').changes).toMatchObject([{ action: 'removed', impact, fields: [] }]);
    expect(diffYaml('', yaml).changes).toMatchObject([{ action: 'added', impact: 'configuration' }]);
  });
  test('what the engine keeps is not lost', () => {
    const claim = (annotation: string) =>
      `apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: x, annotations: {${annotation}}}\nspec: {}\n`;
    const pruneFalse = claim('argocd.argoproj.io/sync-options: Prune=false');
    expect(diffYaml(pruneFalse, '').changes).toMatchObject([
      { impact: 'none', because: ['Prune=false: it stays in the cluster'] },
    ]);
    // Helm's guard means nothing to an Argo CD application.
    expect(diffYaml(claim('helm.sh/resource-policy: keep'), '').changes[0]?.impact).toBe('data-loss');
    const off = target('shop', { apply: { mode: 'client-side', prune: false, automated: true } });
    expect(diffYaml(claim(''), '', undefined, off).changes[0]?.impact).toBe('none');
    // The live object decides: the guard was added in Git but never applied.
    expect(diffYaml(pruneFalse, '', claim('').replace('name: x', 'name: x, namespace: shop')).changes[0]?.impact).toBe(
      'data-loss',
    );
  });
  test('a manifest that leaves the group extensions is the same object', () => {
    const ingress = (apiVersion: string) => `apiVersion: ${apiVersion}
kind: Ingress
metadata: {name: web, namespace: shop}
spec: {rules: [{host: a.example.com, http: {paths: [{path: /, backend: {serviceName: api, servicePort: 80}}]}}]}
`;
    const { changes } = diffYaml(ingress('extensions/v1beta1'), ingress('networking.k8s.io/v1beta1'));
    expect(lines(changes)).toEqual(['changed Ingress/web configuration /apiVersion=configuration']);
  });
  test('random parts are masked by the renderer; what stands beside them still counts', () => {
    const side = (text: string) => {
      const result = rendered(`apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {file: "${text}"}\n`);
      if (!result.ok) throw new Error('not rendered');
      return { ...result, manifests: result.manifests.map((item) => ({ ...item, nondeterministic: ['/data/file'] })) };
    };
    const run = (before: string, after: string) =>
      lines(diffSides({ before: [side(before)], after: [side(after)] }).changes);
    expect(run('<random> a', '<random> a')).toEqual([]);
    expect(run('<random> a', '<random> b')).toEqual(['changed ConfigMap/x configuration /data/file=configuration']);
    const metadata = { name: 'x', namespace: 'shop' };
    const live = () => ({ objects: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { file: 'qwe a' } }] });
    expect(diffSides({ before: [side('<random> a')], after: [side('<random> a')], live }).drift).toEqual([]);
  });
});

describe('targets', () => {
  test('a target that fails on one side is withheld completely', () => {
    for (const [before, after] of [
      [rendered(deployment()), failed()],
      [failed(), rendered(deployment())],
    ] as const) {
      const result = diffSides({ before: [before], after: [after] });
      expect(result.changes).toEqual([]);
      expect(result.entries).toEqual({ before: [], after: [] });
    }
  });
  test('an object that may have moved to a failed target says so', () => {
    const result = diffSides({
      before: [rendered(deployment(), target('a')), rendered('', target('b'))],
      after: [rendered('', target('a')), failed(target('b'))],
    });
    expect(result.changes).toMatchObject([
      { action: 'removed', target: 'a', because: ['it may have moved to b, which could not be rendered'] },
    ]);
  });
  test('it cannot have moved to a failed target that is gone, nor come from one that is new', () => {
    const result = diffSides({
      before: [rendered(deployment(), target('a')), failed(target('old'))],
      after: [
        rendered('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {a: b}\n', target('c')),
        failed(target('new')),
      ],
    });
    expect(result.changes.map(({ action, target: id, because }) => [action, id, because])).toEqual([
      ['removed', 'a', ['it may have moved to new, which could not be rendered']],
      ['added', 'c', ['it may have moved from old, which could not be rendered']],
    ]);
  });
  test('a target on one side only is added or removed as a whole', () => {
    expect(lines(diffSides({ before: [rendered(deployment())], after: [] }).changes)).toEqual([
      'removed Deployment/api disruption',
    ]);
    expect(lines(diffSides({ before: [], after: [rendered(deployment())] }).changes)).toEqual([
      'added Deployment/api configuration',
    ]);
  });
  test('moving to another target of the same cluster is no deletion', () => {
    const [a, b, elsewhere] = [target('a'), target('b'), target('c', { scope: 'staging' })];
    const move = (to: typeof b) =>
      diffSides({
        before: [rendered(deployment(), a), rendered('', to)],
        after: [rendered('', a), rendered(deployment(), to)],
      });
    expect(move(b).changes).toMatchObject([
      { action: 'changed', target: 'b', movedFrom: 'a', impact: 'metadata', fields: [] },
    ]);
    expect(lines(move(elsewhere).changes)).toEqual([
      'removed Deployment/api disruption',
      'added Deployment/api configuration',
    ]);
  });
});

describe('hooks', () => {
  const job = (image: string, hook: string) => `apiVersion: batch/v1
kind: Job
metadata: {name: migrate, annotations: {"helm.sh/hook": ${hook}}}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: m, image: "${image}"}]}}}
`;
  test('are compared, but weigh no more than configuration', () => {
    const { changes } = diffYaml(job('a:1', 'pre-upgrade'), job('a:2', 'pre-upgrade'));
    expect(lines(changes)).toEqual([
      'changed Job/migrate configuration /spec/template/spec/containers/m/image=configuration',
    ]);
    expect(changes[0]?.after?.hook).toEqual(['pre-upgrade']);
    expect(diffYaml(job('a:1', 'pre-upgrade'), '').changes[0]?.impact).toBe('none');
  });
  test('tests are left out', () => {
    expect(diffYaml(job('a:1', 'test'), '').changes).toEqual([]);
  });
});

describe('renames', () => {
  const map = (name: string, value: string) => `apiVersion: v1
kind: ConfigMap
metadata: {name: ${name}, namespace: shop}
data: {level: ${value}}
---
`;
  const uses = (name: string) =>
    deployment({ env: `[{name: LEVEL, valueFrom: {configMapKeyRef: {name: ${name}, key: level}}}]` });
  test('a hash at the end of a name restarts what names it, and says why', () => {
    const [old, now] = ['config-5bhtg2m64d', 'config-9fgkh2m6t7'];
    const { changes } = diffYaml(map(old, 'info') + uses(old), map(now, 'debug') + uses(now));
    expect(lines(changes)).toEqual([
      `renamed ConfigMap/${now} configuration /data/level=configuration`,
      'changed Deployment/api restart /spec/template/spec/containers/app/env/LEVEL/valueFrom/configMapKeyRef/name=restart',
    ]);
    expect(changes[0]).toMatchObject({ previousRef: { name: old } });
    expect(changes[1]?.because).toEqual([`ConfigMap shop/${now} changed and its hash is part of the name`]);
  });
  test('nearly equal content under another name is a rename', () => {
    const before = deployment({ name: 'shop-api', spec: 'replicas: 2\n  minReadySeconds: 3' });
    const after = deployment({ name: 'store-api', spec: 'replicas: 2\n  minReadySeconds: 3' });
    const { changes } = diffYaml(before, after);
    expect(changes).toMatchObject([
      { action: 'renamed', ref: { name: 'store-api' }, previousRef: { name: 'shop-api' }, impact: 'replace' },
    ]);
    expect(changes[0]?.because?.[0]).toMatch(
      /Deployment shop\/shop-api goes away and Deployment shop\/store-api, 100 % equal, appears/,
    );
  });
  test('other content is not', () => {
    const other = `apiVersion: apps/v1
kind: Deployment
metadata: {name: cache, namespace: shop}
spec: {selector: {matchLabels: {tier: cache}}, template: {metadata: {labels: {tier: cache}}, spec: {containers: [{name: redis, image: "redis:7", args: [--save]}]}}}
`;
    expect(lines(diffYaml(deployment(), other).changes)).toEqual([
      'removed Deployment/api disruption',
      'added Deployment/cache configuration',
    ]);
  });
  test('a claim under another name loses its data', () => {
    const claim = (name: string) => `apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: ${name}, namespace: shop}
spec: {accessModes: [ReadWriteOnce], storageClassName: fast, volumeMode: Filesystem, resources: {requests: {storage: 10Gi}}}
`;
    expect(diffYaml(claim('data'), claim('data-v2')).changes).toMatchObject([
      { action: 'renamed', impact: 'data-loss' },
    ]);
  });
  test('thousands of removed and added objects take no quadratic time', () => {
    const many = (prefix: string) =>
      Array.from({ length: 1500 }, (_item, index) =>
        deployment({ name: `${prefix}-${index}`, image: `registry.example.com/shop/app:${index}` }),
      ).join('---\n');
    const before = rendered(many('old'));
    const after = rendered(many('new'));
    const start = performance.now();
    const { changes } = diffSides({ before: [before], after: [after] });
    expect(changes).toHaveLength(1500);
    expect(changes[0]).toMatchObject({ action: 'renamed', ref: { name: 'new-0' }, previousRef: { name: 'old-0' } });
    expect(performance.now() - start).toBeLessThan(30_000);
  });
});

describe('propagation', () => {
  const map = (value: string) =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config, namespace: shop}\ndata: {level: ${value}}\n---\n`;
  const mounts = deployment({ env: '[{name: LEVEL, valueFrom: {configMapKeyRef: {name: config, key: level}}}]' });
  const checksum = (value: string) =>
    deployment({
      annotations: `{checksum/config: ${value}}`,
      env: '[{name: LEVEL, valueFrom: {configMapKeyRef: {name: config, key: level}}}]',
    });
  test('content alone restarts nothing', () => {
    expect(lines(diffYaml(map('a') + mounts, map('b') + mounts).changes)).toEqual([
      'changed ConfigMap/config configuration /data/level=configuration',
    ]);
  });
  test('a checksum annotation restarts, is marked as generated, and says why', () => {
    const { changes } = diffYaml(map('a') + checksum('3f2a9c1b77'), map('b') + checksum('aa12bb34cc'));
    const workload = changes.find((change) => change.ref.kind === 'Deployment');
    expect(workload).toMatchObject({
      impact: 'restart',
      fields: [{ path: '/spec/template/metadata/annotations/checksum~1config', cosmetic: true }],
      because: ['ConfigMap shop/config changed and its checksum is an annotation of the pods'],
    });
  });
  test('an annotation that only sounds like one is not generated', () => {
    const [before, after] = ['off by default', 'on'].map((value) =>
      deployment({ annotations: `{hash-policy/mode: "${value}"}` }),
    );
    expect(diffYaml(before!, after!).changes[0]?.fields[0]).not.toHaveProperty('cosmetic');
  });
  test('a deleted ConfigMap hits pods that do not change themselves', () => {
    const { changes } = diffYaml(map('a') + mounts, mounts);
    expect(lines(changes)).toEqual(['removed ConfigMap/config configuration', 'changed Deployment/api disruption']);
    expect(changes[1]?.because).toEqual([
      'ConfigMap shop/config is deleted and still referenced: new pods cannot start',
    ]);
  });
  test('also when they live in another target of the cluster, but not in another cluster', () => {
    const [a, b] = [target('a'), target('b')];
    const run = (users: typeof b) =>
      diffSides({
        before: [rendered(map('a'), a), rendered(mounts, users)],
        after: [rendered('', a), rendered(mounts, users)],
      });
    expect(lines(run(b).changes)).toContain('changed Deployment/api disruption');
    expect(lines(run(target('b', { scope: 'staging' })).changes)).toEqual(['removed ConfigMap/config configuration']);
  });
  test('not when the reference is optional', () => {
    const optional = mounts.replace('key: level}', 'key: level, optional: true}');
    expect(lines(diffYaml(map('a') + optional, optional).changes)).toEqual(['removed ConfigMap/config configuration']);
  });
  test('a removed service account refuses new pods', () => {
    const account = 'apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: api, namespace: shop}\n---\n';
    const pods = deployment().replace('      containers:', '      serviceAccount: api\n      containers:');
    expect(lines(diffYaml(account + pods, pods).changes)).toEqual([
      'changed Deployment/api disruption',
      'removed ServiceAccount/api configuration',
    ]);
  });
});

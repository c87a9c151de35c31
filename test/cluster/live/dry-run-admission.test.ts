import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import quotaBlocksRollout from '../../../src/rules/resources/quota-blocks-rollout.ts';
import rejectedByApi from '../../../src/rules/apis/rejected-by-api.ts';
import podsRejectedByApi from '../../../src/rules/probes/pods-rejected-by-api.ts';
import { hasCluster, useCluster } from '../kit/cluster.ts';
import type { TestObject } from '../kit/objects.ts';
import { ask, engines, type Asked } from './dry-run-sides.ts';

const namespace = (name: string, labels = '') => `
apiVersion: v1
kind: Namespace
metadata: {name: ${name}, labels: {test: yes-it-is${labels}}}
`;
const api = (place: string, container: string, spec = '') => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: ${place}}
spec:
  replicas: 2
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {${spec}containers: [{name: api, ${container}}]}
`;
const image = (version: string) => `image: 'registry.example.org/api:${version}'`;
const config = (place: string, value: string, more = '') => `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: ${place}}
data: {key: ${value}}
${more}`;
const webhook = (name: string, place: string, url: string, seconds: number) => `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: ${name}}
webhooks:
  - name: ${name}.example.org
    admissionReviewVersions: [v1]
    sideEffects: None
    timeoutSeconds: ${seconds}
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ${place}}}
    rules: [{apiGroups: ['*'], apiVersions: ['*'], operations: [CREATE, UPDATE], resources: [configmaps, pods]}]
    clientConfig: {url: '${url}'}
`;
const boats = (extra = '') => `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boats.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {kind: Boat, plural: boats}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {sails: {type: integer}${extra}}}}}}
`;
const boat = (spec: string) => `
apiVersion: example.org/v1
kind: Boat
metadata: {name: one, namespace: default}
spec: {${spec}}
`;

describe.skipIf(!(await hasCluster()))('admission on a real server', () => {
  const cluster = useCluster({ users: { reader: [], writer: [] } });
  const flux = { target: engines.flux };
  // Accepts connections and never says a word.
  const silent: Server = createServer(() => {});
  let silentUrl = '';

  beforeAll(async () => {
    await new Promise<void>((ready) => silent.listen(0, '127.0.0.1', ready));
    silentUrl = `https://127.0.0.1:${(silent.address() as AddressInfo).port}/validate`;
  });
  afterAll(() => {
    silent.close();
  });

  const podAnswer = (asked: Asked) => asked.find('Deployment', 'api')?.pod;

  test('a pod that the quota has no room for', async () => {
    const quota = {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'compute', namespace: 'quota' },
    } as TestObject;
    await cluster().apply(
      [
        namespace('quota'),
        `apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: compute, namespace: quota}\nspec: {hard: {pods: '2'}}`,
      ].join('\n---\n'),
    );
    await cluster().setStatus(quota, { hard: { pods: '2' }, used: { pods: '2' } });
    const asked = await ask(cluster(), api('quota', image('1.0.0')), api('quota', image('1.1.0')), {
      ...flux,
      pods: true,
    });
    expect(asked.find('Deployment', 'api')?.apply?.outcome).toBe('accepted');
    expect(podAnswer(asked)).toMatchObject({
      outcome: 'rejected',
      code: 403,
      message: expect.stringContaining('exceeded quota: compute'),
    });
    const [told] = asked.problems(podsRejectedByApi);
    expect(told).toMatchObject({ severity: 'high', rootCause: 'quota-blocks-rollout:test/quota/compute' });
    const offline = asked.problems(quotaBlocksRollout);
    for (const problem of offline) expect(problem.rootCause).toBe(told?.rootCause);
  });

  test('a pod that must set what the quota bounds', async () => {
    const quota = {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'memory', namespace: 'must' },
    } as TestObject;
    await cluster().apply(
      [
        namespace('must'),
        `apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: memory, namespace: must}\nspec: {hard: {limits.memory: 10Gi}}`,
      ].join('\n---\n'),
    );
    await cluster().setStatus(quota, { hard: { 'limits.memory': '10Gi' }, used: { 'limits.memory': '0' } });
    const limited = `${image('1.1.0')}, resources: {limits: {memory: 1Gi}}`;
    const bad = await ask(cluster(), api('must', limited), api('must', image('1.2.0')), { ...flux, pods: true });
    expect(podAnswer(bad)).toMatchObject({
      outcome: 'rejected',
      message: expect.stringContaining('must specify limits.memory'),
    });
    expect(bad.problems(podsRejectedByApi)[0]?.rootCause).toBe('quota-must-specify:test/must/memory');
    const good = await ask(cluster(), api('must', image('1.2.0')), api('must', limited), { ...flux, pods: true });
    expect(podAnswer(good)).toMatchObject({ outcome: 'accepted' });
  });

  test('a pod outside of the LimitRange', async () => {
    await cluster().apply(
      [
        namespace('ranged'),
        `apiVersion: v1\nkind: LimitRange\nmetadata: {name: bounds, namespace: ranged}\nspec: {limits: [{type: Container, max: {memory: 1Gi}, min: {memory: 64Mi}}]}`,
      ].join('\n---\n'),
    );
    const of = (memory: string) =>
      `${image('1.0.0')}, resources: {requests: {memory: ${memory}}, limits: {memory: ${memory}}}`;
    for (const [memory, said] of [
      ['2Gi', 'maximum memory usage per Container is 1Gi'],
      ['32Mi', 'minimum memory usage per Container is 64Mi'],
    ] as const) {
      const asked = await ask(cluster(), api('ranged', of('512Mi')), api('ranged', of(memory)), {
        ...flux,
        pods: true,
      });
      expect(podAnswer(asked)).toMatchObject({ outcome: 'rejected', message: expect.stringContaining(said) });
    }
    const twin = await ask(cluster(), api('ranged', of('512Mi')), api('ranged', of('1Gi')), { ...flux, pods: true });
    expect(podAnswer(twin)?.outcome).toBe('accepted');
  });

  test('a pod that Pod Security refuses, and one that it allows', async () => {
    await cluster().apply(namespace('guarded', ', pod-security.kubernetes.io/enforce: baseline'));
    const bad = await ask(
      cluster(),
      api('guarded', image('1.0.0')),
      api('guarded', image('1.1.0'), 'hostNetwork: true, '),
      { ...flux, pods: true },
    );
    expect(podAnswer(bad)).toMatchObject({
      outcome: 'rejected',
      message: expect.stringContaining('violates PodSecurity "baseline:latest"'),
    });
    expect(bad.problems(podsRejectedByApi)).toHaveLength(1);
    const good = await ask(cluster(), api('guarded', image('1.0.0')), api('guarded', image('1.1.0')), {
      ...flux,
      pods: true,
    });
    expect(podAnswer(good)?.outcome).toBe('accepted');
    // The labels of the namespace come with the same change: the server knows only the old ones.
    const relaxed = namespace('guarded', ', pod-security.kubernetes.io/enforce: privileged');
    const both = await ask(
      cluster(),
      [namespace('guarded', ', pod-security.kubernetes.io/enforce: baseline'), api('guarded', image('1.0.0'))].join(
        '\n---\n',
      ),
      [relaxed, api('guarded', image('1.1.0'), 'hostNetwork: true, ')].join('\n---\n'),
      { ...flux, pods: true },
    );
    expect(podAnswer(both)).toMatchObject({ outcome: 'unknown', reason: 'SameChange' });
    expect(both.problems(podsRejectedByApi)).toEqual([]);
  });

  test('a pod whose PriorityClass is missing, or comes with the change', async () => {
    const urgent = api('default', image('1.1.0'), 'priorityClassName: urgent, ');
    const bad = await ask(cluster(), api('default', image('1.0.0')), urgent, { ...flux, pods: true });
    expect(podAnswer(bad)).toMatchObject({
      outcome: 'rejected',
      message: expect.stringContaining('no PriorityClass with name urgent was found'),
    });
    const both = await ask(
      cluster(),
      api('default', image('1.0.0')),
      [urgent, `apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: urgent}\nvalue: 1000`].join(
        '\n---\n',
      ),
      { ...flux, pods: true },
    );
    expect(podAnswer(both)).toMatchObject({ outcome: 'unknown', reason: 'SameChange' });
  });

  test('pods of every kind of workload are taken as their controllers make them', async () => {
    const template = (restart = '') =>
      `template: {metadata: {labels: {app: w}}, spec: {${restart}containers: [{name: w, ${image('1.0.0')}}]}}`;
    const workloads = `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: w}
spec:
  serviceName: w
  selector: {matchLabels: {app: w}}
  ${template()}
  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}]
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: w}
spec: {selector: {matchLabels: {app: w}}, ${template()}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: w}
spec: {${template('restartPolicy: Never, ')}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: w}
spec: {schedule: '1 2 * * *', jobTemplate: {spec: {${template('restartPolicy: Never, ')}}}}
`;
    const asked = await ask(cluster(), '', workloads, { ...flux, pods: true });
    for (const kind of ['StatefulSet', 'DaemonSet', 'Job', 'CronJob']) {
      expect(asked.find(kind, 'w')).toMatchObject({ apply: { outcome: 'accepted' }, pod: { outcome: 'accepted' } });
    }
    expect(asked.outcome.summary).toMatchObject({ asked: 8, accepted: 8, rejected: 0, unknown: 0 });
    const pod = asked.find('StatefulSet', 'w')?.pod?.object as { spec: { volumes: object[] } } | undefined;
    expect(pod?.spec.volumes).toContainEqual({ name: 'data', persistentVolumeClaim: { claimName: 'data-w-0' } });
  });

  test('a webhook that cannot be called refuses the sync, as it will', async () => {
    await cluster().apply(
      [namespace('dead'), webhook('dead', 'dead', 'https://127.0.0.1:1/validate', 5)].join('\n---\n'),
    );
    await expect
      .poll(
        async () =>
          await cluster()
            .create(config('dead', 'probe').replace('settings', 'probe'))
            .catch((error: unknown) => String(error)),
        { timeout: 10_000 },
      )
      .toContain('failed calling webhook');
    const asked = await ask(cluster(), '', config('dead', 'a'), flux);
    expect(asked.find('ConfigMap', 'settings')?.apply).toMatchObject({ outcome: 'rejected', code: 500 });
    expect(asked.problems(rejectedByApi)).toMatchObject([
      {
        willNotApply: true,
        rootCause: 'webhook-unreachable:test:dead.example.org',
        message: expect.stringContaining('connection refused'),
      },
    ]);
  });

  test('a webhook that hangs is waited for within bounds, and is no refusal', async () => {
    await cluster().apply([namespace('slow'), webhook('slow', 'slow', silentUrl, 3)].join('\n---\n'));
    await expect
      .poll(
        async () =>
          await cluster()
            .create(config('slow', 'probe').replace('settings', 'probe'))
            .catch((error: unknown) => String(error)),
        { timeout: 20_000 },
      )
      .toContain('failed calling webhook');
    const began = Date.now();
    const asked = await ask(cluster(), '', config('slow', 'a'), flux);
    expect(Date.now() - began).toBeLessThan(8_000);
    expect(asked.find('ConfigMap', 'settings')?.apply).toMatchObject({
      outcome: 'unknown',
      reason: 'Timeout',
      message: expect.stringContaining('slow.example.org'),
    });
    expect(asked.problems(rejectedByApi)).toEqual([]);
    expect(asked.outcome.notEvaluated).toMatchObject([
      { what: 'dry run of ConfigMap slow/settings', weight: 'incomplete' },
    ]);
    // Longer than gate waits: the deadline of the run ends it.
    await cluster().apply(webhook('slow', 'slow', silentUrl, 30));
    const shorter = Date.now();
    const cut = await ask(cluster(), '', config('slow', 'a'), { ...flux, user: 'admin', deadlineMs: 3_000 });
    expect(Date.now() - shorter).toBeLessThan(8_000);
    expect(cut.find('ConfigMap', 'settings')?.apply).toMatchObject({ outcome: 'unknown', reason: 'Timeout' });
  });

  test('what our own identity may not do is no judgement of the object', async () => {
    const asked = await ask(cluster(), '', config('default', 'a'), { ...flux, user: 'reader' });
    const answer = asked.find('ConfigMap', 'settings')?.apply;
    expect(answer).toMatchObject({ outcome: 'unknown', reason: 'NotAllowed', code: 403 });
    expect(answer?.next).toContain(
      '{"apiGroups":[""],"resources":["configmaps"],"verbs":["patch","create"]} in namespace default',
    );
    expect(asked.problems(rejectedByApi)).toEqual([]);
    expect(asked.outcome.notEvaluated).toMatchObject([
      { weight: 'incomplete', next: expect.stringContaining('configmaps') },
    ]);
  });

  test('a role beyond our own rights is no refusal either', async () => {
    await cluster().apply(`
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: role-writer}
rules: [{apiGroups: [rbac.authorization.k8s.io], resources: [roles], verbs: [get, create, patch, update]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: role-writer}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: role-writer}
subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: writer}]
`);
    const role = `apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: all, namespace: default}\nrules: [{apiGroups: [''], resources: [pods], verbs: [delete]}]`;
    await expect
      .poll(async () => (await ask(cluster(), '', role, { ...flux, user: 'writer' })).find('Role', 'all')?.apply, {
        timeout: 10_000,
      })
      .toMatchObject({
        outcome: 'unknown',
        reason: 'NotAllowed',
        message: expect.stringContaining('attempting to grant'),
      });
  });

  test('what comes with the change is not held against it', async () => {
    const asked = await ask(
      cluster(),
      '',
      [
        namespace('fresh'),
        config('fresh', 'a'),
        boats().replaceAll('boats', 'ships').replaceAll('Boat', 'Ship'),
        boat('sails: 2').replace('Boat', 'Ship'),
      ].join('\n---\n'),
      flux,
    );
    expect(asked.find('Namespace', 'fresh')?.apply?.outcome).toBe('accepted');
    expect(asked.find('ConfigMap', 'settings')?.apply).toMatchObject({
      outcome: 'unknown',
      reason: 'SameChange',
      message: expect.stringContaining('namespace fresh is created by this change'),
    });
    expect(asked.find('Ship', 'one')?.apply).toMatchObject({
      outcome: 'unknown',
      reason: 'SameChange',
      message: expect.stringContaining('ships.example.org'),
    });
    expect(asked.outcome.notEvaluated.map(({ weight }) => weight)).toEqual(['note', 'note']);
    // Nobody creates this one.
    const nowhere = await ask(cluster(), '', config('nowhere', 'a'), flux);
    expect(nowhere.find('ConfigMap', 'settings')?.apply).toMatchObject({
      outcome: 'rejected',
      code: 404,
      message: 'namespaces "nowhere" not found',
    });
  });

  test('a custom resource is judged by its schema, unless that changes too', async () => {
    await cluster().apply([boats(), boat('sails: 2')].join('\n---\n'));
    const bad = await ask(cluster(), boat('sails: 2'), boat('sails: many'), flux);
    expect(bad.find('Boat', 'one')?.apply).toMatchObject({ outcome: 'rejected' });
    const client = await ask(cluster(), boat('sails: 2'), boat('sails: many'), { target: engines.argocd });
    expect(client.problems(rejectedByApi)).toMatchObject([{ path: '/spec/sails', willNotApply: true }]);
    const both = await ask(
      cluster(),
      [boats(), boat('sails: 2')].join('\n---\n'),
      [boats(', crew: {type: integer}'), boat('sails: 2, crew: 3')].join('\n---\n'),
      flux,
    );
    expect(both.find('Boat', 'one')?.apply).toMatchObject({ outcome: 'unknown', reason: 'SameChange' });
  });

  test('unknown fields: refused by server-side apply and by kubectl, dropped with a warning by Argo CD and Helm', async () => {
    const typo = config('default', 'a', 'dataa: {}\n');
    const outcome = async (engine: keyof typeof engines) => {
      const asked = await ask(cluster(), '', typo, { target: engines[engine] });
      return asked.find('ConfigMap', 'settings')?.apply;
    };
    expect(await outcome('flux')).toMatchObject({
      outcome: 'rejected',
      message: expect.stringContaining('field not declared in schema'),
    });
    expect(await outcome('kubectl')).toMatchObject({
      outcome: 'rejected',
      message: expect.stringContaining('unknown field "dataa"'),
    });
    for (const engine of ['argocd', 'helm'] as const) {
      expect(await outcome(engine)).toMatchObject({ outcome: 'accepted', warnings: ['unknown field "dataa"'] });
    }
  });

  test('a version that the server no longer has', async () => {
    const old = `apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: old}\nspec: {minAvailable: 1, selector: {}}`;
    const asked = await ask(cluster(), '', old, flux);
    expect(asked.find('PodDisruptionBudget', 'old')?.apply).toMatchObject({ outcome: 'rejected', code: 404 });
  });

  test('values of a Secret are placeholders, and nothing is concluded from them', async () => {
    const secret = (value: string, more = '', type = 'Opaque') =>
      `apiVersion: v1\nkind: Secret\nmetadata: {name: keys, namespace: default${more}}\ntype: ${type}\ndata: {key: ${value}}`;
    const frozen = (text: string) => `${text}\nimmutable: true`;
    await cluster().apply(frozen(secret('aGk=')));
    for (const engine of ['flux', 'argocd'] as const) {
      const asked = await ask(cluster(), frozen(secret('aGk=')), frozen(secret('aGk=', ', labels: {a: b}')), {
        target: engines[engine],
      });
      expect(asked.find('Secret', 'keys')?.apply).toMatchObject({ outcome: 'unknown', reason: 'HiddenValue' });
      expect(asked.outcome.summary).toMatchObject({ asked: 0, unknown: 1 });
    }
    const fresh = secret('aGk=').replace('keys', 'others');
    expect((await ask(cluster(), '', fresh, flux)).find('Secret', 'others')?.apply?.outcome).toBe('accepted');
    const broken = secret('aGk=', '', 'kubernetes.io/tls').replace('keys', 'others');
    expect((await ask(cluster(), '', broken, flux)).find('Secret', 'others')?.apply).toMatchObject({
      outcome: 'rejected',
      message: expect.stringContaining('tls.crt'),
    });
  });

  test('text that gate hides is not taken for a change of an immutable field', async () => {
    const job = (labels: string, command = 'sync') => `
apiVersion: batch/v1
kind: Job
metadata: {name: hidden, namespace: default, labels: {${labels}}}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, ${image('1.0.0')}, args: [${command}], env: [{name: DATABASE, value: 'postgres://shop:verysecret@db.example.org/shop'}]}]}}}
`;
    await cluster().apply(job('a: one'), { fieldManager: 'kustomize-controller' });
    const same = await ask(cluster(), job('a: one'), job('a: two'), flux);
    expect(same.find('Job', 'hidden')?.apply).toMatchObject({ outcome: 'unknown', reason: 'HiddenValue' });
    const changed = await ask(cluster(), job('a: one'), job('a: one', 'migrate'), flux);
    expect(changed.find('Job', 'hidden')?.apply).toMatchObject({ outcome: 'rejected' });
  });

  test('fields of other managers: a conflict for Helm 4, taken over by Flux', async () => {
    await cluster().apply(config('default', 'a'), { fieldManager: 'helm' });
    await cluster().kubectl(['apply', '--server-side', '--force-conflicts', '--field-manager=operator', '-f', '-'], {
      input: config('default', 'operator'),
    });
    const helm4 = { target: { ...engines.helm, tools: { helm: '4.2.4' } } };
    const conflict = await ask(cluster(), config('default', 'a'), config('default', 'b'), helm4);
    expect(conflict.find('ConfigMap', 'settings')).toMatchObject({
      method: 'server-side apply as helm',
      apply: { outcome: 'rejected', code: 409, message: expect.stringContaining('conflict with "operator"') },
    });
    const forced = await ask(cluster(), config('default', 'a'), config('default', 'b'), flux);
    expect(forced.find('ConfigMap', 'settings')?.apply?.outcome).toBe('accepted');
    await cluster().remove(config('default', 'a'));
  });

  test('nothing is left behind on the server', async () => {
    await cluster().apply(api('default', image('1.0.0')), { fieldManager: 'kustomize-controller' });
    const sweep = async () => {
      const seen: Record<string, string> = {};
      for (const path of [
        '/apis/apps/v1/deployments',
        '/api/v1/configmaps',
        '/api/v1/pods',
        '/api/v1/secrets',
        '/api/v1/namespaces',
      ]) {
        const { body } = await cluster().request('GET', path);
        for (const { metadata } of body.items as TestObject[]) {
          seen[`${path}/${metadata.namespace ?? ''}/${metadata.name}`] = String(metadata['resourceVersion']);
        }
      }
      return seen;
    };
    const before = await sweep();
    for (const engine of ['flux', 'argocd'] as const) {
      const asked = await ask(
        cluster(),
        api('default', image('1.0.0')),
        [api('default', image('1.1.0')), config('default', 'new')].join('\n---\n'),
        { target: engines[engine], pods: true },
      );
      expect(asked.outcome.summary).toMatchObject({ accepted: 3, asked: 3 });
    }
    expect(await sweep()).toEqual(before);
    const writes = (await cluster().audit()).filter(
      ({ userAgent, verb }) => userAgent?.startsWith('gitops-gate') === true && !['get', 'list'].includes(verb),
    );
    expect(writes.length).toBeGreaterThan(0);
    for (const { requestURI } of writes) expect(requestURI).toMatch(/dryRun=All|selfsubjectaccessreviews/);
  });
});

import { describe, expect, test } from 'vitest';
import type { DryRunAnswer, DryRunRequest } from '../../src/core/cluster.ts';
import { GateError } from '../../src/core/errors.ts';
import type { KubeObject, Target } from '../../src/core/model.ts';
import type { Cluster } from '../../src/core/ports.ts';
import { hiddenFields, touchesHidden } from '../../src/pipeline/dry-run-hidden.ts';
import { runDryRun, type DryRunOutcome } from '../../src/pipeline/dry-run.ts';
import { buildLiveWorld, buildWorld } from '../../src/rules/kit/world.ts';
import { diffSides } from '../../src/diff/diff.ts';
import { objects, rendered, target } from '../diff/sides.ts';

type Answer = Partial<DryRunAnswer>;

interface Ran {
  readonly outcome: DryRunOutcome;
  readonly sent: readonly DryRunRequest[];
}

const progress = { start: () => {}, advance: () => {}, done: () => {}, note: () => {} };

/** @param live objects of the cluster; undefined: nothing of it could be read */
async function run(
  sides: { readonly before?: string; readonly after: string; readonly live?: string },
  fields: Partial<Target> = {},
  answer: (request: DryRunRequest) => Answer | Error = () => ({}),
  pods = false,
): Promise<Ran> {
  const of = target('shop', fields);
  const diff = diffSides({ before: [rendered(sides.before ?? '', of)], after: [rendered(sides.after, of)] });
  const found: readonly KubeObject[] = objects(sides.live ?? '');
  const kinds = diff.entries.after.map(({ ref }) => `${ref.group}/${ref.kind}`);
  const live = buildLiveWorld({
    name: 'prod',
    objects: found,
    pods: [],
    helmReleases: [],
    metrics: [],
    services: [],
    kinds: new Set(sides.live === undefined ? [] : kinds),
    allNamespaces: true,
    unread: [],
  });
  const sent: DryRunRequest[] = [];
  const cluster: Cluster = {
    live: true,
    describe: () => Promise.reject(new Error('not asked')),
    read: () => Promise.reject(new Error('not asked')),
    dryRun(requests) {
      sent.push(...requests);
      const answers = requests.map((request) => {
        const said = answer(request);
        if (said instanceof Error) throw said;
        return { id: request.id, outcome: 'accepted' as const, warnings: [], ...said };
      });
      return Promise.resolve(answers);
    },
  };
  const outcome = await runDryRun({
    changes: diff.changes,
    after: buildWorld(diff.entries.after, []),
    clusterOf: () => cluster,
    live: () => live,
    objects: true,
    pods,
    progress,
  });
  return { outcome, sent };
}

const config = (key: string, metadata = '') => `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop, resourceVersion: '7'${metadata}}
data: {key: ${key}}
`;
const ssa = { mode: 'server-side', prune: true, automated: true } as const;
const csa = { mode: 'client-side', prune: true, automated: true } as const;
const helm = { mode: 'helm', prune: true, automated: true } as const;
const managed = (manager: string, operation: string) =>
  `, managedFields: [{manager: ${manager}, operation: ${operation}}]`;

describe('how each engine sends an object that is there', () => {
  test.each<[string, Partial<Target>, string, string, object]>([
    [
      'Argo CD',
      { engine: 'argocd', apply: csa },
      '',
      '',
      { method: 'update', fieldManager: 'argocd-controller', fieldValidation: 'Warn' },
    ],
    [
      'Argo CD, server-side',
      { engine: 'argocd', apply: ssa },
      '',
      '',
      { method: 'apply', fieldManager: 'argocd-controller', force: true },
    ],
    [
      'Argo CD, server-side for one object',
      { engine: 'argocd', apply: csa },
      ", annotations: {argocd.argoproj.io/sync-options: 'Prune=false,ServerSideApply=true'}",
      '',
      { method: 'apply', force: true },
    ],
    [
      'Argo CD, not for one object',
      { engine: 'argocd', apply: ssa },
      ', annotations: {argocd.argoproj.io/sync-options: ServerSideApply=false}',
      '',
      { method: 'update' },
    ],
    [
      'Argo CD, Replace',
      { engine: 'argocd', apply: { ...ssa, replace: true } },
      '',
      '',
      { method: 'update', fieldManager: 'kubectl-replace' },
    ],
    [
      'Flux Kustomization',
      { engine: 'flux', apply: ssa },
      '',
      '',
      { method: 'apply', fieldManager: 'kustomize-controller', force: true },
    ],
    [
      'kubectl',
      { engine: 'plain', apply: csa },
      '',
      '',
      { method: 'update', fieldManager: 'kubectl-client-side-apply', fieldValidation: 'Strict' },
    ],
    [
      'Helm 3',
      { engine: 'helm', apply: helm },
      '',
      '',
      { method: 'update', fieldManager: 'helm', fieldValidation: 'Warn' },
    ],
    [
      'Helm 4',
      { engine: 'helm', apply: helm, tools: { helm: '4.2.4' } },
      '',
      '',
      { method: 'apply', fieldManager: 'helm', force: false, fieldValidation: 'Strict' },
    ],
    [
      'Helm 4 for a release of Helm 3',
      { engine: 'helm', apply: helm, tools: { helm: '4.2.4' } },
      '',
      managed('helm', 'Update'),
      { method: 'update' },
    ],
    [
      'Flux HelmRelease',
      { engine: 'flux', apply: helm },
      '',
      managed('helm-controller', 'Apply'),
      { method: 'apply', fieldManager: 'helm-controller', force: true },
    ],
    [
      'Flux HelmRelease of old',
      { engine: 'flux', apply: helm },
      '',
      managed('helm-controller', 'Update'),
      { method: 'update', fieldManager: 'helm-controller' },
    ],
  ])('%s', async (_name, fields, metadata, held, expected) => {
    const { sent } = await run(
      { before: config('a', metadata), after: config('b', metadata), live: config('a', metadata + held) },
      fields,
    );
    expect(sent).toMatchObject([expected]);
  });
});

describe('the requests', () => {
  test('an object that is not there is created, with the annotation of kubectl where the engine writes it', async () => {
    const argocd = await run({ after: config('a'), live: '' }, { engine: 'argocd', apply: csa });
    expect(argocd.sent).toMatchObject([{ method: 'create' }]);
    expect(JSON.stringify(argocd.sent)).toContain('last-applied-configuration');
    const helm3 = await run({ after: config('a'), live: '' }, { engine: 'helm', apply: helm });
    expect(helm3.sent).toMatchObject([{ method: 'create' }]);
    expect(JSON.stringify(helm3.sent)).not.toContain('last-applied-configuration');
  });

  test('a client-side apply is not asked when the live object could not be read', async () => {
    const { sent, outcome } = await run({ before: config('a'), after: config('b') }, { engine: 'argocd', apply: csa });
    expect(sent).toEqual([]);
    expect(outcome.summary).toMatchObject({ asked: 0, unknown: 1 });
    expect(outcome.notEvaluated).toMatchObject([
      { weight: 'note', reason: expect.stringContaining('could not be read') },
    ]);
  });

  test('hooks, removed objects and unchanged ones are not asked', async () => {
    const hook = config('a', ', annotations: {helm.sh/hook: pre-install}').replace('settings', 'hook');
    const gone = config('a').replace('settings', 'gone');
    const { sent } = await run({
      before: [config('a'), gone].join('---'),
      after: [config('a'), hook].join('---'),
      live: '',
    });
    expect(sent).toEqual([]);
  });

  test('what Git never had and what the server wrote stays out of the request', async () => {
    const live = `${config('a', ', uid: u, generation: 3')}status: {x: y}\n`;
    const { sent } = await run({ before: config('a'), after: config('b'), live }, { engine: 'argocd', apply: csa });
    expect(sent[0]?.object).toMatchObject({ metadata: { resourceVersion: '7' }, data: { key: 'b' } });
    expect(Object.keys(sent[0]?.object ?? {})).not.toContain('status');
    expect(Object.keys(sent[0]?.object['metadata'] ?? {})).not.toContain('uid');
  });

  test('values of Secrets are sent as something that can be decoded', async () => {
    const secret = `
apiVersion: v1
kind: Secret
metadata: {name: keys, namespace: shop}
data: {password: aHVudGVyMg==}
`;
    const { sent } = await run({ after: secret, live: '' }, { engine: 'flux', apply: ssa });
    const placeholder = Buffer.from('placeholder').toString('base64');
    expect(sent).toMatchObject([{ object: { data: { password: placeholder } } }]);
  });
});

describe('the answers', () => {
  const flux = { engine: 'flux', apply: ssa } as const;
  const ref = { group: '', version: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'settings' };

  test('are found by target and object, and counted', async () => {
    const { outcome } = await run({ after: config('a'), live: '' }, flux, () => ({
      outcome: 'rejected',
      code: 422,
      message: 'no',
    }));
    expect(outcome.find('shop', ref)).toMatchObject({
      method: 'server-side apply as kustomize-controller, conflicts forced',
      apply: { outcome: 'rejected' },
    });
    expect(outcome.find('other', ref)).toBeUndefined();
    expect(outcome.summary).toMatchObject({ asked: 1, accepted: 0, rejected: 1, unknown: 0 });
    expect(outcome.notEvaluated).toEqual([]);
  });

  test('a cluster that fails leaves all open, and the verdict too', async () => {
    const error = new GateError({ code: 'cluster.unreachable', message: 'no route', fault: 'tool', next: 'Check it.' });
    const { outcome } = await run({ after: config('a'), live: '' }, flux, () => error);
    expect(outcome.notEvaluated).toMatchObject([{ reason: 'no route', next: 'Check it.', weight: 'incomplete' }]);
  });

  test('a mistake of gate is not swallowed', async () => {
    await expect(run({ after: config('a'), live: '' }, flux, () => new TypeError('x'))).rejects.toThrow(TypeError);
  });

  test('missing rights are a note beside judged objects, and leave the verdict open when nothing was judged', async () => {
    const two = [config('a'), config('a').replace('settings', 'others')].join('---');
    const denied: Answer = { outcome: 'unknown', reason: 'NotAllowed', message: 'may not' };
    const some = await run({ after: two, live: '' }, flux, ({ id }) => (id === '0' ? denied : {}));
    expect(some.outcome.notEvaluated).toMatchObject([{ weight: 'note' }]);
    const none = await run({ after: two, live: '' }, flux, () => denied);
    expect(none.outcome.notEvaluated).toMatchObject([
      { what: 'dry run of ConfigMap shop/others, ConfigMap shop/settings', weight: 'incomplete' },
    ]);
  });

  test('a webhook that changes in the same change is not believed', async () => {
    const hook = (policy: string) => `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: guard}
webhooks: [{name: guard.example.org, failurePolicy: ${policy}}]
`;
    const message = 'admission webhook "guard.example.org" denied the request: no';
    const refuse = ({ object }: DryRunRequest): Answer =>
      object['kind'] === 'ConfigMap' ? { outcome: 'rejected', code: 403, message } : {};
    const alone = await run({ after: config('a'), live: '' }, flux, refuse);
    expect(alone.outcome.find('shop', ref)?.apply?.outcome).toBe('rejected');
    const both = await run(
      { before: hook('Fail'), after: [hook('Ignore'), config('a')].join('---'), live: '' },
      flux,
      refuse,
    );
    expect(both.outcome.find('shop', ref)?.apply).toMatchObject({ outcome: 'unknown', reason: 'SameChange' });
  });
});

describe('pods of templates', () => {
  const flux = { engine: 'flux', apply: ssa } as const;
  const workload = (spec: string, image = '1.0.0', metadata = '') => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop${metadata}}
spec:
  ${spec}
  selector: {matchLabels: {app: api}}
  template: {metadata: {labels: {app: api}}, spec: {containers: [{name: api, image: 'registry.example.org/api:${image}'}]}}
`;
  const podsOf = async (before: string | undefined, after: string) => {
    const { sent } = await run(
      { ...(before === undefined ? {} : { before }), after, live: '' },
      flux,
      () => ({}),
      true,
    );
    return sent.flatMap(({ object }) => (object['kind'] === 'Pod' ? [object] : []));
  };

  test('are made when the template is new or changes, and there are replicas', async () => {
    expect(await podsOf(undefined, workload(''))).toHaveLength(1);
    expect(await podsOf(workload(''), workload('', '1.1.0'))).toHaveLength(1);
    expect(await podsOf(workload('replicas: 1'), workload('replicas: 2'))).toEqual([]);
    expect(await podsOf(workload(''), workload('', '1.0.0', ', labels: {a: b}'))).toEqual([]);
    expect(await podsOf(workload(''), workload('replicas: 0', '1.1.0'))).toEqual([]);
    expect(await podsOf(workload(''), workload('paused: true', '1.1.0'))).toEqual([]);
  });

  test('have a name of their own and the labels of the controller', async () => {
    const [pod] = await podsOf(undefined, workload(''));
    expect(pod?.['metadata']).toEqual({
      generateName: 'api-',
      namespace: 'shop',
      labels: { app: 'api', 'pod-template-hash': 'dryrun' },
    });
  });
});

describe('hidden values', () => {
  const object = {
    data: { url: 'postgres://a:redacted:0123456789ab@db', plain: 'x' },
    list: [{ value: '<random>' }],
  };

  test('are found with the names of the API server', () => {
    expect(hiddenFields(object)).toEqual(['data.url', 'list[0].value']);
  });

  test.each([
    ['data[url]', 'inside'],
    ['data.url.length', 'inside'],
    ['data', 'around'],
    ['list[0]', 'around'],
    ['list[1].value', undefined],
    ['data.plain', undefined],
    ['dat', undefined],
  ])('%s lies %s', (field, expected) => {
    expect(touchesHidden(field, hiddenFields(object))).toBe(expected);
  });
});

import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Finding } from '../../../src/core/model.ts';
import { gate } from '../../kit/gate.ts';
import { checkSides } from '../kit/check.ts';
import { hasCluster, useCluster } from '../kit/cluster.ts';
import type { TestObject } from '../kit/objects.ts';

// The backend belongs to another team: it is in the cluster and not in this repository.
const backend = `
apiVersion: v1
kind: Namespace
metadata: {name: policy}
---
apiVersion: v1
kind: Service
metadata: {name: validator, namespace: policy}
spec:
  selector: {app: validator}
  ports: [{name: https, port: 443, targetPort: 8443}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: validator, namespace: policy}
spec:
  replicas: 1
  selector: {matchLabels: {app: validator}}
  template:
    metadata: {labels: {app: validator}}
    spec: {containers: [{name: validator, image: "registry.example.org/validator:1.0.0"}]}
`;

const webhookWith = (ca: string, failurePolicy: string) => `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: validator}
webhooks:
  - name: pods.validator.example.org
    admissionReviewVersions: [v1]
    sideEffects: None
    failurePolicy: ${failurePolicy}
    timeoutSeconds: 5
    rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
    clientConfig:
      caBundle: ${Buffer.from(ca).toString('base64')}
      service: {namespace: policy, name: validator, path: /validate}
`;

const pod = (name: string): TestObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: { containers: [{ name: 'main', image: 'registry.example.org/shop:1.0.0' }] },
});

// Played by the test: no controller and no kubelet make the pods of the Deployment.
const backendPod: TestObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'validator-0', namespace: 'policy', labels: { app: 'validator' } },
  spec: { nodeName: 'node-1', containers: [{ name: 'validator', image: 'registry.example.org/validator:1.0.0' }] },
};

const options = {
  controllers: ['endpointslice-controller'],
  // The server then dials endpoints, and says so when there are none. By cluster address, which nothing serves here, it
  // would only time out.
  flags: ['--enable-aggregator-routing=true'],
};

describe.skipIf(!(await hasCluster(options)))('a fail-closed webhook with a dead backend', () => {
  const cluster = useCluster(options);
  const rule = 'webhook-fails-closed-without-backend';
  const webhook = (failurePolicy: string) => webhookWith(cluster().ca, failurePolicy);

  /** What the check finds with the cluster itself as evidence. A snapshot and what kubectl prints must say the same. */
  async function findings(): Promise<{ readonly code: number | null; readonly found: readonly Finding[] }> {
    const sides = { before: { 'webhook.yaml': webhook('Ignore') }, after: { 'webhook.yaml': webhook('Fail') } };
    const kubeconfig = ['--kubeconfig', cluster().kubeconfigFor('admin')];
    const check = async (...evidence: readonly string[]) => {
      const { code, report } = await checkSides(cluster().folder, sides, ...evidence);
      return { code, found: report.findings.filter((finding) => finding.ruleId === rule) };
    };
    const snapshot = join(cluster().folder, 'snapshot.yaml');
    expect(await gate(['snapshot', '-q', '-o', snapshot, ...kubeconfig])).toMatchObject({ code: 0, stderr: '' });

    const kinds = 'services,endpointslices,deployments,pods,validatingwebhookconfigurations';
    const printed = join(cluster().folder, 'printed.yaml');
    const listed = await cluster().kubectl(['get', kinds, '--all-namespaces', '-o', 'yaml']);
    expect(listed.stderr).toBe('');
    writeFileSync(printed, listed.stdout);

    const live = await check('--live', ...kubeconfig);
    expect(await check('--snapshot', snapshot)).toEqual(live);
    // It does not show whether a kind without objects was asked for, so it proves less.
    const { found } = await check('--snapshot', printed);
    expect(found.map(({ message }) => message)).toEqual(live.found.map(({ message }) => message));
    return live;
  }

  async function slices(): Promise<readonly TestObject[]> {
    return (await cluster().request('GET', '/apis/discovery.k8s.io/v1/namespaces/policy/endpointslices')).body.items;
  }

  test('is flagged before it is applied; applying it breaks the creation of pods, removing it heals', async () => {
    await cluster().apply(backend);
    await cluster().apply(webhook('Ignore'));
    await expect.poll(async () => (await slices()).length, { timeout: 20_000 }).toBe(1);
    await cluster().create(pod('before'));

    const { code, found } = await findings();
    expect(found).toMatchObject([
      { severity: 'critical', confidence: 'proven', path: '/webhooks/pods.validator.example.org/failurePolicy' },
    ]);
    expect(code).toBe(1);

    await cluster().apply(webhook('Fail'));
    // The server learns of a changed configuration by its own watch.
    const refusal =
      /failed calling webhook "pods.validator.example.org".*no endpoints available for service "validator"/;
    await expect
      .poll(
        async () => {
          const answer = await cluster().request('POST', '/api/v1/namespaces/default/pods?dryRun=All', pod('probe'));
          return `${answer.status} ${String(answer.body.message)}`;
        },
        { timeout: 20_000, interval: 100 },
      )
      .toMatch(/^500 /);
    await expect(cluster().create(pod('during'))).rejects.toThrow(refusal);

    await cluster().remove(webhook('Fail'));
    await expect
      .poll(
        () =>
          cluster()
            .create(pod('after'))
            .then(() => 'created', String),
        { timeout: 20_000, interval: 100 },
      )
      .toBe('created');
  });

  test('is not flagged while the backend is ready', async () => {
    // The endpoints of a pod are published only when its node is there.
    await cluster().apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } });
    await cluster().create(backendPod);
    await cluster().setStatus(backendPod, {
      phase: 'Running',
      podIP: '10.1.0.7',
      podIPs: [{ ip: '10.1.0.7' }],
      conditions: [{ type: 'Ready', status: 'True' }],
    });
    await expect
      .poll(async () => (await slices())[0]?.['endpoints']?.[0]?.conditions?.ready, { timeout: 20_000 })
      .toBe(true);
    expect((await findings()).found).toEqual([]);

    // An operator that runs pods without a workload that gate knows.
    await cluster().remove({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'validator', namespace: 'policy' },
    });
    expect((await findings()).found).toEqual([]);
    await cluster().remove(backendPod);
    expect((await findings()).found).toMatchObject([{ severity: 'critical' }]);
  });
});

import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificate } from '../kit/certificates.ts';
import { checkSides } from '../kit/check.ts';
import { hasCluster, useCluster } from '../kit/cluster.ts';

interface Review {
  readonly request: {
    readonly uid: string;
    readonly object: { spec: { template: { spec: { containers: { image: string }[] } } } };
  };
}

const mirror = 'mirror.example.org/proxy';

/** What registry mirrors and mesh injectors do: another image, one more label on the pods, one more container. */
function patchOf({ request }: Review): unknown[] {
  const { containers } = request.object.spec.template.spec;
  const injected = containers.some(({ image }) => image.includes('mesh-proxy'));
  return [
    ...containers.flatMap(({ image }, index) =>
      image.startsWith(mirror)
        ? []
        : [{ op: 'replace', path: `/spec/template/spec/containers/${index}/image`, value: `${mirror}/${image}` }],
    ),
    ...(injected
      ? []
      : [
          { op: 'add', path: '/spec/template/metadata/labels/mesh.example.org~1injected', value: 'yes' },
          {
            op: 'add',
            path: '/spec/template/spec/containers/-',
            value: { name: 'mesh', image: `${mirror}/mesh-proxy:1.0` },
          },
        ]),
  ];
}

const deployment = (name: string, tag: string) => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: default, labels: {app: ${name}}}
spec:
  replicas: 2
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers:
        - name: api
          image: registry.example.org/shop/${name}:${tag}
          resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {memory: 64Mi}}
`;

describe.skipIf(!(await hasCluster()))('a webhook that changes what Git sets', () => {
  const cluster = useCluster();
  const authority = makeCertificate({ commonName: 'Test Authority' });
  const own = makeCertificate({ commonName: 'mutator', issuer: authority, addresses: ['127.0.0.1'] });
  let server: Server;
  let asked = 0;

  beforeAll(async () => {
    server = createServer({ cert: own.cert, key: own.key }, (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        asked += 1;
        const review = JSON.parse(Buffer.concat(parts).toString('utf8')) as Review;
        const patch = Buffer.from(JSON.stringify(patchOf(review))).toString('base64');
        const answer = { uid: review.request.uid, allowed: true, patchType: 'JSONPatch', patch };
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer }));
      });
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    const { port } = server.address() as AddressInfo;
    await cluster().apply(`
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: registry-mirror}
webhooks:
  - name: mirror.example.org
    admissionReviewVersions: [v1]
    sideEffects: None
    clientConfig: {url: 'https://127.0.0.1:${port}/mutate', caBundle: ${Buffer.from(authority.cert).toString('base64')}}
    rules: [{apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}]
`);
    // The API server learns of a new webhook a moment later.
    for (let round = 0; asked === 0 && round < 50; round += 1) {
      await cluster().kubectl(['apply', '--dry-run=server', '-f', '-'], { input: deployment('probe', '1') });
      await new Promise((later) => setTimeout(later, 100));
    }
    if (asked === 0) throw new Error('the API server never asked the webhook');
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test.each([
    ['kubectl apply', [] as string[]],
    ['kubectl apply --server-side', ['--server-side']],
  ])('%s: its image is drift with the name of the webhook, what it adds is none', async (_, flags) => {
    const name = flags.length === 0 ? 'merged' : 'applied';
    const { code } = await cluster().kubectl(['apply', ...flags, '-f', '-'], { input: deployment(name, '1.0') });
    expect(code).toBe(0);

    const sides = { before: { 'app.yaml': deployment(name, '1.0') }, after: { 'app.yaml': deployment(name, '1.1') } };
    const { report } = await checkSides(
      cluster().folder,
      sides,
      '--live',
      '--kubeconfig',
      cluster().kubeconfigFor('admin'),
    );

    expect(report.drift).toHaveLength(1);
    expect(report.drift[0]).toMatchObject({
      ref: { kind: 'Deployment', name },
      mayBe: ['MutatingWebhookConfiguration/registry-mirror'],
      fields: [
        {
          path: '/spec/template/spec/containers/api/image',
          before: `registry.example.org/shop/${name}:1.0`,
          live: `${mirror}/registry.example.org/shop/${name}:1.0`,
        },
      ],
    });
    expect(report.verdict).not.toBe('incomplete');
    // Nobody edited it, so nothing of a person is overwritten.
    expect(report.changes[0]?.fields.map(({ conflict }) => conflict)).toEqual([undefined]);
  });

  test('an edit by hand is told from what the webhook wrote', async () => {
    await cluster().kubectl(['apply', '-f', '-'], { input: deployment('edited', '1.0') });
    await cluster().kubectl(['set', 'image', 'deployment/edited', `api=${mirror}/shop/edited:hotfix`]);
    const sides = {
      before: { 'a.yaml': deployment('edited', '1.0') },
      after: { 'a.yaml': deployment('edited', '1.1') },
    };
    const kubeconfig = cluster().kubeconfigFor('admin');
    const { report } = await checkSides(cluster().folder, sides, '--live', '--kubeconfig', kubeconfig);
    expect(report.changes[0]?.fields[0]).toMatchObject({ conflict: true, by: 'kubectl-set' });
  });
});

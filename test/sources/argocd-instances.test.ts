import { describe, expect, test } from 'vitest';
import type { Target } from '../../src/core/model.ts';
import { discoverArgoCd } from '../../src/sources/argocd.ts';
import { argoContext, sourced, treeOf } from '../kit/sources.ts';

const tree = treeOf({
  'apps/shop/deploy.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop}\n',
  'sets/base/deploy.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: sets}\n',
});

const application = (
  options: { path?: string; destination?: string; namespace?: string; name?: string } = {},
): string =>
  `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: ${options.name ?? 'shop'}, namespace: ${options.namespace ?? 'argocd'}}
spec:
  destination: {${options.destination ?? "server: 'https://kubernetes.default.svc'"}, namespace: shop}
  source: {repoURL: 'https://github.com/acme/deploy', path: ${options.path ?? 'apps/shop'}}
`;

/** A chart or an overlay of Applications, rendered for one environment. */
const parentFor = (environment: string, overrides: Partial<Target> = {}): Target => ({
  id: `helm:environments@${environment}`,
  name: 'environments',
  engine: 'helm',
  environment,
  scope: environment,
  origin: { file: 'environments/Chart.yaml' },
  parents: [],
  sources: [],
  afterRender: {},
  apply: { mode: 'helm', prune: true, automated: 'unknown' },
  inputs: ['environments/'],
  rendersTargets: true,
  ...overrides,
});

const facts = (targets: readonly Target[]) =>
  targets.map((target) => [target.id, target.environment, target.cluster, target.scope]);

async function rendered(
  items: readonly { readonly yaml: string; readonly parent: Target }[],
  more: Parameters<typeof argoContext>[1] = {},
): Promise<readonly Target[]> {
  const objects = items.flatMap(({ yaml, parent }) => sourced(yaml, parent.origin.file, parent));
  return (await discoverArgoCd(objects, argoContext(tree, more))).targets;
}

describe('a chart of Applications, once per environment', () => {
  test('each environment has an Application of its own, in the cluster of its parent', async () => {
    const targets = await rendered([
      { yaml: application(), parent: parentFor('dev') },
      { yaml: application(), parent: parentFor('eu-prod', { environment: 'prod' }) },
    ]);
    expect(facts(targets)).toEqual([
      ['argocd:argocd/shop@dev', 'dev', 'in-cluster', 'dev'],
      ['argocd:argocd/shop@eu-prod', 'prod', 'in-cluster', 'eu-prod'],
    ]);
  });

  test('the id is the same when an environment is added', async () => {
    const dev = { yaml: application(), parent: parentFor('dev') };
    const alone = await rendered([dev]);
    const beside = await rendered([{ yaml: application(), parent: parentFor('aaa') }, dev]);
    expect(alone.map((target) => target.id)).toEqual(['argocd:argocd/shop@dev']);
    expect(beside.map((target) => target.id)).toContain('argocd:argocd/shop@dev');
  });

  test('another destination keeps its own cluster', async () => {
    const targets = await rendered([{ yaml: application({ destination: 'name: edge-1' }), parent: parentFor('prod') }]);
    expect(facts(targets)).toEqual([['argocd:argocd/shop@prod', 'prod', 'edge-1', 'edge-1']]);
  });

  test('what a rendered Application renders in turn stays with the instance', async () => {
    const first = (await rendered([{ yaml: application({ name: 'root' }), parent: parentFor('dev') }]))[0]!;
    const targets = await rendered([{ yaml: application(), parent: first }], { known: [first] });
    expect(facts(targets)).toEqual([['argocd:argocd/shop@dev', 'dev', 'in-cluster', 'dev']]);
    expect(targets[0]?.parents).toEqual(['helm:environments@dev', 'argocd:argocd/root@dev']);
  });

  test('two overlays of one environment give two targets', async () => {
    const overlay = (folder: string): Target =>
      parentFor('production', {
        id: `kustomize:sets/${folder}`,
        name: `sets/${folder}`,
        engine: 'kustomize',
        scope: folder,
        origin: { file: `sets/${folder}/kustomization.yaml` },
      });
    const targets = await rendered([
      { yaml: application(), parent: overlay('production') },
      { yaml: application(), parent: overlay('production-internal') },
    ]);
    expect(facts(targets)).toEqual([
      ['argocd:argocd/shop@production', 'production', 'in-cluster', 'production'],
      ['argocd:argocd/shop@production-internal', 'production', 'in-cluster', 'production-internal'],
    ]);
  });

  test('a cluster below the environment is no part of the id: it counts only beside others', async () => {
    const overlay = parentFor('production', {
      id: 'kustomize:sets/production/eu',
      engine: 'kustomize',
      scope: 'production/eu',
    });
    expect(facts(await rendered([{ yaml: application(), parent: overlay }]))).toEqual([
      ['argocd:argocd/shop@production', 'production', 'in-cluster', 'production/eu'],
    ]);
  });
});

test("Argo CD's own cluster under the name that its Secret gives it", async () => {
  const secret = `apiVersion: v1
kind: Secret
metadata: {name: local, labels: {argocd.argoproj.io/secret-type: cluster}}
stringData: {name: hub, server: 'https://kubernetes.default.svc/'}
`;
  const objects = [
    ...sourced(secret, 'local.yaml'),
    ...sourced(application({ destination: 'name: hub' }), 'environments/Chart.yaml', parentFor('dev')),
    ...sourced(application(), 'environments/Chart.yaml', parentFor('prod')),
  ];
  const { targets } = await discoverArgoCd(objects, argoContext(tree));
  expect(facts(targets)).toEqual([
    ['argocd:argocd/shop@dev', 'dev', 'hub', 'dev'],
    ['argocd:argocd/shop@prod', 'prod', 'hub', 'prod'],
  ]);
});

test('one folder of Applications per environment: the scope tells the instances apart', async () => {
  const objects = ['dev', 'prod'].flatMap((name) => sourced(application(), `clusters/${name}/shop.yaml`));
  const { targets } = await discoverArgoCd(objects, argoContext(tree));
  expect(facts(targets)).toEqual([
    ['argocd:argocd/shop', 'dev', 'in-cluster', 'in-cluster/dev'],
    ['argocd:argocd/shop@clusters/prod', 'prod', 'in-cluster', 'in-cluster/prod'],
  ]);
});

describe('the clusters that an ApplicationSet generates for', () => {
  const local = `apiVersion: v1
kind: Secret
metadata: {name: local, labels: {argocd.argoproj.io/secret-type: cluster, role: member}}
stringData: {name: hub, server: 'https://kubernetes.default.svc'}
`;
  const redacted = local.replace(/^stringData.*$/m, 'data: {name: "redacted:1", server: "redacted:2"}');
  const member = local
    .replace('name: local', 'name: eu-1')
    .replace(/^stringData.*$/m, "stringData: {name: eu-1, server: 'https://eu-1'}");
  const set = `apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: shop, namespace: argocd}
spec:
  generators: [{clusters: {selector: {matchLabels: {role: member}}}}]
  template:
    metadata: {name: 'shop-{{name}}'}
    spec:
      destination: {name: '{{name}}'}
      source: {repoURL: 'https://github.com/acme/deploy', path: apps/shop}
`;
  const expand = async (...secrets: readonly string[]) =>
    discoverArgoCd(
      [...sourced(set, 'sets/shop.yaml'), ...secrets.flatMap((yaml, at) => sourced(yaml, `clusters/${at}.yaml`))],
      argoContext(tree),
    );

  test("are not fully known from the Secret of Argo CD's own cluster", async () => {
    const found = await expand(local);
    expect(found.targets.map((target) => target.name)).toEqual(['shop-hub']);
    expect(found.expansions?.[0]?.complete).toBe(false);
  });

  test('are known from the Secrets of others', async () => {
    const found = await expand(local, member);
    expect(found.targets.map((target) => target.name)).toEqual(['shop-eu-1', 'shop-hub']);
    expect(found.expansions?.[0]?.complete).toBe(true);
  });

  test('a redacted copy of a readable Secret is no gap', async () => {
    const gaps = (found: Awaited<ReturnType<typeof expand>>) => found.notEvaluated.map((note) => note.what);
    expect(gaps(await expand(redacted, local, member))).not.toContain('Argo CD cluster Secret local');
    expect(gaps(await expand(redacted, member))).toContain('Argo CD cluster Secret local');
  });
});

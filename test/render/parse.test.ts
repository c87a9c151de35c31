import { describe, expect, test } from 'vitest';
import { isGateError } from '../../src/core/errors.ts';
import { applyAfterRender } from '../../src/render/after.ts';
import { hooksOfEngine } from '../../src/render/hooks.ts';
import { parseManifests } from '../../src/render/parse.ts';

function failure(text: string, file?: string): { message: string; location: unknown } {
  try {
    parseManifests(text, file === undefined ? {} : { file });
  } catch (error) {
    if (isGateError(error)) return { message: error.message, location: error.location };
    throw error;
  }
  throw new Error('it was read');
}

const object = (kind: string, name: string, more = '', apiVersion = 'v1'): string =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata:\n  name: ${name}\n${more}---\n`;

describe('manifests in a text', () => {
  test('documents, lists and comments', () => {
    const text = `# only a comment\n---\n---\n# Source: shop/templates/a.yaml\n${object('ConfigMap', 'a')}apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata: {name: b}\n- apiVersion: apps/v1\n  kind: Deployment\n  metadata: {name: c, namespace: d}\n---\napiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {name: e}\n`;
    const { manifests } = parseManifests(text, { file: 'x.yaml' });
    expect(manifests.map(({ ref }) => ref)).toEqual([
      { group: '', version: 'v1', kind: 'ConfigMap', name: 'a' },
      { group: '', version: 'v1', kind: 'Service', name: 'b' },
      { group: 'apps', version: 'v1', kind: 'Deployment', name: 'c', namespace: 'd' },
      { group: '', version: 'v1', kind: 'ConfigMap', name: 'e' },
    ]);
    expect(manifests[0]?.provenance).toEqual({ template: 'shop/templates/a.yaml', file: 'x.yaml', line: 5 });
  });

  test('what is no object is an error with its line', () => {
    expect(failure(`${object('Pod', 'a')}\nreplicas: 2\n`, 'a.yaml')).toEqual({
      message: expect.stringContaining('apiVersion is missing'),
      location: { file: 'a.yaml', line: 7 },
    });
    expect(failure('- a\n- b\n', 'a.yaml').message).toContain('a list');
    expect(failure('apiVersion: v1\nmetadata: {}\n', 'a.yaml').message).toContain('kind is missing');
    expect(failure(`${object('Pod', 'a')}a: [1\nb: 2\n`, 'a.yaml')).toEqual({
      message: expect.stringContaining('cannot be read'),
      location: expect.objectContaining({ file: 'a.yaml', line: 7 }),
    });
    expect(failure('# Source: c/templates/x.yaml\na: b: c\n').location).toEqual({ file: 'c/templates/x.yaml' });
    expect(failure('a:\n\t- b\n', 'tabs.yaml').location).toMatchObject({ file: 'tabs.yaml', line: 2 });
  });

  test('duplicate keys are named as findings name them', () => {
    const text =
      'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: web\n    image: one\n    image: two\n';
    const [manifest] = parseManifests(text, { file: 'a.yaml' }).manifests;
    expect(manifest?.duplicateKeys).toEqual([
      { path: '/spec/containers/web/image', key: 'image', lines: [7, 8], location: { file: 'a.yaml', line: 8 } },
    ]);
    expect(manifest?.object['spec']).toEqual({ containers: [{ name: 'web', image: 'two' }] });
  });

  test('the default namespace goes to namespaced objects only', () => {
    const text =
      object('Service', 'a') +
      object('Namespace', 'b') +
      object('ClusterRole', 'c', '', 'rbac.authorization.k8s.io/v1') +
      object('ClusterIssuer', 'd', '', 'cert-manager.io/v1') +
      object('Unknown', 'e', '', 'example.org/v1');
    expect(parseManifests(text, { defaultNamespace: 'x' }).manifests.map(({ ref }) => ref.namespace)).toEqual([
      'x',
      undefined,
      undefined,
      undefined,
      'x',
    ]);
  });

  test('hooks count where the engine runs them', () => {
    const annotated = (annotation: string): string =>
      object('Job', 'a', `  annotations:\n    ${annotation}\n`, 'batch/v1');
    const { manifests } = parseManifests(
      annotated('helm.sh/hook: pre-install, post-upgrade') +
        annotated('argocd.argoproj.io/hook: PreSync') +
        object('Job', 'plain'),
    );
    expect(manifests.map(({ hook }) => hook)).toEqual([['pre-install', 'post-upgrade'], ['PreSync'], undefined]);
    const marks = (engine: Parameters<typeof hooksOfEngine>[1], type: string) =>
      hooksOfEngine(manifests, engine, type).map(({ hook }) => hook?.length ?? 0);
    expect(marks('argocd', 'manifests')).toEqual([2, 1, 0]);
    expect(marks('helm', 'helm')).toEqual([2, 0, 0]);
    expect(marks('flux', 'helm')).toEqual([2, 0, 0]);
    expect(marks('flux', 'kustomize')).toEqual([0, 0, 0]);
  });

  test('equal documents are read once', () => {
    const memo = new Map();
    const text = object('ConfigMap', 'a');
    const [one] = parseManifests(`---\n${text}`, { memo }).manifests;
    const [two] = parseManifests(`${object('Pod', 'b')}${text}`, { memo }).manifests.slice(1);
    expect(two).toBe(one);
  });
});

describe('what engines do after rendering', () => {
  const crd = `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.org}\nspec: {group: example.org, scope: Cluster, names: {kind: Thing}}\n---\n`;

  test('scopes come from the definitions in the render', () => {
    const { manifests } = parseManifests(
      crd + object('Thing', 'a', '', 'example.org/v1') + object('Other', 'b', '', 'example.org/v1'),
    );
    const result = applyAfterRender(manifests, { defaultNamespace: 'x' }, 'argocd').manifests;
    expect(result.map(({ ref }) => ref.namespace)).toEqual([undefined, undefined, 'x']);
  });

  test('Argo CD drops namespaces of cluster-scoped objects and keeps the last of equal ones', () => {
    const { manifests } = parseManifests(
      object('Namespace', 'n', '  namespace: wrong\n') +
        object('ConfigMap', 'a', 'data: {v: "1"}\n') +
        object('ConfigMap', 'a', 'data: {v: "2"}\n'),
    );
    const argocd = applyAfterRender(manifests, { defaultNamespace: 'x' }, 'argocd');
    expect(argocd.manifests.map(({ object: { metadata } }) => metadata.namespace)).toEqual([undefined, 'x']);
    expect(argocd.manifests[1]?.object['data']).toEqual({ v: '2' });
    expect(argocd.warnings).toEqual(['ConfigMap/x/a is rendered 2 times; Argo CD applies the last one']);
    expect(applyAfterRender(manifests, {}, 'helm').manifests).toHaveLength(3);
    expect(applyAfterRender(manifests, {}, 'helm').manifests[0]?.ref).not.toHaveProperty('namespace');
  });

  test('common metadata overrides, a created namespace is added once', () => {
    const { manifests } = parseManifests(object('ConfigMap', 'a', '  labels: {team: old, keep: "1"}\n'));
    const after = {
      commonMetadata: { labels: { team: 'new' }, annotations: { a: 'b' } },
      createNamespace: { name: 'ns', labels: { x: 'y' } },
    };
    const result = applyAfterRender(manifests, after, 'flux').manifests;
    expect(result[0]?.object.metadata).toMatchObject({ labels: { team: 'new', keep: '1' }, annotations: { a: 'b' } });
    expect(result[1]?.object).toEqual({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'ns', labels: { x: 'y' } },
    });
    expect(applyAfterRender(result, after, 'flux').manifests).toHaveLength(2);
    expect(manifests[0]?.object.metadata.labels).toEqual({ team: 'old', keep: '1' });
  });
});

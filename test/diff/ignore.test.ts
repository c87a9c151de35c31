import { describe, expect, test } from 'vitest';
import type { JsonObject, KubeObject, Target } from '../../src/core/model.ts';
import { argoSettings } from '../../src/diff/ignore/argocd-settings.ts';
import { matchesGlob } from '../../src/diff/ignore/glob.ts';
import { meansTheSame } from '../../src/diff/loose-equal.ts';
import { compileRegex } from '../../src/diff/regex.ts';
import { matchesSelectorText } from '../../src/diff/selectors.ts';
import { diffYaml, target } from './sides.ts';

const git = `apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop, labels: {app: api, tier: web}, annotations: {mode: manual}}
spec:
  replicas: 2
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: app, image: "shop/api:1"}]}
`;
const live = git.replace('replicas: 2', 'replicas: 5').replace('shop/api:1', 'shop/api:2');
const [replicas, image] = ['/spec/replicas', '/spec/template/spec/containers/app/image'];

function drifted(fields: Partial<Target>, more = '', cluster = live): readonly (readonly string[] | number)[] {
  const result = diffYaml(git, git, cluster + more, target('shop', fields));
  return [result.drift.flatMap((entry) => entry.fields.map(({ path }) => path)), result.notes.length];
}

function withRules(...ignoreDifferences: readonly JsonObject[]): Partial<Target> {
  return { apply: { mode: 'client-side', prune: true, automated: true, ignoreDifferences } };
}

describe('rules of Flux', () => {
  const flux = (targetRule: JsonObject | undefined, ...paths: readonly string[]): Partial<Target> => ({
    engine: 'flux',
    ...withRules({ paths: [...paths], ...(targetRule === undefined ? {} : { target: targetRule }) }),
  });
  test.each<[string, Partial<Target>, readonly string[], number]>([
    ['a path of all objects', flux(undefined, '/spec/replicas'), [image], 0],
    ['the whole object', flux(undefined, ''), [], 0],
    ['a kind', flux({ kind: 'Deployment' }, '/spec'), [], 0],
    ['an anchored expression', flux({ kind: 'Deploy' }, '/spec'), [replicas, image], 0],
    ['an expression', flux({ kind: '(Deployment|StatefulSet)', name: 'a.*', group: 'apps' }, '/spec'), [], 0],
    ['another namespace', flux({ namespace: 'other' }, '/spec'), [replicas, image], 0],
    ['a label selector', flux({ labelSelector: 'app=api,tier in (web, worker),!old' }, '/spec/replicas'), [image], 0],
    [
      'a label selector that does not match',
      flux({ labelSelector: 'tier notin (web)' }, '/spec'),
      [replicas, image],
      0,
    ],
    ['an annotation selector', flux({ annotationSelector: 'mode' }, '/spec'), [], 0],
    ['what is not understood', flux({ name: '(?=a)' }, '/spec'), [replicas, image], 1],
  ])('%s', (_name, fields, paths, notes) => {
    expect(drifted(fields)).toEqual([paths, notes]);
  });
  test.each([
    ['kustomize.toolkit.fluxcd.io/ssa: Ignore', 0],
    ['kustomize.toolkit.fluxcd.io/ssa: IfNotPresent', 0],
    ['kustomize.toolkit.fluxcd.io/ssa: Merge', 2],
    ['kustomize.toolkit.fluxcd.io/reconcile: disabled', 0],
    ['helm.toolkit.fluxcd.io/driftDetection: disabled', 0],
    ['kustomize.toolkit.fluxcd.io/prune: disabled', 2],
  ])('an object with %s', (annotation, fields) => {
    const mark = (yaml: string) => yaml.replace('mode: manual', `mode: manual, ${annotation}`);
    const result = diffYaml(mark(git), mark(git), mark(live), target('shop', { engine: 'flux' }));
    expect(result.drift.flatMap((entry) => entry.fields)).toHaveLength(fields);
  });
  test('an object that is created once is drift only when it is gone', () => {
    const marked = git.replace('mode: manual', 'kustomize.toolkit.fluxcd.io/ssa: IfNotPresent');
    expect(diffYaml(marked, marked, '', target('shop', { engine: 'flux' })).drift).toMatchObject([{ kind: 'missing' }]);
    const left = git.replace('mode: manual', 'kustomize.toolkit.fluxcd.io/ssa: Ignore');
    expect(diffYaml(left, left, '', target('shop', { engine: 'flux' })).drift).toEqual([]);
  });
});

describe('settings of Argo CD', () => {
  const settings = (data: string) => `---
apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-cm, namespace: argocd}
data:
${data}
`;
  test.each([
    [
      'of a kind',
      '  resource.customizations.ignoreDifferences.apps_Deployment: |\n    jsonPointers: [/spec/replicas]',
      [image],
      0,
    ],
    [
      'of all kinds',
      '  resource.customizations.ignoreDifferences.all: |\n    jqPathExpressions: [".spec.template.spec.containers[].image"]',
      [replicas],
      0,
    ],
    [
      'of another kind',
      '  resource.customizations.ignoreDifferences.apps_StatefulSet: |\n    jsonPointers: [/spec]',
      [replicas, image],
      0,
    ],
    [
      'of a kind of the core group',
      '  resource.customizations.ignoreDifferences.Deployment: |\n    jsonPointers: [/spec]',
      [replicas, image],
      0,
    ],
    [
      'in the old map',
      '  resource.customizations: |\n    apps/*:\n      ignoreDifferences: |\n        jsonPointers: [/spec/replicas]',
      [image],
      0,
    ],
    ['that are no YAML', '  resource.customizations.ignoreDifferences.all: "a: [b"', [replicas, image], 1],
  ])('%s', (_name, data, paths, notes) => {
    expect(drifted({}, settings(data))).toEqual([paths, notes]);
    // Only Argo CD reads them.
    expect(drifted({ engine: 'flux' }, settings(data))).toEqual([[replicas, image], 0]);
  });
  test('compare options and known types', () => {
    const read = (data: Record<string, string>) =>
      argoSettings({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'argocd-cm' }, data } as KubeObject);
    expect(read({}).ignoreStatus).toBe('all');
    expect(read({ 'resource.compareoptions': 'ignoreResourceStatusField: crd' }).ignoreStatus).toBe('crd');
    expect(read({ 'resource.compareoptions': 'ignoreResourceStatusField: off' }).ignoreStatus).toBe('none');
    const known = '- {field: spec.template.spec, type: core/v1/PodSpec}';
    expect([...read({ 'resource.customizations.knownTypeFields.example.org_Job': known }).knownTypes]).toEqual([
      ['example.org/Job', [['spec', 'template', 'spec']]],
    ]);
    expect(
      read({ 'resource.customizations.__proto__.x': '{}', 'resource.customizations': '__proto__: {a: 1}' }).ignore,
    ).toEqual([]);
  });
});

describe('managers that the target accepts', () => {
  const rule = withRules({ group: 'apps', kind: 'Deployment', managedFieldsManagers: ['rollout-bot'] });
  const managed = live.replace(
    'annotations: {mode: manual}',
    'annotations: {mode: manual}, managedFields: [{manager: rollout-bot, operation: Update, fieldsV1: {"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\\"name\\":\\"app\\"}": {"f:image": {}}}}}}}}]',
  );
  test('their fields are no drift', () => {
    expect(drifted(rule, '', managed)).toEqual([[replicas], 0]);
  });
  test('without managed fields nothing is claimed', () => {
    expect(drifted(rule)).toEqual([[], 1]);
  });
});

describe('what is not drift, and what may be', () => {
  const scaler = `---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api, namespace: shop}
spec: {maxReplicas: 9, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}}
`;
  test('replicas of a scaled workload', () => {
    expect(drifted({}, scaler)).toEqual([[image], 1]);
  });
  test('a mutating webhook that sees the object is named, one of another namespace is not', () => {
    const hook = (name: string, resources: string, labels: string) => `---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: ${name}}
webhooks: [{name: a.example.org, namespaceSelector: {matchLabels: {${labels}}}, rules: [{apiGroups: ["*"], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [${resources}]}]}]
`;
    const home = '---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {mirror: "on"}}\n';
    const hooks =
      hook('mirror', 'deployments', 'mirror: "on"') +
      hook('pods', 'pods', 'mirror: "on"') +
      hook('off', '"*"', 'mirror: "off"');
    expect(diffYaml(git, git, live + home + hooks).drift[0]?.mayBe).toEqual(['MutatingWebhookConfiguration/mirror']);
  });
  test.each([
    [
      'values encrypted in Git',
      'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: "redacted:sops"}\n',
      'redacted:sops',
      'redacted:aaaaaaaaaaaa',
    ],
    [
      'an allocated address',
      'apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {clusterIP: "", ports: [{port: 1}]}\n',
      '""',
      '10.0.0.1',
    ],
    [
      'a CA bundle that a controller fills in',
      'apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {name: s}\nwebhooks: [{name: a.b.c, clientConfig: {url: "https://x", caBundle: Cg==}}]\n',
      'Cg==',
      'TUlJQ2Zha2U=',
    ],
    [
      'a duration of a custom resource',
      'apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: s}\nspec: {duration: 2160h}\n',
      '2160h',
      '2160h0m0s',
    ],
    [
      'an empty list',
      'apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {externalIPs: [], ports: [{port: 1}]}\n',
      'externalIPs: []',
      'externalIPs: [1.2.3.4]',
    ],
  ])('%s', (_name, yaml, from, to) => {
    const inCluster = yaml
      .replace('{name: s}', /ValidatingWebhook/.test(yaml) ? '{name: s}' : '{name: s, namespace: shop}')
      .replace(from, to);
    expect(inCluster).toContain(to);
    expect(diffYaml(yaml, yaml, inCluster).drift).toEqual([]);
  });
  test('secret values of another fingerprint key are not compared, their keys are', () => {
    const secret = (data: Record<string, string>): KubeObject =>
      ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'shop' }, data }) as KubeObject;
    const before = JSON.stringify(secret({ a: 'redacted:aaaaaaaaaaaa', b: 'redacted:aaaaaaaaaaaa' }));
    const inCluster = JSON.stringify(secret({ a: 'redacted:bbbbbbbbbbbb' }));
    const result = diffYaml(before, before, inCluster, undefined, { secretsComparable: false });
    expect(result.drift.flatMap(({ fields }) => fields.map(({ path }) => path))).toEqual(['/data/b']);
    expect(result.notes.map(({ next }) => next)).toEqual(['Set GATE_FINGERPRINT_KEY to the same text in both places.']);
  });
  test.each([
    ['v1.31.4', 0],
    ['v1.34.3', 0],
    ['v1.36.0', 1],
    [undefined, 0],
  ])('a field that a server %s does not store', (kubernetesVersion, fields) => {
    const yaml = git.replace('spec: {containers', 'spec: {hostnameOverride: a, containers');
    const result = diffYaml(yaml, yaml, git, undefined, kubernetesVersion === undefined ? {} : { kubernetesVersion });
    expect(result.drift.flatMap((entry) => entry.fields)).toHaveLength(fields);
  });
  test('an object is missing only where its kind was read', () => {
    expect(diffYaml(git, git, '').drift).toMatchObject([{ kind: 'missing', ref: { name: 'api' } }]);
    expect(diffYaml(git, git, '', undefined, { covers: () => false }).drift).toEqual([]);
    const job =
      'apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nspec: {ttlSecondsAfterFinished: 5, template: {spec: {containers: []}}}\n';
    expect(diffYaml(job, job, '').drift).toEqual([]);
  });
});

describe('small matchers', () => {
  test.each([
    ['*', 'apps', true],
    ['', '', true],
    ['', 'apps', false],
    ['*.example.org', 'a.example.org', true],
    ['{apps,batch}', 'batch', true],
    ['Stateful?et', 'StatefulSet', true],
    ['[A-D]*', 'Deployment', true],
    ['[!A-D]*', 'Deployment', false],
    [`${'*a'.repeat(2000)}`, 'a'.repeat(1999), false],
  ])('glob %s on %s', (pattern, text, expected) => {
    expect(matchesGlob(pattern, text)).toBe(expected);
  });
  test.each([
    ['720h', '720h0m0s', true],
    ['60s', '1m', true],
    ['60s', '2m', false],
    ['0.5', '500m', true],
    [1, '1', true],
    ['1.1', '1.10', false],
    ['2026-01-01T00:00:00Z', '2026-01-01T01:00:00+01:00', true],
    [true, 'true', false],
    ['1Gi', 1073741824, true],
  ])('%s and %s', (left, right, expected) => {
    expect(meansTheSame(left, right)).toBe(expected);
  });
  test.each([
    ['app=api', true],
    ['app == api, tier', true],
    ['app!=api', false],
    ['missing!=x', true],
    ['!app', false],
    ['app in (api, web),tier notin (db)', true],
    ['app > 1', undefined],
  ])('selector %s', (selector, expected) => {
    expect(matchesSelectorText(selector, { app: 'api', tier: 'web' })).toBe(expected);
  });
  test('regular expressions match as those of JavaScript do', () => {
    const sources = [
      'a*b',
      '(a|b)+c',
      '^(istio|linkerd)-proxy$',
      '[a-c]{2,3}',
      'x?y',
      '\\d+\\.\\d',
      '^$',
      '',
      '(?:ab)*$',
      '[^-a]b',
      '\\bfoo\\b',
      '(a|)b',
      '[\\w.-]+',
      'a{2}',
    ];
    const texts = [
      '',
      'a',
      'b',
      'aab',
      'abc',
      'istio-proxy',
      'linkerd-proxy',
      'xy',
      '1.2',
      'foo bar',
      'afoo',
      '-b',
      'cc',
    ];
    for (const source of sources) {
      for (const text of texts) {
        expect([source, text, compileRegex(source)?.(text)]).toEqual([source, text, new RegExp(source).test(text)]);
        expect([source, text, compileRegex(source, { anchored: true })?.(text)]).toEqual([
          source,
          text,
          new RegExp(`^(?:${source})$`).test(text),
        ]);
      }
    }
  });
});

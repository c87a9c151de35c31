import { expect, test } from 'vitest';
import { parseManifests } from '../../../src/render/parse.ts';
import { diffSides } from '../../../src/diff/diff.ts';
import { viewOf } from '../../../src/rules/kit/cluster-view.ts';
import { backendOf } from '../../../src/rules/kit/services.ts';
import { buildLiveWorld, buildWorld } from '../../../src/rules/kit/world.ts';
import type { KubeObject, Target } from '../../../src/core/model.ts';
import type { RuleContext } from '../../../src/core/rule.ts';

const service = (namespace: string) => `---
apiVersion: v1
kind: Service
metadata: {name: hook${namespace}}
spec: {selector: {app: hook}, ports: [{port: 443}]}
`;
const deployment = (namespace: string) => `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: hook${namespace}}
spec:
  replicas: 2
  selector: {matchLabels: {app: hook}}
  template:
    metadata: {labels: {app: hook}}
    spec: {containers: [{name: hook, image: 'hook:1.0.0'}]}
`;

function contextOf(
  before: string,
  after: string,
  apply: Partial<Target['apply']> = {},
  live: readonly KubeObject[] = [],
): RuleContext {
  const target: Target = {
    id: 'helm:hook',
    name: 'hook',
    engine: 'argocd',
    scope: 'eu-1',
    origin: { file: 'apps/hook.yaml' },
    parents: [],
    sources: [],
    afterRender: {},
    apply: { mode: 'client-side', prune: true, automated: true, ...apply },
    inputs: [],
    rendersTargets: false,
  };
  const side = (text: string) => [
    { ok: true as const, target, manifests: parseManifests(text).manifests, warnings: [] },
  ];
  const diff = diffSides({ before: side(before), after: side(after) });
  const kinds = new Set(
    live.map((object) => `${object.apiVersion.includes('/') ? object.apiVersion.split('/')[0] : ''}/${object.kind}`),
  );
  return {
    options: {},
    changes: diff.changes,
    before: buildWorld(diff.entries.before, []),
    after: buildWorld(diff.entries.after, []),
    dryRun: () => undefined,
    live: () =>
      live.length === 0
        ? undefined
        : buildLiveWorld({
            name: 'eu-1',
            objects: live,
            metrics: [],
            pods: [],
            helmReleases: [],
            services: [],
            unread: [],
            kinds,
          }),
    targets: { before: new Map([[target.id, target]]), after: new Map([[target.id, target]]) },
    renderProblems: [],
    yaml: [],
    buildFiles: { before: [], after: [] },
    changedPaths: new Set(),
    kubernetesVersion: () => undefined,
    isProduction: () => true,
    notEvaluated: [],
  };
}

const address = { namespace: 'default', name: 'hook', port: 443 };
const inPlatform = ', namespace: platform';
const both = (namespace: string) => service(namespace) + deployment(namespace);

test('objects of a chart that names no namespace are found in default', () => {
  const context = contextOf('', both(''));
  expect(backendOf(viewOf(context, 'after', 'eu-1'), address)).toMatchObject({ status: 'answers', pods: 2 });
});

test('a removed workload takes the backend away, with the reason', () => {
  const context = contextOf(both(''), service(''));
  expect(backendOf(viewOf(context, 'before', 'eu-1'), address).status).toBe('answers');
  expect(backendOf(viewOf(context, 'after', 'eu-1'), address)).toMatchObject({
    status: 'broken',
    fault: 'pods-removed',
  });
});

test('without prune it stays', () => {
  const context = contextOf(both(''), service(''), { prune: false });
  expect(backendOf(viewOf(context, 'after', 'eu-1'), address).status).toBe('answers');
});

test('live objects that Git does not manage count on both sides', () => {
  const live = parseManifests(both(inPlatform)).manifests.map((manifest) => manifest.object);
  const context = contextOf('', '', {}, live);
  expect(backendOf(viewOf(context, 'after', 'eu-1'), { ...address, namespace: 'platform' })).toMatchObject({
    status: 'answers',
    pods: 2,
  });
});

test('a live object that this change prunes does not', () => {
  const live = parseManifests(both(inPlatform)).manifests.map((manifest) => manifest.object);
  const context = contextOf(both(inPlatform), service(inPlatform), {}, live);
  expect(backendOf(viewOf(context, 'after', 'eu-1'), { ...address, namespace: 'platform' })).toMatchObject({
    status: 'broken',
    fault: 'pods-removed',
  });
});

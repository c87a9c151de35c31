import { describe, expect, test, vi } from 'vitest';
import { checkSides } from '../kit/check.ts';
import { hasCluster, useCluster } from '../kit/cluster.ts';

const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: pipelines.build.example.org}
spec:
  group: build.example.org
  scope: Namespaced
  names: {kind: Pipeline, plural: pipelines}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                retries: {type: integer, default: 3}
                steps:
                  type: array
                  x-kubernetes-list-type: map
                  x-kubernetes-list-map-keys: [name]
                  items:
                    type: object
                    required: [name]
                    properties: {name: {type: string}, run: {type: string}}
`;
const pipeline = (steps: string, more = '') => `
apiVersion: build.example.org/v1
kind: Pipeline
metadata: {name: release, namespace: default}
spec: {${more}steps: [${steps}]}
`;
const build = '{name: build, run: make}';
const publish = (run: string) => `{name: publish, run: ${run}}`;

describe.skipIf(!(await hasCluster()))('custom resources of an identity that may not list CRDs', () => {
  const cluster = useCluster({ users: { reader: [] } });

  test('are compared by the list keys and defaults of the OpenAPI document', async () => {
    await cluster().apply(definition);
    // The API server publishes the schema of a new kind a moment after it serves it.
    await vi.waitFor(
      async () => {
        const { status } = await cluster().request('GET', '/openapi/v3/apis/build.example.org/v1');
        expect(status).toBe(200);
      },
      { timeout: 20_000, interval: 200 },
    );
    await cluster().apply(pipeline(`${publish('push')}, ${build}`));
    await cluster().apply(`
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules: [{apiGroups: [build.example.org], resources: [pipelines], verbs: [list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: reader}]
`);
    const sides = {
      before: { 'pipeline.yaml': pipeline(`${build}, ${publish('push')}`, 'retries: 3, ') },
      after: { 'pipeline.yaml': pipeline(`${build}, ${publish('push --tags')}`, 'retries: 3, ') },
    };
    const kubeconfig = cluster().kubeconfigFor('reader');
    const { report } = await checkSides(cluster().folder, sides, '--live', '--kubeconfig', kubeconfig);
    const { status } = await cluster().request(
      'GET',
      '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
      undefined,
      { user: 'reader' },
    );
    expect(status).toBe(403);
    expect(report.changes[0]?.fields.map(({ path, live }) => ({ path, live }))).toEqual([
      { path: '/spec/steps/publish/run', live: 'push' },
    ]);
    expect(report.drift).toEqual([]);
  });
});

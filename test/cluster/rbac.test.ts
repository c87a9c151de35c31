import { expect, test } from 'vitest';
import { readDocument, splitDocuments } from '../../src/core/yaml/read.ts';
import type { JsonObject } from '../../src/core/model.ts';
import { roleDocuments, type RoleRequest } from '../../src/cluster/rbac.ts';
import { knownResource } from '../../src/cluster/reading/resources.ts';
import { snapshotKinds } from '../../src/cluster/snapshot/snapshot-kinds.ts';
import { rules } from '../../src/rules/index.generated.ts';

const request: RoleRequest = {
  name: 'gate',
  about: [],
  reads: [
    { kind: '/Node' },
    { kind: 'apps/Deployment' },
    { kind: '/Secret', namespaces: ['billing', 'shop'] },
    { kind: 'networking.k8s.io/Ingress', namespaces: ['shop'] },
  ],
  resourceOf: knownResource,
};

interface Document {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules?: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
  }[];
  readonly roleRef?: JsonObject;
  readonly subjects?: readonly JsonObject[];
}

function documents(part: Partial<RoleRequest>): Document[] {
  return splitDocuments(roleDocuments({ ...request, ...part }).text)
    .map((text) => readDocument(text).value)
    .filter((value) => value !== null) as unknown as Document[];
}

/** `ClusterRole`, `Role shop` to `verb group/resource`. */
function grants(part: Partial<RoleRequest> = {}): Record<string, string[]> {
  const roles = documents(part).filter(({ rules }) => rules !== undefined);
  return Object.fromEntries(
    roles.map(({ kind, metadata, rules = [] }) => [
      [kind, metadata.namespace].filter(Boolean).join(' '),
      rules.flatMap(({ apiGroups: [group], resources, verbs }) =>
        resources.map((resource) => `${verbs.join(',')} ${group}/${resource}`),
      ),
    ]),
  );
}

test('what is read everywhere is a ClusterRole, what is read in some namespaces a Role in each of them', () => {
  expect(grants()).toEqual({
    ClusterRole: ['list /nodes', 'list apps/deployments'],
    'Role billing': ['list /secrets'],
    'Role shop': ['list /secrets', 'list networking.k8s.io/ingresses'],
  });
});

test('pods come with the owners by which they are counted, Helm releases with the Secrets and ConfigMaps that hold them', () => {
  const reads = [{ kind: '/Pod' }, { kind: 'helm/Release', namespaces: ['shop'] }];
  expect(grants({ reads })).toEqual({
    ClusterRole: ['list /pods', 'list apps/replicasets', 'list batch/jobs'],
    'Role shop': ['list /configmaps', 'list /secrets'],
  });
});

test('chosen namespaces: no kind of a namespace is granted in the whole cluster', () => {
  expect(grants({ namespaces: ['shop'] })).toEqual({
    ClusterRole: ['list /nodes'],
    'Role shop': ['list /secrets', 'list apps/deployments', 'list networking.k8s.io/ingresses'],
  });
});

test('a dry run adds the verbs of the real request, in the namespaces of the objects', () => {
  const part = { writes: [{ kind: 'apps/Deployment', namespaces: ['shop'] }], podNamespaces: ['shop'] };
  const found = grants(part);
  expect(found['Role shop']).toContain('create,get,patch,update apps/deployments');
  expect(found['Role shop']).toContain('create /pods');
  expect(found['ClusterRole']).toEqual(['list /nodes', 'list apps/deployments']);
  expect(roleDocuments({ ...request, ...part }).text).toContain('# A dry run is authorised like the real request');
  expect(roleDocuments(request).text).not.toContain('dry run');
});

test('what the ClusterRole grants is in no Role again', () => {
  const reads = [{ kind: '/Service' }, { kind: '/Service', namespaces: ['shop'] }];
  expect(grants({ reads })).toEqual({ ClusterRole: ['list /services'] });
});

test('a ServiceAccount and one binding per role, on demand', () => {
  const all = documents({ bind: { namespace: 'gate', name: 'reader' } });
  expect(all.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`)).toEqual([
    'ServiceAccount gate/reader',
    'ClusterRole /gate',
    'ClusterRoleBinding /gate',
    'Role billing/gate',
    'RoleBinding billing/gate',
    'Role shop/gate',
    'RoleBinding shop/gate',
  ]);
  for (const { subjects, roleRef } of all.filter(({ kind }) => kind.endsWith('Binding'))) {
    expect(subjects).toEqual([{ kind: 'ServiceAccount', name: 'reader', namespace: 'gate' }]);
    expect(roleRef?.['name']).toBe('gate');
  }
});

test('a kind whose plural is not known is named, not guessed', () => {
  const reads = [{ kind: '/Node' }, { kind: 'shop.example/Basket\n- apiGroups: ["*"]' }];
  const { text, unknown } = roleDocuments({ ...request, reads });
  expect(unknown).toHaveLength(1);
  expect(text).toContain('# Not granted, because its plural is not known: shop.example/Basket');
  expect(grants({ reads })).toEqual({ ClusterRole: ['list /nodes'] });
});

test('names that YAML would read as something else stay text', () => {
  expect(documents({ name: '123', namespaces: ['true', 'null'] }).map(({ metadata }) => metadata)).toEqual([
    { name: '123' },
    { name: '123', namespace: 'null' },
    { name: '123', namespace: 'true' },
  ]);
});

test('the order of the kinds does not matter', () => {
  const reads = request.reads.toReversed();
  expect(roleDocuments({ ...request, reads }).text).toBe(roleDocuments(request).text);
});

test('every kind that rules and snapshots read by default has a plural', () => {
  const kinds = new Set([...snapshotKinds, ...rules.flatMap((rule) => rule.live)]);
  kinds.delete('helm/Release');
  expect([...kinds].filter((kind) => knownResource(kind) === undefined)).toEqual([]);
});

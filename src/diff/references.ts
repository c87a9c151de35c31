import type { Entry } from '../core/model.ts';
import { type Fields, isFields, own } from './defaults/fill.ts';

/** A core object of the same namespace that pods cannot start or run without. */
export interface PodReference {
  readonly kind: 'ConfigMap' | 'Secret' | 'ServiceAccount' | 'PersistentVolumeClaim';
  readonly name: string;
  readonly optional: boolean;
}

/** Where the pod spec stands in each kind. */
const podSpecPaths: Readonly<Record<string, readonly string[]>> = {
  '/Pod': ['spec'],
  'batch/CronJob': ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
};
const templatePath = ['spec', 'template', 'spec'];
const templateKinds = new Set([
  'apps/Deployment',
  'apps/StatefulSet',
  'apps/DaemonSet',
  'apps/ReplicaSet',
  'batch/Job',
  '/ReplicationController',
  'argoproj.io/Rollout',
  'apps.kruise.io/CloneSet',
  'apps.kruise.io/StatefulSet',
  'apps.kruise.io/DaemonSet',
]);

/** The pod spec of a workload, with defaults; undefined for other kinds. */
export function podSpecOf(entry: Entry): Fields | undefined {
  const kind = `${entry.ref.group}/${entry.ref.kind}`;
  const path = podSpecPaths[kind] ?? (templateKinds.has(kind) ? templatePath : undefined);
  if (path === undefined) return undefined;
  let value: unknown = entry.effective;
  for (const name of path) value = isFields(value) ? own(value, name) : undefined;
  return isFields(value) ? value : undefined;
}

/** The objects that a pod spec names. Optional references are among them. */
export function podReferences(spec: Fields): readonly PodReference[] {
  const found: PodReference[] = [];
  const add = (kind: PodReference['kind'], holder: unknown, key = 'name'): void => {
    const name = isFields(holder) ? own(holder, key) : undefined;
    if (typeof name === 'string' && name !== '') {
      found.push({ kind, name, optional: isFields(holder) && own(holder, 'optional') === true });
    }
  };
  for (const volume of mappings(spec, 'volumes')) {
    add('ConfigMap', own(volume, 'configMap'));
    add('Secret', own(volume, 'secret'), 'secretName');
    add('PersistentVolumeClaim', own(volume, 'persistentVolumeClaim'), 'claimName');
    const projected = own(volume, 'projected');
    for (const source of isFields(projected) ? mappings(projected, 'sources') : []) {
      add('ConfigMap', own(source, 'configMap'));
      add('Secret', own(source, 'secret'));
    }
  }
  for (const list of ['initContainers', 'containers', 'ephemeralContainers']) {
    for (const container of mappings(spec, list)) {
      for (const from of mappings(container, 'envFrom')) {
        add('ConfigMap', own(from, 'configMapRef'));
        add('Secret', own(from, 'secretRef'));
      }
      for (const variable of mappings(container, 'env')) {
        const source = own(variable, 'valueFrom');
        if (!isFields(source)) continue;
        add('ConfigMap', own(source, 'configMapKeyRef'));
        add('Secret', own(source, 'secretKeyRef'));
      }
    }
  }
  for (const secret of mappings(spec, 'imagePullSecrets')) add('Secret', secret);
  add('ServiceAccount', spec, 'serviceAccountName');
  return found;
}

function mappings(object: Fields, key: string): readonly Fields[] {
  const list = own(object, key);
  return Array.isArray(list) ? list.filter(isFields) : [];
}

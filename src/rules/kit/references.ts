import type { KubeObject } from '../../core/model.ts';
import type { PodTemplate } from './pods.ts';
import { at, containersOf, listAt, podTemplate, stringAt } from './pods.ts';
import { escapePointer, groupOf } from '../../core/json.ts';

/** How a pod or object uses what it names; decides what happens when it is not there (rules.md 0.2). */
export type ReferenceUse =
  | 'env'
  | 'envFrom'
  | 'volume'
  | 'subPath'
  | 'claim'
  | 'serviceAccount'
  | 'imagePullSecret'
  | 'tls'
  | 'issuer';

/** One object that another object names, always in the same namespace unless `namespace` says otherwise. */
export interface Reference {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  /** Set when the reference leaves the namespace of its owner; null for cluster-scoped objects. */
  readonly namespace?: string | null;
  /** The one key of a ConfigMap or Secret that is read. */
  readonly key?: string;
  readonly optional: boolean;
  /** Pointer to the reference in the owner. */
  readonly path: string;
  readonly use: ReferenceUse;
  /** Container that reads it, when it is one. */
  readonly container?: string;
}

/** Everything that the pods of a workload name: ConfigMaps, Secrets, their keys, claims, the ServiceAccount, pull secrets. */
export function podReferences(template: PodTemplate): readonly Reference[] {
  return [...identityReferences(template), ...containerReferences(template), ...volumeReferences(template)];
}

function identityReferences(template: PodTemplate): Reference[] {
  const result: Reference[] = [];
  const account = stringAt(template.spec, 'serviceAccountName') ?? stringAt(template.spec, 'serviceAccount');
  if (account !== undefined && account !== '')
    result.push({
      group: '',
      kind: 'ServiceAccount',
      name: account,
      optional: false,
      path: `${template.path}/serviceAccountName`,
      use: 'serviceAccount',
    });
  for (const secret of listAt(template.spec, 'imagePullSecrets')) {
    const name = stringAt(secret, 'name');
    if (name === undefined || name === '') continue;
    result.push({
      group: '',
      kind: 'Secret',
      name,
      optional: false,
      path: `${template.path}/imagePullSecrets/${escapePointer(name)}`,
      use: 'imagePullSecret',
    });
  }
  return result;
}

function containerReferences(template: PodTemplate): Reference[] {
  const result: Reference[] = [];
  for (const { container, path } of containersOf(template)) {
    const owner = String(container.name ?? '');
    for (const variable of listAt(container, 'env')) {
      const variableName = stringAt(variable, 'name') ?? '';
      for (const [field, kind] of [
        ['configMapKeyRef', 'ConfigMap'],
        ['secretKeyRef', 'Secret'],
      ] as const) {
        const name = stringAt(variable, 'valueFrom', field, 'name');
        const key = stringAt(variable, 'valueFrom', field, 'key');
        if (name === undefined || name === '') continue;
        result.push({
          group: '',
          kind,
          name,
          ...(key === undefined ? {} : { key }),
          optional: at(variable, 'valueFrom', field, 'optional') === true,
          path: `${path}/env/${escapePointer(variableName)}/valueFrom/${field}`,
          use: 'env',
          container: owner,
        });
      }
    }
    listAt(container, 'envFrom').forEach((source, index) => {
      for (const [field, kind] of [
        ['configMapRef', 'ConfigMap'],
        ['secretRef', 'Secret'],
      ] as const) {
        const name = stringAt(source, field, 'name');
        if (name === undefined || name === '') continue;
        result.push({
          group: '',
          kind,
          name,
          optional: at(source, field, 'optional') === true,
          path: `${path}/envFrom/${index}/${field}`,
          use: 'envFrom',
          container: owner,
        });
      }
    });
  }
  return result;
}

/** A ConfigMap or Secret in a volume, as `volumes[]` itself and `volumes[].projected.sources[]` write it. */
interface VolumeSource {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly name: string;
  readonly optional: boolean;
  readonly items: readonly unknown[];
  readonly path: string;
}

function volumeReferences(template: PodTemplate): Reference[] {
  const result: Reference[] = [];
  const subPaths = subPathsByVolume(template);
  for (const volume of listAt(template.spec, 'volumes')) {
    const volumeName = stringAt(volume, 'name') ?? '';
    const path = `${template.path}/volumes/${escapePointer(volumeName)}`;
    const claim = stringAt(volume, 'persistentVolumeClaim', 'claimName');
    if (claim !== undefined && claim !== '')
      result.push({
        group: '',
        kind: 'PersistentVolumeClaim',
        name: claim,
        optional: false,
        path: `${path}/persistentVolumeClaim/claimName`,
        use: 'claim',
      });
    for (const source of volumeSources(volume, path)) {
      const common = { group: '', kind: source.kind, name: source.name, optional: source.optional };
      result.push({ ...common, path: source.path, use: 'volume' });
      source.items.forEach((item, index) => {
        const key = stringAt(item, 'key');
        if (key !== undefined) result.push({ ...common, key, path: `${source.path}/items/${index}`, use: 'volume' });
      });
      // With `items` the file names are the items' paths; without, every key is a file of that name.
      if (source.items.length > 0 || at(volume, 'projected') !== undefined) continue;
      for (const mount of subPaths.get(volumeName) ?? [])
        result.push({
          ...common,
          key: mount.file,
          path: mount.path,
          use: 'subPath',
          container: mount.container,
        });
    }
  }
  return result;
}

function volumeSources(volume: unknown, path: string): VolumeSource[] {
  const result: VolumeSource[] = [];
  const add = (kind: VolumeSource['kind'], name: string | undefined, source: unknown, at_: string) => {
    if (name === undefined || name === '') return;
    result.push({
      kind,
      name,
      optional: at(source, 'optional') === true,
      items: listAt(source, 'items'),
      path: at_,
    });
  };
  add('ConfigMap', stringAt(volume, 'configMap', 'name'), at(volume, 'configMap'), `${path}/configMap`);
  add('Secret', stringAt(volume, 'secret', 'secretName'), at(volume, 'secret'), `${path}/secret`);
  listAt(volume, 'projected', 'sources').forEach((source, index) => {
    const here = `${path}/projected/sources/${index}`;
    add('ConfigMap', stringAt(source, 'configMap', 'name'), at(source, 'configMap'), `${here}/configMap`);
    add('Secret', stringAt(source, 'secret', 'name'), at(source, 'secret'), `${here}/secret`);
  });
  return result;
}

function subPathsByVolume(template: PodTemplate) {
  const result = new Map<string, { file: string; path: string; container: string }[]>();
  for (const { container, path } of containersOf(template)) {
    for (const mount of listAt(container, 'volumeMounts')) {
      const name = stringAt(mount, 'name');
      const subPath = stringAt(mount, 'subPath');
      if (name === undefined || subPath === undefined || subPath === '' || subPath.includes('/')) continue;
      const list = result.get(name) ?? [];
      list.push({
        file: subPath,
        path: `${path}/volumeMounts/${escapePointer(stringAt(mount, 'mountPath') ?? '')}/subPath`,
        container: String(container.name ?? ''),
      });
      result.set(name, list);
    }
  }
  return result;
}

/**
 * References of objects that are not workloads: TLS secrets of Ingress and Gateway, cert-manager issuers.
 * Empty for everything else.
 */
export function objectReferences(object: KubeObject): readonly Reference[] {
  switch (`${groupOf(object.apiVersion)}/${object.kind}`) {
    case 'networking.k8s.io/Ingress':
    case 'extensions/Ingress':
      return listAt(object, 'spec', 'tls').flatMap((tls, index) =>
        tlsSecret(stringAt(tls, 'secretName'), `/spec/tls/${index}/secretName`),
      );
    case 'gateway.networking.k8s.io/Gateway':
      return gatewayReferences(object);
    case 'cert-manager.io/Certificate':
      return issuerReference(object);
    default:
      return [];
  }
}

function tlsSecret(name: string | undefined, path: string): Reference[] {
  if (name === undefined || name === '') return [];
  return [{ group: '', kind: 'Secret', name, optional: false, path, use: 'tls' }];
}

function gatewayReferences(object: KubeObject): Reference[] {
  return listAt(object, 'spec', 'listeners').flatMap((listener) => {
    const at_ = `/spec/listeners/${escapePointer(stringAt(listener, 'name') ?? '')}`;
    return listAt(listener, 'tls', 'certificateRefs').flatMap((ref, index) => {
      if ((stringAt(ref, 'kind') ?? 'Secret') !== 'Secret') return [];
      if ((stringAt(ref, 'group') ?? '') !== '') return [];
      const namespace = stringAt(ref, 'namespace');
      return tlsSecret(stringAt(ref, 'name'), `${at_}/tls/certificateRefs/${index}`).map((found) =>
        namespace === undefined ? found : { ...found, namespace },
      );
    });
  });
}

function issuerReference(object: KubeObject): Reference[] {
  const name = stringAt(object, 'spec', 'issuerRef', 'name');
  const kind = stringAt(object, 'spec', 'issuerRef', 'kind') ?? 'Issuer';
  const group = stringAt(object, 'spec', 'issuerRef', 'group') ?? 'cert-manager.io';
  // Issuers of other groups belong to controllers that gate does not know.
  if (name === undefined || name === '' || group !== 'cert-manager.io') return [];
  return [
    {
      group,
      kind,
      name,
      ...(kind === 'ClusterIssuer' ? { namespace: null } : {}),
      optional: false,
      path: '/spec/issuerRef',
      use: 'issuer',
    },
  ];
}

/** References of any object: of its pods for a workload, else {@link objectReferences}. */
export function referencesOf(object: KubeObject): readonly Reference[] {
  const template = podTemplate(object);
  return template === undefined ? objectReferences(object) : podReferences(template);
}

/** What happens to the pod or object when the thing is not there. Completes "X names Y, which …, so …". */
export function consequence(use: ReferenceUse): string {
  switch (use) {
    case 'env':
    case 'envFrom':
      return 'the container does not start (CreateContainerConfigError)';
    case 'volume':
    case 'subPath':
      return 'the pod stays in ContainerCreating (FailedMount)';
    case 'claim':
      return 'the pod stays Pending';
    case 'serviceAccount':
      return 'no pod is created (FailedCreate: the ServiceAccount admission plugin refuses it)';
    case 'imagePullSecret':
      return 'the image is pulled without these credentials';
    case 'tls':
      return 'the controller serves its default certificate or drops the listener';
    case 'issuer':
      return 'the certificate is never issued or renewed';
  }
}

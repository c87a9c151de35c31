import type { KubeObject } from '../../core/model.ts';
import { groupOf } from '../../core/json.ts';

/**
 * Where a string stands, which decides what may legitimately be in it.
 * `strict`: read by Kubernetes itself (names, images, hosts, labels). `annotation`, `arguments` (command, args, exec),
 * `environment` (env values): read by somebody with perhaps a templating of its own. `setting`: a one-line ConfigMap value.
 * `payload`: a file. `custom`: a field of a custom resource. `skip`: documentation, encrypted or redacted data.
 */
export type Place = 'strict' | 'annotation' | 'arguments' | 'environment' | 'setting' | 'payload' | 'custom' | 'skip';

/** Kinds of Kubernetes whose fields are programs or parameters for somebody else. */
const foreignKinds = new Set([
  'StorageClass',
  'VolumeSnapshotClass',
  'VolumeAttributesClass',
  'PersistentVolume',
  'ValidatingAdmissionPolicy',
  'MutatingAdmissionPolicy',
  'CustomResourceDefinition',
  'APIService',
]);

/** Custom resources that claim host names; their controllers take them literally. */
const hostFields: Readonly<Record<string, readonly string[]>> = {
  'gateway.networking.k8s.io/Gateway': ['hostname'],
  'gateway.networking.k8s.io/HTTPRoute': ['hostnames'],
  'gateway.networking.k8s.io/GRPCRoute': ['hostnames'],
  'gateway.networking.k8s.io/TLSRoute': ['hostnames'],
  'networking.istio.io/Gateway': ['hosts'],
  'networking.istio.io/VirtualService': ['hosts', 'host'],
  'networking.istio.io/DestinationRule': ['host'],
  'networking.istio.io/ServiceEntry': ['hosts'],
  'cert-manager.io/Certificate': ['dnsNames', 'commonName'],
};

function isBuiltin(group: string): boolean {
  if (!group.includes('.')) return true;
  return (
    group.endsWith('.k8s.io') &&
    !/^(gateway\.networking|snapshot\.storage|metrics|x-k8s|cluster\.x-k8s|autoscaling)\./.test(group)
  );
}

/** @param fields keys from the root of the object to the string */
export function placeOf(object: KubeObject, fields: readonly string[], value: string): Place {
  const [first, second] = fields;
  if (first === 'apiVersion' || first === 'kind' || first === 'status' || first === 'sops') return 'skip';
  if (first === 'metadata')
    return second === 'annotations' ? 'annotation' : second === 'managedFields' ? 'skip' : 'strict';
  const group = groupOf(object.apiVersion);
  if (!isBuiltin(group)) {
    const key = `${group}/${object.kind}`;
    const hosts = Object.hasOwn(hostFields, key) ? hostFields[key] : undefined;
    // The last key, or the one before the index of a list.
    return hosts !== undefined && fields.slice(-2).some((field) => hosts.includes(field)) ? 'strict' : 'custom';
  }
  if (object.kind === 'Secret' && group === '') return 'skip';
  if (object.kind === 'ConfigMap' && group === '')
    return value.trim().includes('\n') || value.length > 200 ? 'payload' : 'setting';
  if (foreignKinds.has(object.kind)) return 'skip';
  return podPlace(fields);
}

/** Places within a pod template; the rest of a built-in object is strict. */
function podPlace(fields: readonly string[]): Place {
  const last = fields.at(-1);
  if (fields.includes('annotations')) return 'annotation';
  if (fields.includes('volumeAttributes') || fields.includes('expression') || last === 'subPathExpr') return 'skip';
  const list = fields.findIndex((field) => field === 'containers' || field === 'initContainers');
  if (list === -1) return 'strict';
  const inside = fields.slice(list + 2);
  if (inside[0] === 'env') return inside.at(-1) === 'value' ? 'environment' : 'strict';
  if (inside[0] === 'args' || inside[0] === 'command' || inside.includes('exec')) return 'arguments';
  return inside.includes('httpHeaders') ? 'arguments' : 'strict';
}

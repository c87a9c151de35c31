import type { WorkloadPods } from '../../core/cluster.ts';
import { groupOf, isObject } from '../../core/json.ts';
import type { Json, JsonObject } from '../../core/model.ts';
import { fingerprint } from '../../core/redact.ts';

/** `--redact`: hides what judging a change can do without. Equal values stay equal under one key. */
export interface Mask {
  object(object: JsonObject): JsonObject;
  pods(pods: WorkloadPods): WorkloadPods;
}

/** Annotations that controllers and rules take as instructions, by the domain of their name. */
const instructions =
  /^(?:[a-z0-9-]+\.)*(?:kubernetes\.io|k8s\.io|helm\.sh|argoproj\.io|fluxcd\.io|cert-manager\.io|istio\.io|linkerd\.io|cilium\.io|keda\.sh|karpenter\.sh|kyverno\.io|gatekeeper\.sh|sigstore\.dev|stakater\.com|prometheus\.io|k8s\.aws|gke\.io|google\.com|azure\.com|openshift\.io|traefik\.io|konghq\.com)\//;

/**
 * Masks values of ConfigMaps, literals of container environments, annotations that are no instructions, and names and
 * addresses of nodes. Keys, labels, commands and everything else in `spec` stay.
 */
export function createMask(key: Uint8Array): Mask {
  const hide = (value: Json): Json =>
    typeof value === 'string' && value.startsWith('redacted:') ? value : hidden(value);
  const hidden = (value: Json): string => fingerprint(typeof value === 'string' ? value : JSON.stringify(value), key);
  const hideAll = (values: Json | undefined): Json =>
    isObject(values)
      ? Object.fromEntries(Object.entries(values).map(([name, value]) => [name, hide(value)]))
      : (values ?? null);
  /** A name that is still a name. */
  const node = (name: string): string =>
    name === '' ? '' : `node-${fingerprint(name, key).slice('redacted:'.length)}`;

  const walk = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(walk);
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, entry]) => {
        if (name === 'env' && Array.isArray(entry)) return [name, entry.map(literal)];
        if (name === 'nodeName' && typeof entry === 'string') return [name, node(entry)];
        if (name === 'annotations' && isObject(entry)) return [name, maskAnnotations(entry, hide)];
        return [name, walk(entry)];
      }),
    );
  };
  const literal = (variable: Json): Json =>
    isObject(variable) && variable['value'] !== undefined
      ? { ...variable, value: hide(variable['value']) }
      : walk(variable);

  return {
    object(object) {
      const result = walk(object) as JsonObject;
      switch (`${groupOf(String(object['apiVersion']))}/${String(object['kind'])}`) {
        case '/ConfigMap':
          for (const field of ['data', 'binaryData']) {
            if (object[field] !== undefined) result[field] = hideAll(object[field]);
          }
          return result;
        case '/Node':
          return maskNode(result, node, hide);
        case 'discovery.k8s.io/EndpointSlice':
          return maskEndpoints(result, hide);
        default:
          return result;
      }
    },
    pods: (pods) => ({
      ...pods,
      nodes: Object.fromEntries(
        Object.entries(pods.nodes)
          .map(([name, number]): [string, number] => [node(name), number])
          .toSorted(([left], [right]) => (left < right ? -1 : 1)),
      ),
    }),
  };
}

function maskAnnotations(annotations: JsonObject, hide: (value: Json) => Json): JsonObject {
  return Object.fromEntries(
    Object.entries(annotations).map(([name, value]) => [name, instructions.test(name) ? value : hide(value)]),
  );
}

/** Labels stay but for the host name: what is scheduled by zone, size or pool can still be judged. */
function maskNode(object: JsonObject, node: (name: string) => string, hide: (value: Json) => Json): JsonObject {
  const metadata = isObject(object['metadata']) ? object['metadata'] : {};
  const labels = isObject(metadata['labels']) ? { ...metadata['labels'] } : {};
  const host = labels['kubernetes.io/hostname'];
  if (host !== undefined) labels['kubernetes.io/hostname'] = hide(host);
  const { providerID: _id, podCIDR: _cidr, podCIDRs: _cidrs, ...spec } = isObject(object['spec']) ? object['spec'] : {};
  const { addresses: _addresses, ...status } = isObject(object['status']) ? object['status'] : {};
  return { ...object, metadata: { ...metadata, name: node(String(metadata['name'])), labels }, spec, status };
}

function maskEndpoints(object: JsonObject, hide: (value: Json) => Json): JsonObject {
  const { endpoints } = object;
  if (!Array.isArray(endpoints)) return object;
  return {
    ...object,
    endpoints: endpoints.map((endpoint) =>
      isObject(endpoint) && Array.isArray(endpoint['addresses'])
        ? { ...endpoint, addresses: endpoint['addresses'].map(hide) }
        : endpoint,
    ),
  };
}

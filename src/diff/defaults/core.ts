import { type Fields, fill, fillZero, inField, inList, isFields, lengthOf, own } from './fill.ts';
import { volumeSourceDefaults } from './pod.ts';
import type { Defaulter } from './kinds.ts';

/** `SetDefaults_Service` (pkg/apis/core/v1/defaults.go). */
const service: Defaulter = (object) =>
  inField(object, 'spec', (spec) => {
    let result = fillZero(spec, { sessionAffinity: 'None', type: 'ClusterIP' });
    const type = result['type'];
    if (result['sessionAffinity'] === 'None' && Object.hasOwn(result, 'sessionAffinityConfig')) {
      const { sessionAffinityConfig: _config, ...rest } = result;
      result = rest;
    }
    if (result['sessionAffinity'] === 'ClientIP') result = clientIpTimeout(result);
    result = inList(result, 'ports', (port) =>
      fillZero(fillZero(port, { protocol: 'TCP' }), { targetPort: own(port, 'port') }),
    );
    const external =
      type === 'LoadBalancer' || type === 'NodePort' || (type === 'ClusterIP' && lengthOf(result, 'externalIPs') > 0);
    if (external) result = fillZero(result, { externalTrafficPolicy: 'Cluster' });
    if (type !== 'ExternalName') result = fill(result, { internalTrafficPolicy: 'Cluster' });
    return type === 'LoadBalancer' ? fill(result, { allocateLoadBalancerNodePorts: true }) : result;
  });

function clientIpTimeout(spec: Fields): Fields {
  const config = own(spec, 'sessionAffinityConfig');
  const clientIP = isFields(config) ? own(config, 'clientIP') : undefined;
  const timeout = isFields(clientIP) ? own(clientIP, 'timeoutSeconds') : undefined;
  if (timeout !== undefined && timeout !== null) return spec;
  return { ...spec, sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } } };
}

/** The storage of a Secret holds `data` only; `stringData` wins over it key by key. */
const secret: Defaulter = (object) => {
  const result = fillZero(object, { type: 'Opaque' });
  const text = own(result, 'stringData');
  if (!isFields(text)) return result;
  const { stringData: _stringData, ...rest } = result;
  const data = own(rest, 'data');
  const encoded = Object.fromEntries(Object.entries(text).map(([key, value]) => [key, encode(value)]));
  return { ...rest, data: { ...(isFields(data) ? data : {}), ...encoded } };
};

/** Redacted values have one form for `data` and `stringData`; what redaction left readable is stored as base64. */
function encode(value: unknown): unknown {
  if (typeof value !== 'string' || value.startsWith('redacted:')) return value;
  return Buffer.from(value, 'utf8').toString('base64');
}

const namespace: Defaulter = (object) =>
  inField(object, 'metadata', (metadata) => {
    const name = own(metadata, 'name');
    const labels = own(metadata, 'labels');
    if (typeof name !== 'string' || name === '') return metadata;
    return {
      ...metadata,
      labels: { ...(isFields(labels) ? labels : {}), 'kubernetes.io/metadata.name': name },
    };
  });

const persistentVolume: Defaulter = (object) =>
  inField(object, 'spec', (spec) =>
    volumeSourceDefaults(
      fill(fillZero(spec, { persistentVolumeReclaimPolicy: 'Retain' }), { volumeMode: 'Filesystem' }),
    ),
  );

const persistentVolumeClaim: Defaulter = (object) =>
  inField(object, 'spec', (spec) => fill(spec, { volumeMode: 'Filesystem' }));

/** `SetDefaults_LimitRangeItem`: default <- max; defaultRequest <- default, else min. */
const limitRange: Defaulter = (object) =>
  inField(object, 'spec', (spec) =>
    inList(spec, 'limits', (item) => {
      if (own(item, 'type') !== 'Container') return item;
      const standard = { ...mapOf(item, 'max'), ...mapOf(item, 'default') };
      const request = { ...mapOf(item, 'min'), ...standard, ...mapOf(item, 'defaultRequest') };
      return { ...item, default: standard, defaultRequest: request };
    }),
  );

function mapOf(object: Fields, key: string): Fields {
  const value = own(object, key);
  return isFields(value) ? value : {};
}

const endpoints: Defaulter = (object) =>
  inList(object, 'subsets', (subset) => inList(subset, 'ports', (port) => fillZero(port, { protocol: 'TCP' })));

const endpointSlice: Defaulter = (object) =>
  inList(object, 'ports', (port) => fill(port, { name: '', protocol: 'TCP' }));

const configMap: Defaulter = (object) => fill(object, { data: {} });

export const core: Readonly<Record<string, Defaulter>> = {
  '/Service': service,
  '/Secret': secret,
  '/ConfigMap': configMap,
  '/Namespace': namespace,
  '/PersistentVolume': persistentVolume,
  '/PersistentVolumeClaim': persistentVolumeClaim,
  '/LimitRange': limitRange,
  '/Endpoints': endpoints,
  'discovery.k8s.io/EndpointSlice': endpointSlice,
};

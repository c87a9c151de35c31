import { type Fields, fill, fillZero, inField, inList, isFields, own } from './fill.ts';

/**
 * Defaults of `spec.template` and similar (`SetObjectDefaults_Deployment` in pkg/apis/apps/v1/zz_generated.defaults.go):
 * what the API server stores in a template. Requests are not copied from limits there; that happens to Pods only.
 */
export function podTemplateDefaults(template: Fields): Fields {
  return inField(template, 'spec', podSpecDefaults);
}

/** `SetDefaults_PodSpec` and the nested types (pkg/apis/core/v1/defaults.go, Kubernetes 1.34). */
export function podSpecDefaults(spec: Fields): Fields {
  let result = fillZero(serviceAccountAlias(spec), {
    dnsPolicy: 'ClusterFirst',
    restartPolicy: 'Always',
    schedulerName: 'default-scheduler',
  });
  // A grace period of 0 is a decision (a pointer in Go), so it is kept.
  result = fill(result, { terminationGracePeriodSeconds: 30, securityContext: {} });
  result = inList(result, 'volumes', volumeDefaults);
  result = inList(result, 'initContainers', containerDefaults);
  result = inList(result, 'containers', containerDefaults);
  return inList(result, 'ephemeralContainers', containerDefaults);
}

/** Defaults that only Pods get, not pod templates (`SetDefaults_Pod`). */
export function podDefaults(pod: Fields): Fields {
  return inField(pod, 'spec', (spec) => {
    let result = fill(podSpecDefaults(spec), { enableServiceLinks: true });
    for (const list of ['initContainers', 'containers']) {
      result = inList(result, list, (container) => inField(container, 'resources', requestsFromLimits));
      if (own(spec, 'hostNetwork') === true) {
        result = inList(result, list, (container) =>
          inList(container, 'ports', (port) => fillZero(port, { hostPort: own(port, 'containerPort') })),
        );
      }
    }
    return result;
  });
}

/** `serviceAccount` is the old name of `serviceAccountName`; the API server keeps both equal, here only the new one. */
function serviceAccountAlias(spec: Fields): Fields {
  if (!Object.hasOwn(spec, 'serviceAccount')) return spec;
  const { serviceAccount, ...rest } = spec;
  return fillZero(rest, { serviceAccountName: serviceAccount });
}

function requestsFromLimits(resources: Fields): Fields {
  const limits = own(resources, 'limits');
  if (!isFields(limits)) return resources;
  const requests = own(resources, 'requests');
  return { ...resources, requests: { ...limits, ...(isFields(requests) ? requests : {}) } };
}

/**
 * The pull policy that the API server stores for an image without one (`SetDefaults_Container`, `parsers.ParseImageName`):
 * `Always` for the tag `latest` and for neither tag nor digest, else `IfNotPresent`; also for what is no image reference.
 */
export function defaultPullPolicy(image: unknown): 'Always' | 'IfNotPresent' {
  if (typeof image !== 'string' || image.length > 512) return 'IfNotPresent';
  const at = image.indexOf('@');
  const named = at === -1 ? image : image.slice(0, at);
  const slash = named.lastIndexOf('/');
  const colon = named.indexOf(':', slash + 1);
  const name = colon === -1 ? named : named.slice(0, colon);
  const tag = colon === -1 ? undefined : named.slice(colon + 1);
  const last = name.slice(slash + 1);
  // Not a reference (upper case, spaces, an unresolved ${variable}): ParseImageName fails, the error is ignored.
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(last)) return 'IfNotPresent';
  if (tag === 'latest') return 'Always';
  return tag === undefined && at === -1 ? 'Always' : 'IfNotPresent';
}

function containerDefaults(container: Fields): Fields {
  let result = fillZero(container, {
    imagePullPolicy: defaultPullPolicy(own(container, 'image')),
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
  });
  result = inList(result, 'ports', (port) => fillZero(port, { protocol: 'TCP' }));
  result = inList(result, 'env', (env) =>
    inField(env, 'valueFrom', (from) =>
      inField(inField(from, 'fieldRef', fieldRefDefaults), 'resourceFieldRef', divisorDefault),
    ),
  );
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    result = inField(result, probe, probeDefaults);
  }
  return inField(result, 'lifecycle', (lifecycle) =>
    inField(inField(lifecycle, 'postStart', handlerDefaults), 'preStop', handlerDefaults),
  );
}

function fieldRefDefaults(reference: Fields): Fields {
  return fillZero(reference, { apiVersion: 'v1' });
}

/** A missing divisor is stored as the zero quantity and read as 1 (pkg/api/v1/resource/helpers.go). */
function divisorDefault(reference: Fields): Fields {
  return fill(reference, { divisor: '0' });
}

function probeDefaults(probe: Fields): Fields {
  const result = fillZero(probe, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 });
  return inField(handlerDefaults(result), 'grpc', (grpc) => fill(grpc, { service: '' }));
}

function handlerDefaults(handler: Fields): Fields {
  return inField(handler, 'httpGet', (get) => fillZero(get, { path: '/', scheme: 'HTTP' }));
}

/** 0644: the API server stores and prints it as the decimal 420. */
const fileMode = { defaultMode: 420 };

function volumeDefaults(volume: Fields): Fields {
  // "AllPtrFieldsNil": a volume that names no source is an emptyDir.
  const sources = Object.keys(volume).filter((key) => key !== 'name' && own(volume, key) !== null);
  let result = sources.length === 0 ? { ...volume, emptyDir: {} } : volume;
  result = inField(result, 'secret', (source) => fill(source, fileMode));
  result = inField(result, 'configMap', (source) => fill(source, fileMode));
  result = inField(result, 'downwardAPI', (source) => downwardItems(fill(source, fileMode)));
  result = inField(result, 'projected', (source) => inList(fill(source, fileMode), 'sources', projectionDefaults));
  result = inField(result, 'image', (source) =>
    fillZero(source, { pullPolicy: defaultPullPolicy(own(source, 'reference')) }),
  );
  result = inField(result, 'ephemeral', (source) =>
    inField(source, 'volumeClaimTemplate', (template) =>
      inField(template, 'spec', (spec) => fill(spec, { volumeMode: 'Filesystem' })),
    ),
  );
  return volumeSourceDefaults(result);
}

function projectionDefaults(source: Fields): Fields {
  const result = inField(source, 'serviceAccountToken', (token) => fill(token, { expirationSeconds: 3600 }));
  return inField(result, 'downwardAPI', downwardItems);
}

function downwardItems(source: Fields): Fields {
  return inList(source, 'items', (item) =>
    inField(inField(item, 'fieldRef', fieldRefDefaults), 'resourceFieldRef', divisorDefault),
  );
}

/** Defaults of volume sources that pods and PersistentVolumes share. */
export function volumeSourceDefaults(volume: Fields): Fields {
  let result = inField(volume, 'hostPath', (source) => fill(source, { type: '' }));
  result = inField(result, 'iscsi', (source) => fillZero(source, { iscsiInterface: 'default' }));
  result = inField(result, 'rbd', (source) =>
    fillZero(source, { pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' }),
  );
  result = inField(result, 'azureDisk', (source) =>
    fill(source, { cachingMode: 'ReadWrite', fsType: 'ext4', readOnly: false, kind: 'Shared' }),
  );
  return inField(result, 'scaleIO', (source) => fillZero(source, { storageMode: 'ThinProvisioned', fsType: 'xfs' }));
}

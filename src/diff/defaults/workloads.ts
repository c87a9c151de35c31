import { type Fields, fill, fillZero, inField, inStruct, isFields, own } from './fill.ts';
import { podDefaults, podTemplateDefaults } from './pod.ts';
import type { Defaulter } from './kinds.ts';

const maxInt32 = 2_147_483_647;

/** `SetDefaults_Deployment`; `extensions/v1beta1` and `apps/v1beta1` differ (`defaults.go` of those versions). */
const deployment: Defaulter = (object, version, group) =>
  withTemplate(object, (spec) => {
    const old = group === 'extensions';
    const share = old ? 1 : '25%';
    const result = fill(spec, {
      replicas: 1,
      revisionHistoryLimit: old ? maxInt32 : version === 'v1beta1' ? 2 : 10,
      progressDeadlineSeconds: old ? maxInt32 : 600,
    });
    return inStruct(result, 'strategy', (strategy) => {
      const typed = fillZero(strategy, { type: 'RollingUpdate' });
      if (typed['type'] !== 'RollingUpdate') return typed;
      return inStruct(typed, 'rollingUpdate', (update) => fill(update, { maxUnavailable: share, maxSurge: share }));
    });
  });

const daemonSet: Defaulter = (object, _version, group) =>
  withTemplate(object, (spec) => {
    const result = fill(spec, { revisionHistoryLimit: 10 });
    return inStruct(result, 'updateStrategy', (strategy) => {
      const typed = fillZero(strategy, { type: group === 'extensions' ? 'OnDelete' : 'RollingUpdate' });
      if (typed['type'] !== 'RollingUpdate') return typed;
      return inStruct(typed, 'rollingUpdate', (update) => fill(update, { maxUnavailable: 1, maxSurge: 0 }));
    });
  });

/**
 * `SetDefaults_StatefulSet`. `maxUnavailable` is not filled in: its feature gate is off by default.
 * An explicit `type: RollingUpdate` without `rollingUpdate` stays without `partition`.
 */
const statefulSet: Defaulter = (object, version) =>
  withTemplate(object, (spec) => {
    let result = fillZero(spec, { podManagementPolicy: 'OrderedReady' });
    result = fill(result, { replicas: 1, revisionHistoryLimit: 10 });
    result = inStruct(result, 'persistentVolumeClaimRetentionPolicy', (policy) =>
      fillZero(policy, { whenDeleted: 'Retain', whenScaled: 'Retain' }),
    );
    result = inStruct(result, 'updateStrategy', (strategy) => {
      const untyped = (own(strategy, 'type') ?? '') === '';
      let typed = fillZero(strategy, { type: version === 'v1beta1' ? 'OnDelete' : 'RollingUpdate' });
      if (untyped && version !== 'v1beta1') typed = fill(typed, { rollingUpdate: {} });
      if (typed['type'] !== 'RollingUpdate') return typed;
      return inField(typed, 'rollingUpdate', (update) => fill(update, { partition: 0 }));
    });
    return claimTemplates(result);
  });

/** The server fills in apiVersion, kind and status of embedded claims; only `volumeMode` is a decision. */
function claimTemplates(spec: Fields): Fields {
  const list = own(spec, 'volumeClaimTemplates');
  if (!Array.isArray(list)) return spec;
  return {
    ...spec,
    volumeClaimTemplates: list.map((claim: unknown) => {
      if (!isFields(claim)) return claim;
      const { apiVersion: _apiVersion, kind: _kind, status: _status, ...rest } = claim;
      return inField(rest, 'spec', (inner) => fill(inner, { volumeMode: 'Filesystem' }));
    }),
  };
}

const replicaSet: Defaulter = (object) => withTemplate(object, (spec) => fill(spec, { replicas: 1 }));

const replicationController: Defaulter = (object) => {
  const result = withTemplate(object, (spec) => {
    const filled = fill(spec, { replicas: 1, minReadySeconds: 0 });
    const labels = templateLabels(spec);
    const selector = own(spec, 'selector');
    const empty = !isFields(selector) || Object.keys(selector).length === 0;
    return labels !== undefined && empty ? { ...filled, selector: labels } : filled;
  });
  return labelsFromTemplate(result);
};

/** `SetDefaults_Job` (pkg/apis/batch/v1/defaults.go). */
function jobSpec(spec: Fields): Fields {
  const single = (own(spec, 'completions') ?? null) === null && (own(spec, 'parallelism') ?? null) === null;
  const result = fill(spec, {
    ...(single ? { completions: 1 } : {}),
    parallelism: 1,
    backoffLimit: (own(spec, 'backoffLimitPerIndex') ?? null) === null ? 6 : maxInt32,
    completionMode: 'NonIndexed',
    suspend: false,
    podReplacementPolicy: (own(spec, 'podFailurePolicy') ?? null) === null ? 'TerminatingOrFailed' : 'Failed',
    manualSelector: false,
  });
  return inField(result, 'template', podTemplateDefaults);
}

const job: Defaulter = (object) => labelsFromTemplate(inField(object, 'spec', jobSpec));

const cronJob: Defaulter = (object) =>
  inField(object, 'spec', (spec) => {
    const result = fillZero(spec, { concurrencyPolicy: 'Allow' });
    return inField(
      fill(result, { suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 }),
      'jobTemplate',
      // Only the pod template is defaulted in a CronJob; the Job's own fields are filled in when it is created.
      (template) => inField(template, 'spec', (inner) => inField(inner, 'template', podTemplateDefaults)),
    );
  });

/** Kinds of other projects whose `spec.template` is a pod template, as Argo CD's known types treat Rollout. */
const templateOnly: Defaulter = (object) => withTemplate(object, (spec) => spec);

function withTemplate(object: Fields, change: (spec: Fields) => Fields): Fields {
  return inField(object, 'spec', (spec) => inField(change(spec), 'template', podTemplateDefaults));
}

function templateLabels(spec: unknown): Fields | undefined {
  if (!isFields(spec)) return undefined;
  const template = own(spec, 'template');
  const metadata = isFields(template) ? own(template, 'metadata') : undefined;
  const labels = isFields(metadata) ? own(metadata, 'labels') : undefined;
  return isFields(labels) && Object.keys(labels).length > 0 ? labels : undefined;
}

/** Jobs and ReplicationControllers without labels get those of their template. */
function labelsFromTemplate(object: Fields): Fields {
  const labels = templateLabels(own(object, 'spec'));
  if (labels === undefined) return object;
  return inField(object, 'metadata', (metadata) => {
    const present = own(metadata, 'labels');
    return isFields(present) && Object.keys(present).length > 0 ? metadata : { ...metadata, labels };
  });
}

export const workloads: Readonly<Record<string, Defaulter>> = {
  '/Pod': podDefaults,
  '/PodTemplate': (object) => inField(object, 'template', podTemplateDefaults),
  '/ReplicationController': replicationController,
  'apps/Deployment': deployment,
  'extensions/Deployment': deployment,
  'apps/DaemonSet': daemonSet,
  'extensions/DaemonSet': daemonSet,
  'apps/StatefulSet': statefulSet,
  'apps/ReplicaSet': replicaSet,
  'extensions/ReplicaSet': replicaSet,
  'batch/Job': job,
  'batch/CronJob': cronJob,
  'argoproj.io/Rollout': templateOnly,
  'apps.kruise.io/CloneSet': templateOnly,
  'apps.kruise.io/StatefulSet': templateOnly,
  'apps.kruise.io/DaemonSet': templateOnly,
};

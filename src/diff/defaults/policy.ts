import { type Fields, fill, fillZero, inField, inList, lengthOf, own } from './fill.ts';
import type { Defaulter } from './kinds.ts';

/**
 * `SetDefaults_ValidatingWebhook`, `SetDefaults_MutatingWebhook`. The v1beta1 defaults are the lenient ones
 * (Ignore, Exact, 30 s), so a manifest that only moves to v1 changes behaviour.
 */
function webhook(hook: Fields, version: string): Fields {
  const beta = version === 'v1beta1';
  let result = fill(hook, {
    failurePolicy: beta ? 'Ignore' : 'Fail',
    matchPolicy: beta ? 'Exact' : 'Equivalent',
    namespaceSelector: {},
    objectSelector: {},
    timeoutSeconds: beta ? 30 : 10,
    ...(beta ? { sideEffects: 'Unknown' } : {}),
  });
  if (beta && lengthOf(result, 'admissionReviewVersions') === 0) {
    result = { ...result, admissionReviewVersions: ['v1beta1'] };
  }
  result = inField(result, 'clientConfig', servicePort);
  return inList(result, 'rules', (rule) => fill(rule, { scope: '*' }));
}

function servicePort(clientConfig: Fields): Fields {
  return inField(clientConfig, 'service', (service) => fill(service, { port: 443 }));
}

const validatingWebhooks: Defaulter = (object, version) => inList(object, 'webhooks', (hook) => webhook(hook, version));

const mutatingWebhooks: Defaulter = (object, version) =>
  inList(object, 'webhooks', (hook) => fill(webhook(hook, version), { reinvocationPolicy: 'Never' }));

function matchResources(match: Fields): Fields {
  const result = fill(match, { matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {} });
  const scoped = inList(result, 'resourceRules', (rule) => fill(rule, { scope: '*' }));
  return inList(scoped, 'excludeResourceRules', (rule) => fill(rule, { scope: '*' }));
}

const admissionPolicy: Defaulter = (object) =>
  inField(object, 'spec', (spec) => inField(fill(spec, { failurePolicy: 'Fail' }), 'matchConstraints', matchResources));

const admissionPolicyBinding: Defaulter = (object) =>
  inField(object, 'spec', (spec) => inField(spec, 'matchResources', matchResources));

const networkPolicy: Defaulter = (object) =>
  inField(object, 'spec', (spec) => {
    let result = spec;
    if (lengthOf(spec, 'policyTypes') === 0) {
      result = { ...spec, policyTypes: lengthOf(spec, 'egress') > 0 ? ['Ingress', 'Egress'] : ['Ingress'] };
    }
    for (const direction of ['ingress', 'egress']) {
      result = inList(result, direction, (rule) => inList(rule, 'ports', (port) => fill(port, { protocol: 'TCP' })));
    }
    return result;
  });

const ingress: Defaulter = (object, version) => {
  if (version === 'v1') return object;
  return inField(object, 'spec', (spec) =>
    inList(spec, 'rules', (rule) =>
      inField(rule, 'http', (http) =>
        inList(http, 'paths', (path) => fill(path, { pathType: 'ImplementationSpecific' })),
      ),
    ),
  );
};

const ingressClass: Defaulter = (object) =>
  inField(object, 'spec', (spec) =>
    inField(spec, 'parameters', (parameters) => fill(parameters, { scope: 'Cluster' })),
  );

const scaleUp = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
};
/** The scale-down window stays unset: it is a flag of the controller (300 s unless changed). */
const scaleDown = { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] };

/** `SetDefaults_HorizontalPodAutoscaler`: scaling rules are only filled in when `behavior` is there at all. */
const autoscaler: Defaulter = (object, version) =>
  inField(object, 'spec', (spec) => {
    let result = fill(spec, { minReplicas: 1 });
    if (version === 'v1') return result;
    if (lengthOf(result, 'metrics') === 0) {
      result = {
        ...result,
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
        ],
      };
    }
    return inField(result, 'behavior', (behavior) => {
      const filled = fill(behavior, { scaleUp: {}, scaleDown: {} });
      return inField(
        inField(filled, 'scaleUp', (rules) => fill(rules, scaleUp)),
        'scaleDown',
        (rules) => fill(rules, scaleDown),
      );
    });
  });

const rbacGroup = 'rbac.authorization.k8s.io';

const roleBinding: Defaulter = (object) => {
  const result = inField(object, 'roleRef', (reference) => fillZero(reference, { apiGroup: rbacGroup }));
  return inList(result, 'subjects', (subject) => {
    const kind = own(subject, 'kind');
    return kind === 'User' || kind === 'Group' ? fillZero(subject, { apiGroup: rbacGroup }) : subject;
  });
};

const priorityClass: Defaulter = (object) => fill(object, { preemptionPolicy: 'PreemptLowerPriority' });

const storageClass: Defaulter = (object) => fill(object, { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' });

const csiDriver: Defaulter = (object) =>
  inField(object, 'spec', (spec) => {
    const result = fill(spec, {
      attachRequired: true,
      podInfoOnMount: false,
      storageCapacity: false,
      fsGroupPolicy: 'ReadWriteOnceWithFSType',
      requiresRepublish: false,
      seLinuxMount: false,
    });
    return lengthOf(result, 'volumeLifecycleModes') === 0
      ? { ...result, volumeLifecycleModes: ['Persistent'] }
      : result;
  });

/** apiextensions-apiserver pkg/apis/apiextensions/v1/defaults.go. */
const crd: Defaulter = (object, version) =>
  inField(object, 'spec', (spec) => {
    const result = inField(fill(spec, { conversion: { strategy: 'None' } }), 'names', (names) => {
      const kind = own(names, 'kind');
      if (typeof kind !== 'string' || kind === '') return names;
      return fillZero(names, { singular: kind.toLowerCase(), listKind: `${kind}List` });
    });
    if (version === 'v1') {
      return inField(result, 'conversion', (conversion) =>
        inField(conversion, 'webhook', (hook) => inField(hook, 'clientConfig', servicePort)),
      );
    }
    return fillZero(fill(result, { preserveUnknownFields: true }), { scope: 'Namespaced' });
  });

const apiService: Defaulter = (object) =>
  inField(object, 'spec', (spec) => inField(spec, 'service', (service) => fill(service, { port: 443 })));

const flowSchema: Defaulter = (object) =>
  inField(object, 'spec', (spec) => fillZero(spec, { matchingPrecedence: 1000 }));

const priorityLevel: Defaulter = (object) =>
  inField(object, 'spec', (spec) => {
    const exempt = inField(spec, 'exempt', (value) => fill(value, { nominalConcurrencyShares: 0, lendablePercent: 0 }));
    return inField(exempt, 'limited', (value) => {
      const result = fill(value, { nominalConcurrencyShares: 30, lendablePercent: 0 });
      return inField(result, 'limitResponse', (response) =>
        inField(response, 'queuing', (queuing) => fillZero(queuing, { handSize: 8, queues: 64, queueLengthLimit: 50 })),
      );
    });
  });

export const policy: Readonly<Record<string, Defaulter>> = {
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': validatingWebhooks,
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': mutatingWebhooks,
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy': admissionPolicy,
  'admissionregistration.k8s.io/MutatingAdmissionPolicy': admissionPolicy,
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding': admissionPolicyBinding,
  'admissionregistration.k8s.io/MutatingAdmissionPolicyBinding': admissionPolicyBinding,
  'networking.k8s.io/NetworkPolicy': networkPolicy,
  'extensions/NetworkPolicy': networkPolicy,
  'networking.k8s.io/Ingress': ingress,
  'extensions/Ingress': ingress,
  'networking.k8s.io/IngressClass': ingressClass,
  'autoscaling/HorizontalPodAutoscaler': autoscaler,
  'rbac.authorization.k8s.io/RoleBinding': roleBinding,
  'rbac.authorization.k8s.io/ClusterRoleBinding': roleBinding,
  'scheduling.k8s.io/PriorityClass': priorityClass,
  'storage.k8s.io/StorageClass': storageClass,
  'storage.k8s.io/CSIDriver': csiDriver,
  'apiextensions.k8s.io/CustomResourceDefinition': crd,
  'apiregistration.k8s.io/APIService': apiService,
  'flowcontrol.apiserver.k8s.io/FlowSchema': flowSchema,
  'flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration': priorityLevel,
};

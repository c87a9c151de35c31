import type { KubeObject } from '../../core/model.ts';
import { containersOf, listAt, stringAt, type PodTemplate } from './pods.ts';
import { amountsAt, containerResources, podAmounts, type Amounts, type ContainerDefaults } from './pod-resources.ts';

/** Resources that every container must set when a quota bounds them (k8s pkg/quota/v1/evaluator/core/pods.go). */
const mustBeSet: Readonly<Record<string, readonly ['requests' | 'limits', string]>> = {
  cpu: ['requests', 'cpu'],
  memory: ['requests', 'memory'],
  'requests.cpu': ['requests', 'cpu'],
  'requests.memory': ['requests', 'memory'],
  'limits.cpu': ['limits', 'cpu'],
  'limits.memory': ['limits', 'memory'],
};

/** Field and resource of a pod that a quota resource of this name forces every container to set. */
export function requiredByQuota(resource: string): readonly ['requests' | 'limits', string] | undefined {
  return Object.hasOwn(mustBeSet, resource) ? mustBeSet[resource] : undefined;
}

/** `spec.hard` in base units. */
export function hardOf(quota: KubeObject): Amounts {
  return amountsAt(quota, 'spec', 'hard');
}

function isBestEffort(template: PodTemplate, defaults: ContainerDefaults): boolean {
  if (Object.keys(amountsAt(template.spec, 'resources', 'requests')).length > 0) return false;
  if (Object.keys(amountsAt(template.spec, 'resources', 'limits')).length > 0) return false;
  return containersOf(template).every(({ container }) => {
    const { requests, limits } = containerResources(container, defaults);
    return [requests, limits].every(({ cpu = 0, memory = 0 }) => cpu === 0 && memory === 0);
  });
}

function matchesScope(
  name: string,
  operator: string,
  values: readonly string[],
  template: PodTemplate,
  defaults: ContainerDefaults,
): boolean {
  switch (name) {
    case 'BestEffort':
      return isBestEffort(template, defaults);
    case 'NotBestEffort':
      return !isBestEffort(template, defaults);
    case 'Terminating':
      return typeof template.spec.activeDeadlineSeconds === 'number';
    case 'NotTerminating':
      return typeof template.spec.activeDeadlineSeconds !== 'number';
    case 'PriorityClass': {
      const priority = template.spec.priorityClassName ?? '';
      if (operator === 'In') return values.includes(priority);
      if (operator === 'NotIn') return !values.includes(priority);
      return operator === 'DoesNotExist' ? priority === '' : priority !== '';
    }
    case 'CrossNamespacePodAffinity':
      return usesCrossNamespaceAffinity(template);
    default:
      return false;
  }
}

function usesCrossNamespaceAffinity(template: PodTemplate): boolean {
  return (['podAffinity', 'podAntiAffinity'] as const).some((field) => {
    const affinity = template.spec.affinity?.[field];
    const terms = [
      ...listAt(affinity, 'requiredDuringSchedulingIgnoredDuringExecution'),
      ...listAt(affinity, 'preferredDuringSchedulingIgnoredDuringExecution').map((term) => {
        const { podAffinityTerm } = (term ?? {}) as { podAffinityTerm?: unknown };
        return podAffinityTerm;
      }),
    ];
    return terms.some((term) => {
      const { namespaces, namespaceSelector } = (term ?? {}) as { namespaces?: unknown[]; namespaceSelector?: unknown };
      return (namespaces?.length ?? 0) > 0 || namespaceSelector !== undefined;
    });
  });
}

/** Does this quota count pods of this template? All scopes must match. */
export function quotaCounts(quota: KubeObject, template: PodTemplate, defaults: ContainerDefaults): boolean {
  const scopes = listAt<unknown>(quota, 'spec', 'scopes').map((scope) => ({
    name: String(scope),
    operator: 'Exists',
    values: [] as string[],
  }));
  const expressions = listAt(quota, 'spec', 'scopeSelector', 'matchExpressions').map((expression) => ({
    name: stringAt(expression, 'scopeName') ?? '',
    operator: stringAt(expression, 'operator') ?? 'Exists',
    values: listAt<unknown>(expression, 'values').map(String),
  }));
  return [...scopes, ...expressions].every(({ name, operator, values }) =>
    matchesScope(name, operator, values, template, defaults),
  );
}

/** What one pod of a template takes from a quota, by the quota's own resource names. */
export function podCharge(template: PodTemplate, hard: Amounts, defaults: ContainerDefaults): Amounts {
  const requests = podAmounts(template, 'requests', defaults);
  const limits = podAmounts(template, 'limits', defaults);
  const result: Record<string, number> = {};
  for (const resource of Object.keys(hard)) {
    if (resource === 'pods' || resource === 'count/pods') result[resource] = 1;
    else if (resource.startsWith('limits.')) result[resource] = limits[resource.slice('limits.'.length)] ?? 0;
    else if (resource === 'requests.storage') continue;
    else if (resource.startsWith('requests.')) result[resource] = requests[resource.slice('requests.'.length)] ?? 0;
    else if (['cpu', 'memory', 'ephemeral-storage'].includes(resource) || resource.startsWith('hugepages-'))
      result[resource] = requests[resource] ?? 0;
  }
  return result;
}

const plurals: Readonly<Record<string, string>> = {
  'apps/Deployment': 'deployments.apps',
  'apps/StatefulSet': 'statefulsets.apps',
  'apps/DaemonSet': 'daemonsets.apps',
  'batch/CronJob': 'cronjobs.batch',
  'batch/Job': 'jobs.batch',
  '/Service': 'services',
  '/ConfigMap': 'configmaps',
  '/Secret': 'secrets',
  '/PersistentVolumeClaim': 'persistentvolumeclaims',
  'networking.k8s.io/Ingress': 'ingresses.networking.k8s.io',
};

/** What an object itself (not its pods) takes from a quota: counts, load balancers, storage. */
export function objectCharge(object: KubeObject, group: string, hard: Amounts): Amounts {
  const result: Record<string, number> = {};
  const plural = plurals[`${group}/${object.kind}`];
  const charge = (resource: string, amount: number) => {
    if (Object.hasOwn(hard, resource)) result[resource] = (result[resource] ?? 0) + amount;
  };
  if (plural !== undefined) {
    charge(`count/${plural}`, 1);
    if (group === '') charge(plural, 1);
  }
  if (object.kind === 'Service' && group === '') {
    const type = stringAt(object, 'spec', 'type');
    if (type === 'LoadBalancer') charge('services.loadbalancers', 1);
    const { allocateLoadBalancerNodePorts } = (object['spec'] ?? {}) as { allocateLoadBalancerNodePorts?: unknown };
    if (type === 'NodePort' || (type === 'LoadBalancer' && allocateLoadBalancerNodePorts !== false))
      charge('services.nodeports', listAt(object, 'spec', 'ports').length);
  }
  if (object.kind === 'PersistentVolumeClaim' && group === '') chargeClaim(object, 1, charge);
  if (object.kind === 'StatefulSet' && group === 'apps') {
    const { replicas = 1 } = (object['spec'] ?? {}) as { replicas?: number };
    for (const claim of listAt(object, 'spec', 'volumeClaimTemplates')) {
      chargeClaim(claim, replicas, charge);
      charge('persistentvolumeclaims', replicas);
      charge('count/persistentvolumeclaims', replicas);
    }
  }
  return result;
}

function chargeClaim(claim: unknown, count: number, charge: (resource: string, amount: number) => void): void {
  const storage = amountsAt(claim, 'spec', 'resources', 'requests')['storage'] ?? 0;
  charge('requests.storage', storage * count);
  const storageClass = stringAt(claim, 'spec', 'storageClassName');
  if (storageClass === undefined || storageClass === '') return;
  charge(`${storageClass}.storageclass.storage.k8s.io/requests.storage`, storage * count);
  charge(`${storageClass}.storageclass.storage.k8s.io/persistentvolumeclaims`, count);
}

/** A kind as URLs and RBAC rules name it. */
export interface Resource {
  /** `deployments` */
  readonly plural: string;
  readonly namespaced: boolean;
}

/** `Kind plural` by group, namespaced: what API servers 1.31 to 1.34 serve and list (a test compares it with them). */
const namespaced: Readonly<Record<string, string>> = {
  '': 'ConfigMap configmaps, Endpoints endpoints, Event events, LimitRange limitranges, PersistentVolumeClaim persistentvolumeclaims, Pod pods, PodTemplate podtemplates, ReplicationController replicationcontrollers, ResourceQuota resourcequotas, Secret secrets, Service services, ServiceAccount serviceaccounts',
  apps: 'ControllerRevision controllerrevisions, DaemonSet daemonsets, Deployment deployments, ReplicaSet replicasets, StatefulSet statefulsets',
  autoscaling: 'HorizontalPodAutoscaler horizontalpodautoscalers',
  batch: 'CronJob cronjobs, Job jobs',
  'coordination.k8s.io': 'Lease leases',
  'discovery.k8s.io': 'EndpointSlice endpointslices',
  'events.k8s.io': 'Event events',
  'networking.k8s.io': 'Ingress ingresses, NetworkPolicy networkpolicies',
  policy: 'PodDisruptionBudget poddisruptionbudgets',
  'rbac.authorization.k8s.io': 'Role roles, RoleBinding rolebindings',
  'resource.k8s.io': 'ResourceClaim resourceclaims, ResourceClaimTemplate resourceclaimtemplates',
  'storage.k8s.io': 'CSIStorageCapacity csistoragecapacities',
};

const clusterScoped: Readonly<Record<string, string>> = {
  '': 'ComponentStatus componentstatuses, Namespace namespaces, Node nodes, PersistentVolume persistentvolumes',
  'admissionregistration.k8s.io':
    'MutatingWebhookConfiguration mutatingwebhookconfigurations, ValidatingAdmissionPolicy validatingadmissionpolicies, ValidatingAdmissionPolicyBinding validatingadmissionpolicybindings, ValidatingWebhookConfiguration validatingwebhookconfigurations',
  'apiextensions.k8s.io': 'CustomResourceDefinition customresourcedefinitions',
  'apiregistration.k8s.io': 'APIService apiservices',
  'certificates.k8s.io': 'CertificateSigningRequest certificatesigningrequests',
  'flowcontrol.apiserver.k8s.io': 'FlowSchema flowschemas, PriorityLevelConfiguration prioritylevelconfigurations',
  'networking.k8s.io': 'IPAddress ipaddresses, IngressClass ingressclasses, ServiceCIDR servicecidrs',
  'node.k8s.io': 'RuntimeClass runtimeclasses',
  'rbac.authorization.k8s.io': 'ClusterRole clusterroles, ClusterRoleBinding clusterrolebindings',
  'resource.k8s.io': 'DeviceClass deviceclasses, ResourceSlice resourceslices',
  'scheduling.k8s.io': 'PriorityClass priorityclasses',
  'storage.k8s.io':
    'CSIDriver csidrivers, CSINode csinodes, StorageClass storageclasses, VolumeAttachment volumeattachments, VolumeAttributesClass volumeattributesclasses',
};

/** Well-known custom resources, from the `spec.names` of their definitions. */
const customNamespaced: Readonly<Record<string, string>> = {
  'argoproj.io': 'AppProject appprojects, Application applications, ApplicationSet applicationsets, Rollout rollouts',
  'autoscaling.k8s.io': 'VerticalPodAutoscaler verticalpodautoscalers',
  'bitnami.com': 'SealedSecret sealedsecrets',
  'cert-manager.io': 'Certificate certificates, Issuer issuers',
  'cilium.io': 'CiliumNetworkPolicy ciliumnetworkpolicies',
  'cluster.x-k8s.io': 'MachineDeployment machinedeployments',
  'external-secrets.io': 'ExternalSecret externalsecrets, SecretStore secretstores',
  'gateway.networking.k8s.io':
    'GRPCRoute grpcroutes, Gateway gateways, HTTPRoute httproutes, ReferenceGrant referencegrants',
  'helm.toolkit.fluxcd.io': 'HelmRelease helmreleases',
  'keda.sh': 'ScaledObject scaledobjects',
  'kustomize.toolkit.fluxcd.io': 'Kustomization kustomizations',
  'kyverno.io': 'Policy policies',
  'machine.openshift.io': 'MachineSet machinesets',
  'monitoring.coreos.com':
    'PodMonitor podmonitors, Probe probes, Prometheus prometheuses, PrometheusAgent prometheusagents, PrometheusRule prometheusrules, ScrapeConfig scrapeconfigs, ServiceMonitor servicemonitors',
  'networking.istio.io': 'DestinationRule destinationrules, Gateway gateways, VirtualService virtualservices',
  'openreports.io': 'Report reports',
  'snapshot.storage.k8s.io': 'VolumeSnapshot volumesnapshots',
  'source.toolkit.fluxcd.io':
    'Bucket buckets, GitRepository gitrepositories, HelmChart helmcharts, HelmRepository helmrepositories, OCIRepository ocirepositories',
  'wgpolicyk8s.io': 'PolicyReport policyreports',
};

const customClusterScoped: Readonly<Record<string, string>> = {
  'cert-manager.io': 'ClusterIssuer clusterissuers',
  'cilium.io': 'CiliumClusterwideNetworkPolicy ciliumclusterwidenetworkpolicies',
  'external-secrets.io': 'ClusterSecretStore clustersecretstores',
  'gateway.networking.k8s.io': 'GatewayClass gatewayclasses',
  'karpenter.sh': 'NodePool nodepools',
  'kyverno.io': 'ClusterPolicy clusterpolicies',
  'openreports.io': 'ClusterReport clusterreports',
  'wgpolicyk8s.io': 'ClusterPolicyReport clusterpolicyreports',
};

const builtIn = new Map([...entries(namespaced, true), ...entries(clusterScoped, false)]);
const custom = new Map([...entries(customNamespaced, true), ...entries(customClusterScoped, false)]);

function entries(table: Readonly<Record<string, string>>, inNamespaces: boolean): [string, Resource][] {
  return Object.entries(table).flatMap(([group, list]) =>
    list.split(', ').map((pair): [string, Resource] => {
      const [kind = '', plural = ''] = pair.split(' ');
      return [`${group}/${kind}`, { plural, namespaced: inNamespaces }];
    }),
  );
}

/** The kinds of Kubernetes itself, by `group/Kind`. */
export const builtInResources: ReadonlyMap<string, Resource> = builtIn;

/** The resource of a kind (`group/Kind`, core: `/Kind`) as far as it is known without asking a server. */
export function knownResource(kind: string): Resource | undefined {
  return builtIn.get(kind) ?? custom.get(kind);
}

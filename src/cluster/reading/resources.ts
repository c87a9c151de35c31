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

/** Well-known custom resources, from the `spec.names` of their definitions, and built-in ones that are off by default. */
const customNamespaced: Readonly<Record<string, string>> = {
  'argoproj.io':
    'AnalysisTemplate analysistemplates, AppProject appprojects, Application applications, ApplicationSet applicationsets, Rollout rollouts',
  'autoscaling.k8s.io': 'VerticalPodAutoscaler verticalpodautoscalers',
  'bitnami.com': 'SealedSecret sealedsecrets',
  'cilium.io': 'CiliumNetworkPolicy ciliumnetworkpolicies',
  'gateway.networking.k8s.io':
    'BackendTLSPolicy backendtlspolicies, GRPCRoute grpcroutes, Gateway gateways, HTTPRoute httproutes, ReferenceGrant referencegrants, TCPRoute tcproutes, TLSRoute tlsroutes, UDPRoute udproutes',
  'helm.toolkit.fluxcd.io': 'HelmRelease helmreleases',
  'image.toolkit.fluxcd.io':
    'ImagePolicy imagepolicies, ImageRepository imagerepositories, ImageUpdateAutomation imageupdateautomations',
  'cluster.x-k8s.io': 'MachineDeployment machinedeployments',
  'keda.sh': 'ScaledJob scaledjobs, ScaledObject scaledobjects, TriggerAuthentication triggerauthentications',
  'kustomize.toolkit.fluxcd.io': 'Kustomization kustomizations',
  'kyverno.io': 'Policy policies, PolicyException policyexceptions',
  'machine.openshift.io': 'MachineSet machinesets',
  'cert-manager.io': 'Certificate certificates, Issuer issuers',
  'monitoring.coreos.com':
    'Alertmanager alertmanagers, AlertmanagerConfig alertmanagerconfigs, PodMonitor podmonitors, Probe probes, Prometheus prometheuses, PrometheusAgent prometheusagents, PrometheusRule prometheusrules, ScrapeConfig scrapeconfigs, ServiceMonitor servicemonitors, ThanosRuler thanosrulers',
  'networking.istio.io':
    'DestinationRule destinationrules, EnvoyFilter envoyfilters, Gateway gateways, ServiceEntry serviceentries, Sidecar sidecars, VirtualService virtualservices',
  'notification.toolkit.fluxcd.io': 'Alert alerts, Provider providers, Receiver receivers',
  'openreports.io': 'Report reports',
  'route.openshift.io': 'Route routes',
  'external-secrets.io': 'ExternalSecret externalsecrets, SecretStore secretstores',
  'security.istio.io':
    'AuthorizationPolicy authorizationpolicies, PeerAuthentication peerauthentications, RequestAuthentication requestauthentications',
  'snapshot.storage.k8s.io': 'VolumeSnapshot volumesnapshots',
  'source.toolkit.fluxcd.io':
    'Bucket buckets, ExternalArtifact externalartifacts, GitRepository gitrepositories, HelmChart helmcharts, HelmRepository helmrepositories, OCIRepository ocirepositories',
  'telemetry.istio.io': 'Telemetry telemetries',
  'traefik.io': 'IngressRoute ingressroutes, Middleware middlewares, TraefikService traefikservices',
  'wgpolicyk8s.io': 'PolicyReport policyreports',
};

const customClusterScoped: Readonly<Record<string, string>> = {
  'admissionregistration.k8s.io':
    'MutatingAdmissionPolicy mutatingadmissionpolicies, MutatingAdmissionPolicyBinding mutatingadmissionpolicybindings',
  'argoproj.io': 'ClusterAnalysisTemplate clusteranalysistemplates',
  'cilium.io': 'CiliumClusterwideNetworkPolicy ciliumclusterwidenetworkpolicies',
  'gateway.networking.k8s.io': 'GatewayClass gatewayclasses',
  'karpenter.k8s.aws': 'EC2NodeClass ec2nodeclasses',
  'karpenter.sh': 'NodePool nodepools',
  'keda.sh': 'ClusterTriggerAuthentication clustertriggerauthentications',
  'kyverno.io': 'ClusterPolicy clusterpolicies',
  'cert-manager.io': 'ClusterIssuer clusterissuers',
  'openreports.io': 'ClusterReport clusterreports',
  'external-secrets.io': 'ClusterExternalSecret clusterexternalsecrets, ClusterSecretStore clustersecretstores',
  'snapshot.storage.k8s.io': 'VolumeSnapshotClass volumesnapshotclasses',
  'templates.gatekeeper.sh': 'ConstraintTemplate constrainttemplates',
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

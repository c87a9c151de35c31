import type { Json, JsonObject, KubeObject } from '../core/model.ts';

/** Cluster-scoped kinds of Kubernetes itself (`group/Kind`, core: `/Kind`), v1.36 and the versions before it. */
const builtIn = [
  '/ComponentStatus',
  '/Namespace',
  '/Node',
  '/PersistentVolume',
  'admissionregistration.k8s.io/MutatingAdmissionPolicy',
  'admissionregistration.k8s.io/MutatingAdmissionPolicyBinding',
  'admissionregistration.k8s.io/MutatingWebhookConfiguration',
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy',
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding',
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration',
  'apiextensions.k8s.io/CustomResourceDefinition',
  'apiregistration.k8s.io/APIService',
  'authentication.k8s.io/SelfSubjectReview',
  'authentication.k8s.io/TokenReview',
  'authorization.k8s.io/SelfSubjectAccessReview',
  'authorization.k8s.io/SelfSubjectRulesReview',
  'authorization.k8s.io/SubjectAccessReview',
  'certificates.k8s.io/CertificateSigningRequest',
  'certificates.k8s.io/ClusterTrustBundle',
  'extensions/PodSecurityPolicy',
  'flowcontrol.apiserver.k8s.io/FlowSchema',
  'flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration',
  'internal.apiserver.k8s.io/StorageVersion',
  'networking.k8s.io/ClusterCIDR',
  'networking.k8s.io/IngressClass',
  'networking.k8s.io/IPAddress',
  'networking.k8s.io/ServiceCIDR',
  'node.k8s.io/RuntimeClass',
  'policy/PodSecurityPolicy',
  'rbac.authorization.k8s.io/ClusterRole',
  'rbac.authorization.k8s.io/ClusterRoleBinding',
  'resource.k8s.io/DeviceClass',
  'resource.k8s.io/DeviceTaintRule',
  'resource.k8s.io/ResourceClass',
  'resource.k8s.io/ResourceSlice',
  'scheduling.k8s.io/PriorityClass',
  'storage.k8s.io/CSIDriver',
  'storage.k8s.io/CSINode',
  'storage.k8s.io/StorageClass',
  'storage.k8s.io/VolumeAttachment',
  'storage.k8s.io/VolumeAttributesClass',
  'storagemigration.k8s.io/StorageVersionMigration',
];

/** Cluster-scoped kinds of widely used operators, from the CustomResourceDefinitions that those projects publish. */
const wellKnown = [
  'apiextensions.crossplane.io/CompositeResourceDefinition',
  'apiextensions.crossplane.io/Composition',
  'apiextensions.crossplane.io/CompositionRevision',
  'argoproj.io/ClusterAnalysisTemplate',
  'argoproj.io/ClusterWorkflowTemplate',
  'cert-manager.io/ClusterIssuer',
  'cilium.io/CiliumBGPAdvertisement',
  'cilium.io/CiliumBGPClusterConfig',
  'cilium.io/CiliumBGPNodeConfig',
  'cilium.io/CiliumBGPPeerConfig',
  'cilium.io/CiliumCIDRGroup',
  'cilium.io/CiliumClusterwideEnvoyConfig',
  'cilium.io/CiliumClusterwideNetworkPolicy',
  'cilium.io/CiliumEgressGatewayPolicy',
  'cilium.io/CiliumExternalWorkload',
  'cilium.io/CiliumIdentity',
  'cilium.io/CiliumL2AnnouncementPolicy',
  'cilium.io/CiliumLoadBalancerIPPool',
  'cilium.io/CiliumNode',
  'cilium.io/CiliumPodIPPool',
  'constraints.gatekeeper.sh/*',
  'crd.projectcalico.org/BGPConfiguration',
  'crd.projectcalico.org/BGPPeer',
  'crd.projectcalico.org/ClusterInformation',
  'crd.projectcalico.org/FelixConfiguration',
  'crd.projectcalico.org/GlobalNetworkPolicy',
  'crd.projectcalico.org/GlobalNetworkSet',
  'crd.projectcalico.org/HostEndpoint',
  'crd.projectcalico.org/IPPool',
  'crd.projectcalico.org/KubeControllersConfiguration',
  'eks.amazonaws.com/NodeClass',
  'elbv2.k8s.aws/IngressClassParams',
  'external-secrets.io/ClusterExternalSecret',
  'external-secrets.io/ClusterPushSecret',
  'external-secrets.io/ClusterSecretStore',
  'gateway.networking.k8s.io/GatewayClass',
  'generators.external-secrets.io/ClusterGenerator',
  'karpenter.azure.com/AKSNodeClass',
  'karpenter.k8s.aws/EC2NodeClass',
  'karpenter.sh/NodeClaim',
  'karpenter.sh/NodePool',
  'keda.sh/ClusterTriggerAuthentication',
  'kueue.x-k8s.io/AdmissionCheck',
  'kueue.x-k8s.io/ClusterQueue',
  'kueue.x-k8s.io/Cohort',
  'kueue.x-k8s.io/ResourceFlavor',
  'kueue.x-k8s.io/Topology',
  'kueue.x-k8s.io/WorkloadPriorityClass',
  'kyverno.io/ClusterCleanupPolicy',
  'kyverno.io/ClusterPolicy',
  'kyverno.io/GlobalContextEntry',
  'mutations.gatekeeper.sh/Assign',
  'mutations.gatekeeper.sh/AssignImage',
  'mutations.gatekeeper.sh/AssignMetadata',
  'mutations.gatekeeper.sh/ModifySet',
  'operator.tigera.io/APIServer',
  'operator.tigera.io/Installation',
  'operator.tigera.io/TigeraStatus',
  'pkg.crossplane.io/Configuration',
  'pkg.crossplane.io/ConfigurationRevision',
  'pkg.crossplane.io/DeploymentRuntimeConfig',
  'pkg.crossplane.io/Function',
  'pkg.crossplane.io/Provider',
  'pkg.crossplane.io/ProviderRevision',
  'policies.kyverno.io/ImageValidatingPolicy',
  'policies.kyverno.io/MutatingPolicy',
  'policies.kyverno.io/ValidatingPolicy',
  'policies.kyverno.io/GeneratingPolicy',
  'policies.kyverno.io/DeletingPolicy',
  'policy.networking.k8s.io/AdminNetworkPolicy',
  'policy.networking.k8s.io/BaselineAdminNetworkPolicy',
  'snapshot.storage.k8s.io/VolumeSnapshotClass',
  'snapshot.storage.k8s.io/VolumeSnapshotContent',
  'groupsnapshot.storage.k8s.io/VolumeGroupSnapshotClass',
  'groupsnapshot.storage.k8s.io/VolumeGroupSnapshotContent',
  'templates.gatekeeper.sh/ConstraintTemplate',
  'trust.cert-manager.io/Bundle',
  'config.openshift.io/*',
  'security.openshift.io/SecurityContextConstraints',
  'project.openshift.io/Project',
  'user.openshift.io/Group',
  'user.openshift.io/User',
  'user.openshift.io/Identity',
  'oauth.openshift.io/OAuthClient',
];

const clusterScoped = new Set([...builtIn, ...wellKnown]);

/** Which kinds have a namespace, as far as tables and the CustomResourceDefinitions at hand can tell. */
export interface Scopes {
  /** Kinds that are not known count as namespaced, as Argo CD treats them. */
  isClusterScoped(group: string, kind: string): boolean;
}

/** @param definitions scope by `group/Kind`, from {@link scopesInCrds}; they win over the tables */
export function createScopes(definitions: ReadonlyMap<string, 'Cluster' | 'Namespaced'> = new Map()): Scopes {
  return {
    isClusterScoped(group, kind) {
      const defined = definitions.get(`${group}/${kind}`);
      if (defined !== undefined) return defined === 'Cluster';
      return clusterScoped.has(`${group}/${kind}`) || clusterScoped.has(`${group}/*`);
    },
  };
}

/** Scopes that CustomResourceDefinitions among the objects declare. */
export function scopesInCrds(objects: Iterable<KubeObject>): Map<string, 'Cluster' | 'Namespaced'> {
  const scopes = new Map<string, 'Cluster' | 'Namespaced'>();
  for (const object of objects) {
    if (object.kind !== 'CustomResourceDefinition') continue;
    const spec = asObject(object['spec'] as Json | undefined);
    const group = spec['group'];
    const kind = asObject(spec['names'])['kind'];
    const scope = spec['scope'];
    if (typeof group !== 'string' || typeof kind !== 'string') continue;
    if (scope === 'Cluster' || scope === 'Namespaced') scopes.set(`${group}/${kind}`, scope);
  }
  return scopes;
}

function asObject(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

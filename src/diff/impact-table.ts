import type { Impact } from '../core/model.ts';

/** `group/Kind`, or `*` for every kind. */
type Kinds = readonly string[];

export interface FieldRow {
  readonly kinds: Kinds;
  /** Names of fields from the root, without keys of list elements; the row holds for everything below. `*` is any name. */
  readonly path: string;
  readonly impact: Impact;
  /** Impact when the field was absent before, when that differs: adding a port hurts nobody. */
  readonly whenAdded?: Impact;
  /** Compare numbers instead: impact when the value falls; else `impact`. */
  readonly whenLower?: Impact;
}

/** Controllers that replace their pods when the template changes. */
const rollingKinds = [
  'apps/Deployment',
  'apps/StatefulSet',
  'apps/DaemonSet',
  'argoproj.io/Rollout',
  'apps.kruise.io/CloneSet',
  'apps.kruise.io/StatefulSet',
  'apps.kruise.io/DaemonSet',
  'extensions/Deployment',
  'extensions/DaemonSet',
];
const scaledKinds = [...rollingKinds, 'apps/ReplicaSet', '/ReplicationController'];

/** Kinds whose annotations configure a controller, so that a changed annotation changes behaviour. */
const annotatedKinds = [
  '/Service',
  'networking.k8s.io/Ingress',
  'networking.k8s.io/IngressClass',
  'gateway.networking.k8s.io/Gateway',
  'storage.k8s.io/StorageClass',
  '/ServiceAccount',
  '/PersistentVolumeClaim',
];

/**
 * What a changed field does. The first row that holds counts; without one the change is `configuration`.
 * Fields that the API server refuses to change are `replace` whatever stands here (core/immutable.ts).
 */
export const fieldRows: readonly FieldRow[] = [
  { kinds: rollingKinds, path: 'spec/template', impact: 'restart' },
  { kinds: scaledKinds, path: 'spec/replicas', impact: 'configuration', whenLower: 'disruption' },
  {
    kinds: ['autoscaling/HorizontalPodAutoscaler'],
    path: 'spec/maxReplicas',
    impact: 'configuration',
    whenLower: 'disruption',
  },
  {
    kinds: ['autoscaling/HorizontalPodAutoscaler'],
    path: 'spec/minReplicas',
    impact: 'configuration',
    whenLower: 'disruption',
  },
  { kinds: ['/Service'], path: 'spec/selector', impact: 'disruption' },
  { kinds: ['/Service'], path: 'spec/ports', impact: 'disruption', whenAdded: 'configuration' },
  { kinds: ['/Service'], path: 'spec/type', impact: 'disruption' },
  { kinds: ['/Service'], path: 'spec/externalName', impact: 'disruption' },
  { kinds: ['/Service'], path: 'spec/loadBalancerIP', impact: 'disruption' },
  { kinds: ['networking.k8s.io/Ingress'], path: 'spec/rules', impact: 'disruption', whenAdded: 'configuration' },
  { kinds: ['networking.k8s.io/Ingress'], path: 'spec/ingressClassName', impact: 'disruption' },
  {
    kinds: ['apiextensions.k8s.io/CustomResourceDefinition'],
    path: 'spec/versions/served',
    impact: 'disruption',
    whenAdded: 'configuration',
  },
  { kinds: annotatedKinds, path: 'metadata/annotations', impact: 'configuration' },
  // Selected by webhooks, network policies, Pod Security and quota scopes.
  { kinds: ['/Namespace', '/Node'], path: 'metadata/labels', impact: 'configuration' },
  { kinds: ['*'], path: 'metadata', impact: 'metadata' },
];

/** Custom resources that stand for data: their operator deletes volumes or databases with them. */
const dataKinds = [
  '/PersistentVolumeClaim',
  '/Namespace',
  'apiextensions.k8s.io/CustomResourceDefinition',
  'snapshot.storage.k8s.io/VolumeSnapshot',
  'snapshot.storage.k8s.io/VolumeSnapshotContent',
  'postgresql.cnpg.io/Cluster',
  'postgresql.cnpg.io/Database',
  'acid.zalan.do/postgresql',
  'kafka.strimzi.io/Kafka',
  'kafka.strimzi.io/KafkaNodePool',
  'kafka.strimzi.io/KafkaTopic',
  'mongodbcommunity.mongodb.com/MongoDBCommunity',
  'psmdb.percona.com/PerconaServerMongoDB',
  'pxc.percona.com/PerconaXtraDBCluster',
  'pgv2.percona.com/PerconaPGCluster',
  'elasticsearch.k8s.elastic.co/Elasticsearch',
  'databases.spotahome.com/RedisFailover',
  'redis.redis.opstreelabs.in/RedisCluster',
  'k8s.mariadb.com/MariaDB',
  'mysql.oracle.com/InnoDBCluster',
  'rabbitmq.com/RabbitmqCluster',
  'ceph.rook.io/CephCluster',
  'ceph.rook.io/CephBlockPool',
  'ceph.rook.io/CephFilesystem',
  'ceph.rook.io/CephObjectStore',
  'longhorn.io/Volume',
  'minio.min.io/Tenant',
];

/** What the deletion of an object does. Kinds that are not named: `configuration`. */
export const removalImpact: ReadonlyMap<string, Impact> = new Map<string, Impact>([
  ...dataKinds.map((kind): [string, Impact] => [kind, 'data-loss']),
  ...scaledKinds.map((kind): [string, Impact] => [kind, 'disruption']),
  ['/Pod', 'disruption'],
  ['/Service', 'disruption'],
  ['/PersistentVolume', 'disruption'],
  ['networking.k8s.io/Ingress', 'disruption'],
  ['gateway.networking.k8s.io/Gateway', 'disruption'],
  ['gateway.networking.k8s.io/HTTPRoute', 'disruption'],
  ['apiregistration.k8s.io/APIService', 'disruption'],
]);

/** Kinds whose renaming is only a new name: the content lives on under it. */
export const renameIsConfiguration: ReadonlySet<string> = new Set(['/ConfigMap', '/Secret']);

import type { Entry, KubeObject } from '../../core/model.ts';
import { at, listAt, stringAt } from './pods.ts';

/** Custom resources whose controller deletes the data with them, by `group/Kind`, with what is lost. */
const dataResources: Readonly<Record<string, string>> = {
  'postgresql.cnpg.io/Cluster': 'the PostgreSQL cluster with its volumes',
  'postgresql.cnpg.io/Database': 'the database',
  'postgres-operator.crunchydata.com/PostgresCluster': 'the PostgreSQL cluster with its volumes',
  'acid.zalan.do/postgresql': 'the PostgreSQL cluster with its volumes',
  'pgv2.percona.com/PerconaPGCluster': 'the PostgreSQL cluster',
  'psmdb.percona.com/PerconaServerMongoDB': 'the MongoDB cluster',
  'pxc.percona.com/PerconaXtraDBCluster': 'the MySQL cluster',
  'mongodbcommunity.mongodb.com/MongoDBCommunity': 'the MongoDB cluster',
  'mongodb.com/MongoDB': 'the MongoDB cluster',
  'mysql.oracle.com/InnoDBCluster': 'the MySQL cluster',
  'k8s.mariadb.com/MariaDB': 'the MariaDB server',
  'k8s.mariadb.com/Database': 'the database',
  'kafka.strimzi.io/Kafka': 'the Kafka cluster',
  'kafka.strimzi.io/KafkaNodePool': 'the Kafka brokers of the pool',
  'kafka.strimzi.io/KafkaTopic': 'the topic with its messages',
  'elasticsearch.k8s.elastic.co/Elasticsearch': 'the Elasticsearch cluster with its volumes',
  'opensearch.opster.io/OpenSearchCluster': 'the OpenSearch cluster',
  'databases.spotahome.com/RedisFailover': 'the Redis data',
  'redis.redis.opstreelabs.in/Redis': 'the Redis data',
  'redis.redis.opstreelabs.in/RedisCluster': 'the Redis data',
  'rabbitmq.com/RabbitmqCluster': 'the RabbitMQ cluster with its queues',
  'rabbitmq.com/Queue': 'the queue with its messages',
  'rabbitmq.com/Vhost': 'the virtual host with its queues',
  'cassandra.datastax.com/CassandraDatacenter': 'the Cassandra datacenter with its volumes',
  'scylla.scylladb.com/ScyllaCluster': 'the Scylla cluster',
  'clickhouse.altinity.com/ClickHouseInstallation': 'the ClickHouse installation with its volumes',
  'minio.min.io/Tenant': 'the object store',
  'ceph.rook.io/CephCluster': 'the storage cluster',
  'ceph.rook.io/CephBlockPool': 'the pool with every volume in it',
  'ceph.rook.io/CephFilesystem': 'the file system with every volume in it',
  'ceph.rook.io/CephObjectStore': 'the object store',
  'objectbucket.io/ObjectBucketClaim': 'the bucket',
  'longhorn.io/Volume': 'the volume',
  'snapshot.storage.k8s.io/VolumeSnapshot': 'the snapshot',
  'snapshot.storage.k8s.io/VolumeSnapshotContent': 'the snapshot',
  'cdi.kubevirt.io/DataVolume': 'the virtual disk',
  'kubevirt.io/VirtualMachine': 'the virtual machine with the disks it owns',
  'sql.cnrm.cloud.google.com/SQLInstance': 'the database instance',
  'storage.cnrm.cloud.google.com/StorageBucket': 'the bucket',
  'rds.services.k8s.aws/DBInstance': 'the database instance',
  'rds.services.k8s.aws/DBCluster': 'the database cluster',
  's3.services.k8s.aws/Bucket': 'the bucket',
  'dynamodb.services.k8s.aws/Table': 'the table',
  'atlas.mongodb.com/AtlasDeployment': 'the MongoDB cluster',
};

/** Crossplane providers: the group says which service the managed resource belongs to. */
const managedGroup =
  /^(rds|s3|dynamodb|elasticache|docdb|sql|storage|spanner|dbforpostgresql|dbformysql|cosmosdb|cache)\.(aws|gcp|azure)\.(m\.)?upbound\.io$/;
const managedKinds = new Set([
  'Instance',
  'Cluster',
  'Bucket',
  'Table',
  'DatabaseInstance',
  'FlexibleServer',
  'Account',
  'Container',
  'RedisCache',
  'ReplicationGroup',
]);

/** What a custom resource that stands for data loses when it is deleted; undefined for other kinds. */
export function dataOf(entry: Entry): string | undefined {
  const { group, kind } = entry.ref;
  const key = `${group}/${kind}`;
  if (keepsData(entry.object)) return undefined;
  if (Object.hasOwn(dataResources, key)) return dataResources[key];
  if (key === 'monitoring.coreos.com/Prometheus')
    return at(entry.object, 'spec', 'storage', 'volumeClaimTemplate') === undefined
      ? undefined
      : 'the metrics of this Prometheus';
  return managedGroup.test(group) && managedKinds.has(kind) ? `the cloud resource (${kind})` : undefined;
}

/** The resource itself says that its data outlives it. */
function keepsData(object: KubeObject): boolean {
  const policy = stringAt(object, 'spec', 'deletionPolicy') ?? stringAt(object, 'spec', 'databaseReclaimPolicy');
  if (policy !== undefined && /^(Orphan|Retain|retain)$/.test(policy)) return true;
  const management = listAt<unknown>(object, 'spec', 'managementPolicies');
  if (management.length > 0 && !management.includes('*') && !management.includes('Delete')) return true;
  const annotations = object.metadata.annotations ?? {};
  return (
    annotations['cnrm.cloud.google.com/deletion-policy'] === 'abandon' ||
    annotations['services.k8s.aws/deletion-policy'] === 'retain' ||
    stringAt(object, 'spec', 'cleanupPolicy') === 'Retain'
  );
}

/** Secrets that hold what other data is encrypted with: not made again by applying an old manifest if they were generated. */
const keyNames =
  /(^|[-_.])(encryption|master|unseal|sealed-secrets?|age|sops|kms|recovery|root)[-_.]?keys?($|[-_.])|(^|[-_.])unseal($|[-_.])/;

/** Does a Secret look as if it held encryption keys? By label or by name. */
export function holdsEncryptionKeys(object: KubeObject): boolean {
  if (object.kind !== 'Secret') return false;
  if (object.metadata.labels?.['sealedsecrets.bitnami.com/sealed-secrets-key'] !== undefined) return true;
  return keyNames.test(object.metadata.name.toLowerCase());
}

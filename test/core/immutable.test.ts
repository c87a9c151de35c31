import { describe, expect, test } from 'vitest';
import { immutableViolations } from '../../src/core/immutable.ts';
import type { KubeObject } from '../../src/core/model.ts';
import { readDocuments } from '../../src/core/yaml/read.ts';
import { withDefaults } from '../../src/diff/defaults.ts';

function object(head: string, body: string): KubeObject {
  const [apiVersion, kind] = head.split(' ');
  const yaml = `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: x, namespace: shop}\n${body}\n`;
  return withDefaults(readDocuments(yaml)[0]!.value as unknown as KubeObject);
}

function refused(head: string, before: string, after: string, version?: string): string[] {
  const [apiVersion = '', kind = ''] = head.split(' ');
  const group = apiVersion.includes('/') ? apiVersion.split('/')[0]! : '';
  return immutableViolations(kind, group, object(head, before), object(head, after), version).map((item) => item.path);
}

const template = (image: string) =>
  `template: {metadata: {labels: {a: b}}, spec: {restartPolicy: Never, containers: [{name: c, image: "${image}"}]}}`;
const claim = (size: string, name = 'data') =>
  `volumeClaimTemplates: [{metadata: {name: ${name}}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: ${size}}}}}]`;

const refusedCases: readonly (readonly [string, string, string, readonly string[]])[] = [
  [
    'apps/v1 Deployment',
    'spec: {selector: {matchLabels: {a: b}}}',
    'spec: {selector: {matchLabels: {a: c}}}',
    ['/spec/selector'],
  ],
  [
    'apps/v1 DaemonSet',
    'spec: {selector: {matchLabels: {a: b}}}',
    'spec: {selector: {matchLabels: {a: b, c: d}}}',
    ['/spec/selector'],
  ],
  ['apps/v1 StatefulSet', 'spec: {serviceName: a}', 'spec: {serviceName: b}', ['/spec/serviceName']],
  ['apps/v1 StatefulSet', `spec: {${claim('1Gi')}}`, `spec: {${claim('2Gi')}}`, ['/spec/volumeClaimTemplates']],
  ['apps/v1 StatefulSet', 'spec: {}', 'spec: {podManagementPolicy: Parallel}', ['/spec/podManagementPolicy']],
  ['batch/v1 Job', `spec: {${template('a:1')}}`, `spec: {${template('a:2')}}`, ['/spec/template']],
  ['batch/v1 Job', 'spec: {completions: 1}', 'spec: {completions: 2}', ['/spec/completions']],
  [
    'batch/v1 Job',
    'spec: {completionMode: Indexed, completions: 2, parallelism: 2}',
    'spec: {completionMode: Indexed, completions: 3, parallelism: 2}',
    ['/spec/completions'],
  ],
  ['v1 Service', 'spec: {clusterIP: 10.0.0.1}', 'spec: {clusterIP: 10.0.0.2}', ['/spec/clusterIP']],
  ['v1 Service', 'spec: {}', 'spec: {clusterIP: None}', ['/spec/clusterIP']],
  [
    'v1 PersistentVolumeClaim',
    'spec: {accessModes: [ReadWriteOnce]}',
    'spec: {accessModes: [ReadWriteMany]}',
    ['/spec/accessModes'],
  ],
  [
    'v1 PersistentVolumeClaim',
    'spec: {storageClassName: a}',
    'spec: {storageClassName: b}',
    ['/spec/storageClassName'],
  ],
  [
    'v1 PersistentVolumeClaim',
    'spec: {resources: {requests: {storage: 2Gi}}}',
    'spec: {resources: {requests: {storage: 1Gi}}}',
    ['/spec/resources/requests/storage'],
  ],
  ['v1 PersistentVolume', 'spec: {hostPath: {path: /a}}', 'spec: {hostPath: {path: /b}}', ['/spec/hostPath']],
  [
    'storage.k8s.io/v1 StorageClass',
    'provisioner: a',
    'provisioner: b\nreclaimPolicy: Retain',
    ['/provisioner', '/reclaimPolicy'],
  ],
  ['v1 ConfigMap', 'immutable: true\ndata: {a: b}', 'data: {a: c}', ['/data', '/immutable']],
  ['v1 Secret', 'type: Opaque', 'type: kubernetes.io/tls', ['/type']],
  [
    'rbac.authorization.k8s.io/v1 RoleBinding',
    'roleRef: {kind: Role, name: a}',
    'roleRef: {kind: Role, name: b}',
    ['/roleRef'],
  ],
  ['v1 ResourceQuota', 'spec: {scopes: [BestEffort]}', 'spec: {scopes: [Terminating]}', ['/spec/scopes']],
  ['scheduling.k8s.io/v1 PriorityClass', 'value: 1', 'value: 2', ['/value']],
  [
    'apiextensions.k8s.io/v1 CustomResourceDefinition',
    'spec: {scope: Namespaced}',
    'spec: {scope: Cluster}',
    ['/spec/scope'],
  ],
  [
    'v1 Pod',
    'spec: {containers: [{name: a, image: b, args: [x]}]}',
    'spec: {containers: [{name: a, image: b, args: [y]}]}',
    ['/spec'],
  ],
];

const acceptedCases: readonly (readonly [string, string, string])[] = [
  ['apps/v1 Deployment', `spec: {replicas: 1, ${template('a:1')}}`, `spec: {replicas: 2, ${template('a:2')}}`],
  [
    'apps/v1 Deployment',
    'spec: {selector: {matchLabels: {a: b}}}',
    'spec: {selector: {matchLabels: {a: b}, matchExpressions: []}}',
  ],
  [
    'apps/v1 StatefulSet',
    `spec: {replicas: 1, ${claim('1Gi')}}`,
    `spec: {replicas: 2, minReadySeconds: 5, revisionHistoryLimit: 3, ${claim('1024Mi')}}`,
  ],
  [
    'apps/v1 StatefulSet',
    `spec: {${claim('1Gi')}}`,
    `spec: {${claim('1Gi').replace('spec: {', 'spec: {volumeMode: Filesystem, ').replace('[{metadata', '[{apiVersion: v1, kind: PersistentVolumeClaim, metadata')}}`,
  ],
  [
    'batch/v1 Job',
    `spec: {parallelism: 1, ${template('a:1')}}`,
    `spec: {parallelism: 1, backoffLimit: 3, suspend: true, ${template('a:1')}}`,
  ],
  [
    'batch/v1 Job',
    'spec: {completionMode: Indexed, completions: 2, parallelism: 2}',
    'spec: {completionMode: Indexed, completions: 3, parallelism: 3}',
  ],
  [
    'batch/v1 CronJob',
    `spec: {jobTemplate: {spec: {${template('a:1')}}}}`,
    `spec: {jobTemplate: {spec: {${template('a:2')}}}}`,
  ],
  ['v1 Service', 'spec: {clusterIP: None}', 'spec: {}'],
  ['v1 Service', 'spec: {type: ExternalName, externalName: a}', 'spec: {clusterIP: None}'],
  [
    'v1 PersistentVolumeClaim',
    'spec: {resources: {requests: {storage: 1Gi}}}',
    'spec: {resources: {requests: {storage: 2Gi}}, volumeName: pv}',
  ],
  [
    'v1 PersistentVolume',
    'spec: {capacity: {storage: 1Gi}, csi: {driver: a}}',
    'spec: {capacity: {storage: 2Gi}, csi: {driver: a, controllerExpandSecretRef: {name: s}}}',
  ],
  ['v1 ConfigMap', 'immutable: false\ndata: {a: b}', 'immutable: true\ndata: {a: c}'],
  [
    'v1 ResourceQuota',
    'spec: {scopes: [BestEffort, NotTerminating]}',
    'spec: {scopes: [NotTerminating, BestEffort], hard: {pods: 3}}',
  ],
  ['admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration', 'webhooks: [{name: a}]', 'webhooks: [{name: b}]'],
  [
    'policy/v1 PodDisruptionBudget',
    'spec: {selector: {matchLabels: {a: b}}}',
    'spec: {selector: {matchLabels: {a: c}}}',
  ],
  [
    'v1 Pod',
    'spec: {containers: [{name: a, image: b}]}',
    'spec: {activeDeadlineSeconds: 5, containers: [{name: a, image: c}]}',
  ],
];

describe('immutableViolations', () => {
  test.each(refusedCases)('%s: %s -> %s is refused', (head, before, after, paths) => {
    expect(refused(head, before, after)).toEqual(paths);
  });
  test.each(acceptedCases)('%s: %s -> %s is accepted', (head, before, after) => {
    expect(refused(head, before, after)).toEqual([]);
  });
  test('a StatefulSet keeps its revision history limit on servers older than 1.33', () => {
    const change = [
      'apps/v1 StatefulSet',
      'spec: {revisionHistoryLimit: 3}',
      'spec: {revisionHistoryLimit: 5}',
    ] as const;
    expect(refused(...change, 'v1.32.4')).toEqual(['/spec/revisionHistoryLimit']);
    expect(refused(...change, '1.33')).toEqual([]);
    expect(refused(...change)).toEqual([]);
  });
  test('says what the API server says', () => {
    const [before, after] = ['a', 'b'].map((value) =>
      object('apps/v1 Deployment', `spec: {selector: {matchLabels: {app: ${value}}}}`),
    );
    expect(immutableViolations('Deployment', 'apps', before!, after!)).toEqual([
      {
        path: '/spec/selector',
        message: 'spec.selector: Invalid value: field is immutable',
        before: { matchLabels: { app: 'a' } },
        after: { matchLabels: { app: 'b' } },
      },
    ]);
  });
  test('a class that Git did not name before may be the one that the cluster chose', () => {
    const before = object('v1 PersistentVolumeClaim', 'spec: {}');
    const after = object('v1 PersistentVolumeClaim', 'spec: {storageClassName: fast}');
    expect(immutableViolations('PersistentVolumeClaim', '', before, after)[0]?.condition).toContain(
      'DefaultStorageClass',
    );
  });
  test('another group of the same kind name is none of ours', () => {
    expect(
      immutableViolations(
        'Service',
        'serving.knative.dev',
        object('v1 Service', 'spec: {clusterIP: a}'),
        object('v1 Service', 'spec: {clusterIP: b}'),
      ),
    ).toEqual([]);
  });
});

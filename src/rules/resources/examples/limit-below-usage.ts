import type { RuleExample } from '../../../core/rule.ts';

function prometheus(resources: string, extra = ''): string {
  return `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: prometheus, namespace: monitoring}
spec:
  serviceName: prometheus
  replicas: 2
  selector: {matchLabels: {app: prometheus}}
  template:
    metadata: {labels: {app: prometheus}}
    spec:
      containers:
        - name: prometheus
          image: quay.io/prometheus/prometheus:v3.5.0
          resources: ${resources}
${extra}`;
}
const service = `---
apiVersion: v1
kind: Service
metadata: {name: prometheus, namespace: monitoring}
spec:
  selector: {app: prometheus}
  ports: [{port: 9090}]
`;
const usage = (memory: string, cpu: string) => `
apiVersion: gate/v1
kind: ClusterSnapshot
metadata: {name: production}
takenAt: 2026-11-20T10:00:00Z
metrics:
  - {namespace: monitoring, kind: StatefulSet, name: prometheus, container: prometheus, memoryWorkingSetP99: ${memory}, cpuP99: ${cpu}}
`;
const pod = (last: string) => `
apiVersion: v1
kind: Pod
metadata:
  name: prometheus-0
  namespace: monitoring
  labels: {app: prometheus}
  ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: prometheus, uid: 4d1c, controller: true}]
spec: {containers: [{name: prometheus, image: 'quay.io/prometheus/prometheus:v3.5.0'}]}
status:
  phase: Running
  containerStatuses:
    - {name: prometheus, restartCount: 3, lastState: {terminated: {reason: ${last}, exitCode: 137}}, state: {running: {startedAt: '2026-11-20T08:00:00Z'}}}
`;
const path = '/spec/template/spec/containers/prometheus/resources/limits';

export const examples: readonly RuleExample[] = [
  {
    name: 'the memory limit is halved and nothing says how much is used',
    before: prometheus('{limits: {memory: 2Gi}}'),
    after: prometheus('{limits: {memory: 1Gi}}'),
    expect: [
      {
        resource: 'StatefulSet/monitoring/prometheus',
        path: `${path}/memory`,
        severity: 'high',
        confidence: 'hint',
        novelty: 'worsened',
        message: 'a memory limit of 1Gi instead of 2Gi',
      },
    ],
  },
  {
    name: 'incident I-42: the measured use is above the new limit',
    before: prometheus('{limits: {memory: 2Gi}}'),
    after: prometheus('{limits: {memory: 1Gi}}'),
    live: usage('1.6Gi', '400m'),
    expect: [{ path: `${path}/memory`, severity: 'critical', confidence: 'proven', message: 'OOMKilled' }],
  },
  {
    name: 'a CPU limit is introduced below the measured use',
    before: prometheus('{requests: {cpu: 500m}}'),
    after: prometheus('{requests: {cpu: 500m}, limits: {cpu: 500m}}'),
    live: usage('1.6Gi', '900m'),
    expect: [{ path: `${path}/cpu`, severity: 'high', confidence: 'proven', message: 'throttled' }],
  },
  {
    name: 'a CPU limit is introduced on something that answers requests',
    before: prometheus('{requests: {cpu: 500m}}') + service,
    after: prometheus('{requests: {cpu: 500m}, limits: {cpu: 500m}}') + service,
    expect: [{ path: `${path}/cpu`, confidence: 'hint', novelty: 'introduced' }],
  },
  {
    name: 'the heap of a JVM grows beyond the memory limit',
    before: prometheus('{limits: {memory: 2Gi}}', '          env: [{name: JAVA_OPTS, value: "-Xms512m -Xmx1g"}]'),
    after: prometheus('{limits: {memory: 2Gi}}', '          env: [{name: JAVA_OPTS, value: "-Xms512m -Xmx3g"}]'),
    expect: [{ path: `${path}/memory`, confidence: 'likely', message: '3Gi of heap (-Xmx in JAVA_OPTS)' }],
  },
  {
    name: 'the limit comes to lie below the request',
    before: prometheus('{requests: {memory: 1Gi}, limits: {memory: 2Gi}}'),
    after: prometheus('{requests: {memory: 3Gi}, limits: {memory: 2Gi}}'),
    expect: [{ path: `${path}/memory`, confidence: 'determined', willNotApply: true }],
  },
  {
    name: 'the kernel ended it under the present limit already',
    before: prometheus('{limits: {memory: 2Gi}}'),
    after: prometheus('{limits: {memory: 1900Mi}}'),
    live: pod('OOMKilled'),
    expect: [{ path: `${path}/memory`, severity: 'critical', confidence: 'proven', message: 'OOMKilled' }],
  },
  {
    name: 'quiet: a small cut, and its restarts had another cause',
    before: prometheus('{limits: {memory: 2Gi}}'),
    after: prometheus('{limits: {memory: 1900Mi}}'),
    live: pod('Error'),
    expect: [],
  },
  {
    name: 'quiet: the measured use leaves room',
    before: prometheus('{limits: {memory: 2Gi}}'),
    after: prometheus('{limits: {memory: 1Gi}}'),
    live: usage('600Mi', '200m'),
    expect: [],
  },
  {
    name: 'quiet: the heap is cut together with the limit',
    before: prometheus('{limits: {memory: 4Gi}}', '          env: [{name: JAVA_OPTS, value: "-Xmx3g"}]'),
    after: prometheus('{limits: {memory: 2Gi}}', '          env: [{name: JAVA_OPTS, value: "-Xmx1g"}]'),
    expect: [],
  },
  {
    name: 'quiet: the same limit, written differently',
    before: prometheus('{limits: {memory: 1Gi}}'),
    after: prometheus('{limits: {memory: 1024Mi}}'),
    expect: [],
  },
];

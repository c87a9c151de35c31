import type { RuleExample } from '../../../core/rule.ts';

const prometheus = (selector: string, namespaces = '{}') => `apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {name: main, namespace: monitoring}
spec:
  serviceMonitorSelector: ${selector}
  serviceMonitorNamespaceSelector: ${namespaces}
---
`;

const monitor = (labels: string, port = 'metrics', name = 'node-exporter') => `apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: ${name}, namespace: monitoring, labels: {${labels}}}
spec:
  selector: {matchLabels: {app: node-exporter}}
  endpoints: [{port: ${port}}]
---
`;

const service = (labels = 'app: node-exporter', port = 'metrics') => `apiVersion: v1
kind: Service
metadata: {name: node-exporter, namespace: monitoring, labels: {${labels}}}
spec:
  selector: {app: node-exporter}
  ports: [{name: ${port}, port: 9100}]
---
`;

const alert = `apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: nodes, namespace: monitoring}
spec:
  groups:
    - name: nodes
      rules:
        - alert: NodeFilesystemAlmostFull
          expr: node_filesystem_avail_bytes{job="node-exporter"} < 1e9
          for: 30m
`;

const byRelease = prometheus('{matchLabels: {release: kps}}');

export const examples: readonly RuleExample[] = [
  {
    name: 'the monitor loses the label that Prometheus selects',
    before: byRelease + service() + monitor('release: kps'),
    after: byRelease + service() + monitor('app: node-exporter'),
    expect: [
      {
        resource: 'ServiceMonitor/monitoring/node-exporter',
        path: '/metadata/labels',
        severity: 'medium',
        confidence: 'determined',
      },
    ],
  },
  {
    name: 'alerts use the series',
    before: byRelease + service() + monitor('release: kps') + alert,
    after: byRelease + service() + monitor('app: node-exporter') + alert,
    expect: [{ severity: 'high', message: 'NodeFilesystemAlmostFull' }],
  },
  {
    name: 'the label changes on both ends',
    before: byRelease + service() + monitor('release: kps'),
    after: prometheus('{matchLabels: {release: metrics}}') + service() + monitor('release: metrics'),
    expect: [],
  },
  {
    name: 'the selector of Prometheus gets narrower',
    before: prometheus('{}') + service() + monitor('release: kps'),
    after: prometheus('{matchLabels: {team: platform}}') + service() + monitor('release: kps'),
    expect: [{ resource: 'Prometheus/monitoring/main', path: '/spec/serviceMonitorSelector' }],
  },
  {
    name: 'a second Prometheus selects it',
    before: prometheus('{}') + service() + monitor('release: kps'),
    after:
      prometheus('{matchLabels: {team: platform}}') +
      prometheus('{matchLabels: {release: kps}}').replace('name: main', 'name: second') +
      service() +
      monitor('release: kps'),
    expect: [],
  },
  {
    name: 'the port of the Service is renamed',
    before: byRelease + service() + monitor('release: kps'),
    after: byRelease + service('app: node-exporter', 'http-metrics') + monitor('release: kps'),
    expect: [{ resource: 'Service/monitoring/node-exporter', path: '/spec/ports' }],
  },
  {
    name: 'port and monitor are renamed together',
    before: byRelease + service() + monitor('release: kps'),
    after: byRelease + service('app: node-exporter', 'http-metrics') + monitor('release: kps', 'http-metrics'),
    expect: [],
  },
  {
    name: 'the labels of the Service change, Prometheus is not in sight',
    before: service() + monitor('release: kps'),
    after: service('app.kubernetes.io/name: node-exporter') + monitor('release: kps'),
    expect: [{ resource: 'Service/monitoring/node-exporter', path: '/metadata/labels', confidence: 'likely' }],
  },
  {
    name: 'the monitor is removed, the Service stays',
    before: byRelease + service() + monitor('release: kps'),
    after: byRelease + service(),
    expect: [{ resource: 'ServiceMonitor/monitoring/node-exporter', message: 'is removed' }],
  },
  {
    name: 'the monitor gets another name and the same labels',
    before: byRelease + service() + monitor('release: kps'),
    after: byRelease + service() + monitor('release: kps', 'metrics', 'nodes'),
    expect: [],
  },
  {
    name: 'the application goes away with its monitor',
    before: byRelease + service() + monitor('release: kps'),
    after: byRelease,
    expect: [],
  },
  {
    name: 'the Prometheus of the cluster never selected it',
    before: service() + monitor('release: kps'),
    after: service() + monitor('app: node-exporter'),
    live: prometheus('{matchLabels: {team: platform}}').replace('---\n', ''),
    expect: [],
  },
  {
    name: 'the Prometheus of the cluster selected it',
    before: service() + monitor('release: kps'),
    after: service() + monitor('app: node-exporter'),
    live: byRelease.replace('---\n', ''),
    expect: [{ resource: 'ServiceMonitor/monitoring/node-exporter', confidence: 'determined' }],
  },
  {
    name: 'a relabelling drops the job',
    before: service() + monitor('release: kps'),
    after:
      service() +
      monitor('release: kps').replace(
        '[{port: metrics}]',
        '[{port: metrics, metricRelabelings: [{action: labeldrop, regex: pod|job}]}]',
      ),
    expect: [{ path: '/spec/endpoints/0/metricRelabelings', message: 'pod|job' }],
  },
];

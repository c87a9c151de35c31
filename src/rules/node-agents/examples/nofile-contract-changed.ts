import type { RuleExample } from '../../../core/rule.ts';

const nodeClass = (alias: string, limit?: string) => `apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: {name: default}
spec:
  role: nodes
  amiSelectorTerms: [{alias: ${alias}}]
${
  limit === undefined
    ? ''
    : `  userData: |
    mkdir -p /etc/systemd/system/containerd.service.d
    printf '[Service]\\nLimitNOFILE=${limit}\\n' > /etc/systemd/system/containerd.service.d/files.conf
`
}---
`;

const workload = (name: string, command = '') => `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: ${name}, namespace: data}
spec:
  serviceName: ${name}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers: [{name: ${name}, image: 'registry.example.org/library/${name}:8.15.0'${command}}]
`;

const search = workload('elasticsearch');
const raise = (files: string) => `, command: [sh, -c, 'ulimit -n ${files} && exec /start']`;

export const examples: readonly RuleExample[] = [
  {
    name: 'the limit of the runtime is lowered on new nodes',
    before: nodeClass('al2023@v20251101', '1048576') + search,
    after: nodeClass('al2023@v20251101', '8192') + search,
    expect: [{ resource: 'EC2NodeClass/default', severity: 'high', confidence: 'hint', message: '8192' }],
  },
  {
    name: 'the limit is raised',
    before: nodeClass('al2023@v20251101', '8192') + search,
    after: nodeClass('al2023@v20251101', 'infinity') + search,
    expect: [],
  },
  {
    name: 'another node image, and a search engine that needs many files',
    before: nodeClass('al2023@v20251101') + search,
    after: nodeClass('al2023@v20251115') + search,
    expect: [{ resource: 'EC2NodeClass/default', severity: 'medium', message: 'nothing pins' }],
  },
  {
    name: 'another node image with the limit pinned',
    before: nodeClass('al2023@v20251101', '1048576') + search,
    after: nodeClass('al2023@v20251115', '1048576') + search,
    expect: [],
  },
  {
    name: 'another node image and nothing that needs many files',
    before: nodeClass('al2023@v20251101') + workload('web'),
    after: nodeClass('al2023@v20251115') + workload('web'),
    expect: [],
  },
  {
    name: 'a start script no longer raises the limit',
    before: workload('elasticsearch', raise('65536')),
    after: workload('elasticsearch', ", command: [sh, -c, 'exec /start']"),
    expect: [{ resource: 'StatefulSet/data/elasticsearch', severity: 'high', message: 'no longer raises' }],
  },
  {
    name: 'a start script raises it further',
    before: workload('elasticsearch', raise('65536')),
    after: workload('elasticsearch', raise('131072')),
    expect: [],
  },
];

import type { RuleExample } from '../../../core/rule.ts';

const workload = (image: string) => `---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  replicas: 2
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers: [{name: db, image: '${image}'}]
`;

const one = `sha256:${'1'.repeat(64)}`;
const two = `sha256:${'2'.repeat(64)}`;
const path = '/spec/template/spec/containers/db/image';

const pod = (name: string, id: string) => `---
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: shop, labels: {app: db, controller-revision-hash: db-6c9f}}
spec: {containers: [{name: db, image: 'postgres:16'}]}
status: {phase: Running, containerStatuses: [{name: db, image: 'docker.io/library/postgres:16', imageID: 'docker.io/library/postgres@${id}'}]}
`;

export const examples: readonly RuleExample[] = [
  {
    name: 'from a digest to a tag',
    before: workload(`postgres:16.4@${one}`),
    after: workload('postgres:16.4'),
    expect: [
      {
        resource: 'StatefulSet/db',
        path,
        severity: 'medium',
        confidence: 'determined',
        message: 'from a digest to the tag 16.4',
      },
    ],
  },
  {
    name: 'from a version to latest',
    before: workload('postgres:16.4'),
    after: workload('postgres:latest'),
    expect: [{ resource: 'StatefulSet/db', message: 'from the tag 16.4 to latest, which moves' }],
  },
  {
    name: 'the tag is dropped',
    before: workload('postgres:16.4'),
    after: workload('postgres'),
    expect: [{ resource: 'StatefulSet/db', message: 'loses its tag 16.4' }],
  },
  {
    name: 'from a version to its major line',
    before: workload('postgres:16.4'),
    after: workload('postgres:16'),
    expect: [{ resource: 'StatefulSet/db', message: 'the line 16' }],
  },
  {
    name: 'the same, while pods of one revision run different images under one tag',
    before: workload('postgres:16.4'),
    after: workload('postgres:16'),
    live: pod('db-0', one) + pod('db-1', two),
    expect: [{ resource: 'StatefulSet/db', severity: 'high', confidence: 'proven' }],
  },
  {
    name: 'a version is pushed again under a new digest',
    before: workload(`registry.example.net/shop/db:16.4.1@${one}`),
    after: workload(`registry.example.net/shop/db:16.4.1@${two}`),
    expect: [{ resource: 'StatefulSet/db', severity: 'low' }],
  },
  {
    name: 'an ordinary upgrade with digest',
    before: workload(`postgres:16.4@${one}`),
    after: workload(`postgres:16.6@${two}`),
    expect: [],
  },
  {
    name: 'an ordinary upgrade by tag',
    before: workload('postgres:16.4'),
    after: workload('postgres:16.6'),
    expect: [],
  },
  {
    name: 'a build number is no moving tag',
    before: workload('registry.example.net/shop/db:1841'),
    after: workload('registry.example.net/shop/db:1852'),
    expect: [],
  },
  {
    name: 'a branch name with commit and time is one build',
    before: workload('registry.example.net/shop/db:2.4.0'),
    after: workload('registry.example.net/shop/db:main-3f2a9c1-1763600000'),
    expect: [],
  },
  {
    name: 'it followed a moving tag before',
    before: workload('postgres:latest'),
    after: workload('postgres:stable'),
    expect: [],
  },
  {
    name: 'a development overlay follows main',
    before: workload('registry.example.net/shop/db:2.4.0'),
    after: workload('registry.example.net/shop/db:main'),
    target: { environment: 'dev' },
    expect: [],
  },
];

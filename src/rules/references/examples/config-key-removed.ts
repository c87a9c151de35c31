import type { RuleExample } from '../../../core/rule.ts';

const config = (data: string, extra = '') => `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop${extra}}
data: ${data}
`;
const reader = (name: string, key: string, optional = '') => `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: shop}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers:
        - name: ${name}
          image: registry.example.net/shop/${name}:1.0.0
          env:
            - name: DATABASE_HOST
              valueFrom: {configMapKeyRef: {name: settings, key: ${key}${optional}}}
`;
const mounted = `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: proxy, namespace: shop}
spec:
  selector: {matchLabels: {app: proxy}}
  template:
    metadata: {labels: {app: proxy}}
    spec:
      containers:
        - name: proxy
          image: registry.example.net/shop/proxy:1.0.0
          volumeMounts: [{name: config, mountPath: /etc/proxy/proxy.conf, subPath: proxy.conf}]
      volumes: [{name: config, configMap: {name: settings}}]
`;
const path = '/spec/template/spec/containers/billing/env/DATABASE_HOST/valueFrom/configMapKeyRef';

export const examples: readonly RuleExample[] = [
  {
    name: 'a key is renamed, and an application that is not touched still reads the old one',
    before: config('{DB_HOST: db.shop, LOG_LEVEL: info}') + reader('billing', 'DB_HOST'),
    after: config('{DATABASE_HOST: db.shop, LOG_LEVEL: info}') + reader('billing', 'DB_HOST'),
    expect: [
      {
        resource: 'Deployment/shop/billing',
        path,
        severity: 'high',
        confidence: 'determined',
        message: 'reads key DB_HOST of ConfigMap shop/settings, which this change removes',
      },
    ],
  },
  {
    name: 'a reader names a key that nobody provides',
    before: config('{DB_HOST: db.shop}') + reader('billing', 'DB_HOST'),
    after: config('{DB_HOST: db.shop}') + reader('billing', 'DATABASE_HOST'),
    expect: [{ path, message: 'now reads key DATABASE_HOST of ConfigMap shop/settings, which does not hold it' }],
  },
  {
    name: 'a file that is mounted with subPath',
    before: config('{proxy.conf: "listen 80;"}') + mounted,
    after: config('{nginx.conf: "listen 80;"}') + mounted,
    expect: [
      {
        resource: 'Deployment/shop/proxy',
        path: '/spec/template/spec/containers/proxy/volumeMounts/~1etc~1proxy~1proxy.conf/subPath',
        message: 'finds an empty directory where the file was',
      },
    ],
  },
  {
    name: 'the only reader runs in the cluster and comes from another repository',
    before: config('{DB_HOST: db.shop, LOG_LEVEL: info}'),
    after: config('{LOG_LEVEL: info}'),
    live: reader('billing', 'DB_HOST'),
    expect: [{ resource: 'ConfigMap/shop/settings', path: '/data/DB_HOST', confidence: 'proven' }],
  },
  {
    name: 'quiet: the reader moves over in the same change',
    before: config('{DB_HOST: db.shop}') + reader('billing', 'DB_HOST'),
    after: config('{DATABASE_HOST: db.shop}') + reader('billing', 'DATABASE_HOST'),
    expect: [],
  },
  {
    name: 'quiet: the key is optional for the reader',
    before: config('{DB_HOST: db.shop, LOG_LEVEL: info}') + reader('billing', 'DB_HOST', ', optional: true'),
    after: config('{LOG_LEVEL: info}') + reader('billing', 'DB_HOST', ', optional: true'),
    expect: [],
  },
  {
    name: 'quiet: the key was not in Git before either, a controller adds it',
    before: config('{LOG_LEVEL: info}') + reader('billing', 'ca.crt'),
    after: config('{LOG_LEVEL: debug}') + reader('billing', 'ca.crt'),
    expect: [],
  },
  {
    name: 'quiet: the cluster has the key, put there by somebody else, and applying does not remove it',
    before: config('{LOG_LEVEL: info}'),
    after: config('{LOG_LEVEL: info}') + reader('billing', 'DB_HOST'),
    live: config('{LOG_LEVEL: info, DB_HOST: db.shop}'),
    expect: [],
  },
];

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { gate, writeFiles, type Ended } from '../kit/gate.ts';
import { tempDir } from '../kit/tmp.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Every canary holds this word; none of it may come out anywhere, plain or in base64. */
const word = 'canary';
// Put together here, so that no scanner takes this file for a leak.
const key = (name: string): string =>
  ['-----BEGIN RSA PRIVATE', `KEY-----\n${word}${name}\n-----END RSA PRIVATE`, 'KEY-----'].join(' ');
const githubToken = (name: string): string => `ghp_${`${word}${name}`.padEnd(36, 'A1b2')}`;
const awsId = `AKIA${'CANARY'.padEnd(16, 'X')}`;
const jwt = (name: string): string =>
  ['eyJhbGciOiJIUzI1NiJ9', 'eyJzdWIiOiIxMjM0NTY3ODkwIn0', `${word}${name}0123`].join('.');
const indented = (text: string, spaces: number): string => text.replaceAll('\n', `\n${' '.repeat(spaces)}`);

/** One side of the tree; `n` makes every secret different on the two sides. */
function tree(n: string): Record<string, string> {
  return {
    'manifests/secrets.yaml': `apiVersion: v1
kind: Secret
metadata:
  name: plain
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{"stringData":{"a":"${word}last${n}"}}'
data: {password: ${base64(`${word}data${n}`)}}
stringData: {other: ${word}string${n}}
---
apiVersion: v1
kind: Secret
metadata: {name: pull}
type: kubernetes.io/dockerconfigjson
data:
  .dockerconfigjson: ${base64(JSON.stringify({ auths: { 'registry.example.org': { auth: base64(`u:${word}${n}`), password: `${word}docker${n}` } } }))}
---
apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: Secret
    metadata: {name: listed}
    stringData: {a: ${word}listed${n}}
---
apiVersion: v1
kind: SecretList
items:
  - metadata: {name: inherited}
    stringData: {a: ${word}inherited${n}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: carrier}
data:
  url: postgres://app:${word}url${n}@db.example.org/app
  key.pem: |
    ${indented(key(`config${n}`), 4)}
`,
    'manifests/sops.yaml': `apiVersion: v1
kind: Secret
metadata: {name: sops}
data: {a: "ENC[AES256_GCM,data:${word}sops${n},iv:x,tag:y,type:str]"}
sops: {mac: "ENC[x]", lastmodified: "2026-01-01T00:00:00Z", version: 3.9.0}
`,
    'manifests/job.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: {name: api, labels: {app: api}}
spec:
  replicas: ${n}
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
        - name: api
          image: registry.example.org/api:${n}.0.0
          args: ["--token=${githubToken(`args${n}`)}"]
          env:
            - {name: GITHUB_TOKEN, value: "${githubToken(`env${n}`)}"}
            - {name: AWS_ACCESS_KEY_ID, value: "${awsId}"}
            - {name: JWT, value: "${jwt(`env${n}`)}"}
`,
    'charts/shop/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
    'charts/shop/values.yaml': `replicas: ${n}\nprivateKey: |\n  ${indented(key(`values${n}`), 2)}\n`,
    'charts/shop/templates/all.yaml': `apiVersion: v1
kind: Secret
metadata: {name: shop}
stringData: {key: {{ .Values.privateKey | quote }}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: shop}
data:
  values: {{ .Values | toYaml | quote }}
`,
    // Fails to render, with a secret in helm's own words.
    'charts/failing/Chart.yaml': 'apiVersion: v2\nname: failing\nversion: 1.0.0\n',
    'charts/failing/values.yaml': `token: ${githubToken(`fail${n}`)}\nkey: |\n  ${indented(key(`fail${n}`), 2)}\n`,
    'charts/failing/templates/all.yaml': '{{ fail (printf "wrong token %s and key %s" .Values.token .Values.key) }}\n',
    // A Secret that is no YAML: the message must not quote it.
    'charts/unreadable/Chart.yaml': 'apiVersion: v2\nname: unreadable\nversion: 1.0.0\n',
    'charts/unreadable/values.yaml': `n: ${n}\n`,
    'charts/unreadable/templates/all.yaml': `apiVersion: v1\nkind: Secret\nmetadata: {name: x}\nstringData:\n  a: "${word}unreadable${n}\n  b: ${word}unreadable\n`,
    'broken/secret.yaml': `apiVersion: v1\nkind: Secret\nmetadata: {name: broken}\nstringData:\n  a: ${word}broken${n}: x\n  *${word}alias\n`,
    'apps/shop.yaml': `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop, namespace: argocd}
spec:
  project: default
  destination: {namespace: shop, server: "https://kubernetes.default.svc"}
  source:
    repoURL: https://user:${word}repo${n}@git.example.org/x.git
    path: charts/shop
    targetRevision: main
    helm:
      valuesObject:
        token: ${githubToken(`object${n}`)}
        privateKey: |
          ${indented(key(`object${n}`), 10)}
      parameters:
        - {name: other, value: "${jwt(`parameter${n}`)}"}
`,
    'overlays/prod/kustomization.yaml': `resources: [../../manifests/job.yaml]
secretGenerator:
  - name: generated
    literals: [password=${word}literal${n}]
configMapGenerator:
  - name: settings
    literals: ["dsn=amqp://app:${word}generator${n}@mq.example.org/"]
`,
  };
}

const snapshot = `apiVersion: gate/v1
kind: ClusterSnapshot
metadata: {name: production}
takenAt: 2026-11-20T10:00:00Z
---
apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: Secret
    metadata:
      name: plain
      namespace: default
      annotations:
        kubectl.kubernetes.io/last-applied-configuration: '{"stringData":{"a":"${word}live"}}'
    data: {password: ${base64(`${word}live`)}}
  - apiVersion: v1
    kind: ConfigMap
    metadata: {name: carrier, namespace: default}
    data: {url: "postgres://app:${word}live@db.example.org/app"}
`;

/** Lines that hold a canary, plain or in one of the three alignments of base64. */
function leaksOf(text: string): string[] {
  const encoded = [base64(word), base64(`x${word}`).slice(4), base64(`xx${word}`).slice(4)];
  const forms = [word, 'CANARY', ...encoded.map((form) => form.replace(/=+$/, '').slice(0, -1))];
  return text
    .split('\n')
    .filter((line) => forms.some((form) => line.includes(form)))
    .map((line) => line.trim().slice(0, 300));
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => statSync(path).isFile());
}

describe('no secret comes out', () => {
  const root = tempDir('secrets');
  const cacheHome = join(root, 'cache');
  const sides = ['--before', join(root, 'before'), '--after', join(root, 'after')];
  const run = (...args: string[]): Promise<Ended> => gate(args, { env: { XDG_CACHE_HOME: cacheHome } });
  let checked: Ended;

  beforeAll(async () => {
    writeFiles(join(root, 'before'), tree('2'));
    writeFiles(join(root, 'after'), tree('3'));
    writeFiles(root, { 'snapshot.yaml': snapshot });
    const formats = ['json', 'markdown', 'sarif', 'junit', 'html'].map(
      (format) => `${format}=${join(root, 'reports', format)}`,
    );
    checked = await run(
      'check',
      ...sides,
      '--snapshot',
      join(root, 'snapshot.yaml'),
      '--debug',
      '--output',
      'terminal',
      ...formats.flatMap((format) => ['--output', format]),
    );
  }, 120_000);

  test('in the terminal report and the messages', () => {
    expect(checked.code).toBe(3);
    expect(leaksOf(checked.stdout + checked.stderr)).toEqual([]);
  });

  test.each(['json', 'markdown', 'sarif', 'junit', 'html'])('in the %s report', (format) => {
    const text = readFileSync(join(root, 'reports', format), 'utf8');
    expect(text.length).toBeGreaterThan(200);
    expect(leaksOf(text)).toEqual([]);
  });

  test.each(['before', 'after'])(
    'in gate render --side %s, where each secret is there as a fingerprint',
    async (side) => {
      const ended = await run('render', '--all', '--side', side, ...sides);
      expect(ended.stdout).toContain('redacted:');
      for (const name of ['plain', 'pull', 'listed', 'inherited', 'carrier', 'sops', 'shop'])
        expect(ended.stdout).toContain(`name: ${name}\n`);
      expect(leaksOf(ended.stdout + ended.stderr)).toEqual([]);
    },
  );

  test('in gate diff, which shows that they changed', async () => {
    const ended = await run('diff', ...sides);
    expect(ended.stdout).toMatch(/password: redacted:/);
    expect(leaksOf(ended.stdout + ended.stderr)).toEqual([]);
  });

  test('in the cache', () => {
    const files = filesBelow(cacheHome);
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) expect(leaksOf(readFileSync(file, 'latin1'))).toEqual([]);
  });
});

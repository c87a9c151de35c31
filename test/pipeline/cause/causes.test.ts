import { describe, expect, it } from 'vitest';
import { hasTool } from '../../kit/tools.ts';
import { causesOf, chart, judge, webTarget, type Files } from './kit.ts';

const base: Files = { ...chart, ...webTarget('common.yaml', 'prod.yaml'), 'common.yaml': 'logLevel: info\n' };
const prod = `# how many
replicas: 4
# what
image: registry.example.org/web:1.0.0
# how loud
logLevel: warn
`;

describe.skipIf(!(await hasTool('helm')))('causes in Helm values', () => {
  it('names the one of three changed places that makes the finding', async () => {
    const report = await judge(
      { ...base, 'prod.yaml': prod },
      { ...base, 'prod.yaml': prod.replace('4', '1').replace('1.0.0', '1.0.1').replace('warn', 'debug') },
    );
    expect(causesOf(report)).toStrictEqual(['replicas-cut prod.yaml:2 counterfactual']);
    expect(report.work.causes).toMatchObject({ findings: 1, found: 1, renders: 3, complete: true });
  });

  it('names the file of several', async () => {
    const report = await judge(
      { ...base, 'prod.yaml': 'image: registry.example.org/web:1.0.0\n', 'common.yaml': 'x: 1\nreplicas: 4\n' },
      { ...base, 'prod.yaml': 'image: registry.example.org/web:1.0.1\n', 'common.yaml': 'x: 1\nreplicas: 1\n' },
    );
    expect(causesOf(report)).toStrictEqual(['replicas-cut common.yaml:2 counterfactual']);
  });

  it('narrows a block down to its line', async () => {
    const report = await judge(
      { ...base, 'prod.yaml': 'logLevel: info\nreplicas: 4\nimage: registry.example.org/web:1.0.0\n' },
      { ...base, 'prod.yaml': 'logLevel: debug\nreplicas: 1\nimage: registry.example.org/web:1.0.1\n' },
    );
    expect(causesOf(report)).toStrictEqual(['replicas-cut prod.yaml:2 counterfactual']);
  });

  it('names a template, and a place where a line was removed', async () => {
    const path = 'charts/web/templates/web.yaml';
    const template = chart[path] ?? '';
    const report = await judge(
      { ...base, 'prod.yaml': prod },
      {
        ...base,
        'prod.yaml': prod.replace('warn', 'debug'),
        [path]: template.replace('  replicas: {{ .Values.replicas }}\n', ''),
      },
    );
    const causes = causesOf(report);
    expect(causes.length).toBeGreaterThan(0);
    expect(causes).toStrictEqual(causes.map((text) => `${text.split(' ')[0]} ${path}:6 counterfactual`));
  });

  it('gives no line to a finding of two changes together, and to another one its own', async () => {
    const old = 'replicas: 4\n# guard\nbudget: ""\n';
    const report = await judge(
      { ...base, 'prod.yaml': old },
      { ...base, 'prod.yaml': old.replace('4', '1').replace('""', '1') },
    );
    expect(causesOf(report).toSorted()).toStrictEqual([
      'pdb-blocks-all-evictions none',
      'replicas-cut prod.yaml:1 counterfactual',
    ]);
  });

  it('gives no line where each of two changes does it alone', async () => {
    const path = 'charts/web/templates/web.yaml';
    const template = (chart[path] ?? '').replace('.Values.replicas', 'min .Values.replicas .Values.cap');
    const files = { ...base, [path]: template };
    const report = await judge(
      { ...files, 'prod.yaml': 'replicas: 4\n# cap\ncap: 4\n' },
      { ...files, 'prod.yaml': 'replicas: 1\n# cap\ncap: 1\n' },
    );
    expect(causesOf(report)).toStrictEqual(['replicas-cut none']);
  });

  it('takes a part without which the finding is weaker', async () => {
    const path = 'charts/web/templates/web.yaml';
    const template = (chart[path] ?? '').replace('.Values.replicas', 'mul .Values.replicas .Values.zones');
    const files = { ...base, [path]: template };
    const report = await judge(
      { ...files, 'prod.yaml': 'replicas: 4\n# zones\nzones: 1\n' },
      { ...files, 'prod.yaml': 'replicas: 1\n# zones\nzones: 0\n' },
    );
    expect(report.findings[0]).toMatchObject({ ruleId: 'replicas-cut', severity: 'high' });
    expect(causesOf(report)).toStrictEqual(['replicas-cut prod.yaml:3 counterfactual']);
  });

  it('passes over a place without which the chart does not render', async () => {
    const path = 'charts/web/templates/web.yaml';
    const template = (chart[path] ?? '').replace('.Values.image', 'required "image.tag is missing" .Values.tag');
    const report = await judge(
      { ...base, 'prod.yaml': prod },
      { ...base, [path]: template, 'prod.yaml': `tag: registry.example.org/web:1.0.1\n${prod.replace('4', '1')}` },
    );
    expect(causesOf(report)).toStrictEqual(['replicas-cut prod.yaml:3 counterfactual']);
  });

  it('names the place in the chart of an Argo CD application', async () => {
    const files: Files = {
      ...chart,
      'gate.yaml': 'repositoryUrls: ["https://git.example.org/platform/deploy.git"]\n',
      'apps/web.yaml': `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web-production, namespace: argocd}
spec:
  project: default
  destination: {name: production, namespace: web}
  source:
    repoURL: https://git.example.org/platform/deploy.git
    targetRevision: HEAD
    path: charts/web
    helm: {valueFiles: [../../envs/production/web.yaml]}
`,
    };
    const report = await judge(
      { ...files, 'envs/production/web.yaml': prod },
      { ...files, 'envs/production/web.yaml': prod.replace('4', '1').replace('warn', 'debug') },
    );
    expect(causesOf(report)).toStrictEqual(['replicas-cut envs/production/web.yaml:2 counterfactual']);
  });

  it('names the line of values that stand in an Argo CD application', async () => {
    const app = (replicas: number, level: string) => `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: web-production
  namespace: argocd
  annotations:
    team: ${level}
spec:
  project: default
  destination: {name: production, namespace: web}
  source:
    repoURL: https://git.example.org/platform/deploy.git
    targetRevision: HEAD
    path: charts/web
    helm:
      valuesObject:
        logLevel: ${level}
        # how many
        replicas: ${replicas}
`;
    const files: Files = {
      ...chart,
      'gate.yaml': 'repositoryUrls: ["https://git.example.org/platform/deploy.git"]\n',
    };
    const report = await judge(
      { ...files, 'apps/web.yaml': app(4, 'info') },
      { ...files, 'apps/web.yaml': app(1, 'debug') },
    );
    expect(causesOf(report)).toStrictEqual(['replicas-cut apps/web.yaml:19 counterfactual']);
  });

  it('names the line of values that stand in a HelmRelease', async () => {
    const release = (replicas: number, level: string) => `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: web
  namespace: web
spec:
  interval: 10m
  chart:
    spec:
      chart: ./charts/web
      sourceRef: {kind: GitRepository, name: flux-system, namespace: flux-system}
  values:
    logLevel: ${level}
    # how many
    replicas: ${replicas}
`;
    const files: Files = {
      ...chart,
      'gate.yaml': 'repositoryUrls: ["https://git.example.org/platform/deploy.git"]\n',
      'clusters/production/flux-system/gotk-sync.yaml': `apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: flux-system, namespace: flux-system}
spec: {interval: 1m, url: "https://git.example.org/platform/deploy.git", ref: {branch: main}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: flux-system, namespace: flux-system}
spec: {interval: 10m, path: ./clusters/production, prune: true, sourceRef: {kind: GitRepository, name: flux-system}}
`,
    };
    const path = 'clusters/production/web.yaml';
    const report = await judge({ ...files, [path]: release(4, 'info') }, { ...files, [path]: release(1, 'debug') });
    expect(causesOf(report)).toStrictEqual([`replicas-cut ${path}:15 counterfactual`]);
  });

  it('names the values of the chart that renders the application', async () => {
    const repository = 'https://git.example.org/platform/deploy.git';
    const application = (name: string, path: string, values: string) => `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: ${name}, namespace: argocd}
spec:
  project: default
  destination: {name: production, namespace: ${name === 'root' ? 'argocd' : 'web'}}
  source:
    repoURL: ${repository}
    targetRevision: HEAD
    path: ${path}
    helm: ${values}
`;
    const files: Files = {
      ...chart,
      'gate.yaml': `repositoryUrls: ["${repository}"]\n`,
      'apps/root.yaml': application('root', 'root', '{valueFiles: [production.yaml]}'),
      'root/Chart.yaml': 'apiVersion: v2\nname: root\nversion: 1.0.0\n',
      'root/templates/web.yaml': application('web', 'charts/web', '{valuesObject: {{ toJson .Values.web }}}'),
    };
    const old = 'web:\n  logLevel: info\n  # how many\n  replicas: 4\n';
    const report = await judge(
      { ...files, 'root/production.yaml': old },
      { ...files, 'root/production.yaml': old.replace('info', 'debug').replace('4', '1') },
    );
    expect(causesOf(report)).toStrictEqual(['replicas-cut root/production.yaml:4 counterfactual']);
  });

  it('looks for a finding of several targets once', async () => {
    const files: Files = {
      ...chart,
      'gate.yaml': `targets:
  - {name: eu, helm: {chart: charts/web, values: [all.yaml], release: web, namespace: web}, environment: production, cluster: eu}
  - {name: us, helm: {chart: charts/web, values: [all.yaml], release: web, namespace: web}, environment: production, cluster: us}
detect: false
`,
    };
    const report = await judge(
      { ...files, 'all.yaml': prod },
      { ...files, 'all.yaml': prod.replace('4', '1').replace('warn', 'debug') },
    );
    expect(report.findings[0]?.alsoIn).toHaveLength(1);
    expect(causesOf(report)).toStrictEqual(['replicas-cut all.yaml:2 counterfactual']);
    expect(report.work.causes?.renders).toBe(2);
  });
});

const overlay: Files = {
  'base/kustomization.yaml': 'resources: [web.yaml]\n',
  'base/web.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: web}
spec:
  replicas: 4
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: "registry.example.org/web:1.0.0"}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
`,
  'overlays/prod/kustomization.yaml': 'resources: [../../base]\npatches: [{path: size.yaml}]\n',
  'gate.yaml': 'targets:\n  - {name: web, kustomize: {path: overlays/prod}, environment: production}\ndetect: false\n',
};
const patch = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: web
  annotations: {owner: team-a}
spec:
  replicas: 4
  template:
    metadata:
      annotations: {note: one}
`;

describe.skipIf(!(await hasTool('kustomize')))('causes in overlays', () => {
  it('names the line of the patch, not the object that is patched', async () => {
    const report = await judge(
      { ...overlay, 'overlays/prod/size.yaml': patch },
      {
        ...overlay,
        'overlays/prod/size.yaml': patch.replace('team-a', 'team-b').replace('4', '1').replace('one', 'two'),
      },
    );
    expect(causesOf(report)).toStrictEqual(['replicas-cut overlays/prod/size.yaml:8 counterfactual']);
  });

  it('names the base when the base does it', async () => {
    const files = { ...overlay, 'overlays/prod/kustomization.yaml': 'resources: [../../base]\n' };
    const web = overlay['base/web.yaml'] ?? '';
    const report = await judge(files, {
      ...files,
      'base/web.yaml': web.replace('replicas: 4', 'replicas: 1').replace('1.0.0', '1.0.1'),
    });
    expect(causesOf(report)).toStrictEqual(['replicas-cut base/web.yaml:5 counterfactual']);
  });
});

describe('causes in files that are no manifests', () => {
  it('names the line of a Dockerfile that the change wrote', async () => {
    const dockerfile = 'FROM python:3.12.4-slim\nWORKDIR /app\nCOPY . .\nRUN pip install flask==3.0.3\nUSER 1000\n';
    const report = await judge(
      { 'app/Dockerfile': dockerfile },
      { 'app/Dockerfile': dockerfile.replace('flask==3.0.3', 'flask').replace('1000', '1001') },
    );
    expect(causesOf(report)).toStrictEqual(['python-unpinned app/Dockerfile:4 exact']);
  });
});

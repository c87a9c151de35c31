import { silentProgress } from '../../../src/cli/progress.ts';
import type { GateReport } from '../../../src/core/model.ts';
import { runGate, type GatePorts, type GateRequest } from '../../../src/pipeline.ts';
import { createPorts } from '../../../src/wire.ts';
import { tempDir, writeFiles } from '../../kit/tmp.ts';
import { join } from 'node:path';

export type Files = Readonly<Record<string, string>>;

/** A chart with a Deployment, its Service and a budget, all of it decided by values. */
export const chart: Files = {
  'charts/web/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n',
  'charts/web/values.yaml': 'replicas: 4\nimage: registry.example.org/web:1.0.0\nlogLevel: info\nbudget: ""\n',
  'charts/web/templates/web.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: {{ .Values.image }}
          env:
            - {name: LOG_LEVEL, value: {{ .Values.logLevel | quote }}}
            {{- range $name, $value := .Values.env }}
            - {name: {{ $name }}, value: {{ required "no value" $value | quote }}}
            {{- end }}
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
{{- if .Values.budget }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: web
spec:
  minAvailable: {{ .Values.budget }}
  selector:
    matchLabels: {app: web}
{{- end }}
`,
};

/** gate.yaml with the chart in production. */
export function webTarget(...values: readonly string[]): Files {
  return {
    'gate.yaml': `targets:
  - {name: web, helm: {chart: charts/web, values: [${values.join(', ')}], release: web, namespace: web}, environment: production}
detect: false
`,
  };
}

/** Runs the gate on two trees with the search for causes switched on. */
export async function judge(
  before: Files,
  after: Files,
  causes: NonNullable<GateRequest['causes']> = { seconds: 60 },
  adapt: (ports: GatePorts) => GatePorts = (ports) => ports,
): Promise<GateReport> {
  const folder = tempDir('causes');
  writeFiles(join(folder, 'before'), before);
  writeFiles(join(folder, 'after'), after);
  return judgeFolder(folder, causes, adapt);
}

/** The same of a folder that holds `before` and `after`. */
export async function judgeFolder(
  folder: string,
  causes: NonNullable<GateRequest['causes']> = { seconds: 60 },
  adapt: (ports: GatePorts) => GatePorts = (ports) => ports,
): Promise<GateReport> {
  const ports = await createPorts({ cache: false, progress: silentProgress });
  const { report } = await runGate(
    {
      trees: { kind: 'directories', before: join(folder, 'before'), after: join(folder, 'after') },
      targets: [],
      all: false,
      onIncomplete: 'fail',
      causes,
    },
    adapt(ports),
  );
  return report;
}

/** `rule file:line-endLine how` of every finding that counts. */
export function causesOf(report: GateReport): string[] {
  return report.findings
    .filter(({ novelty }) => novelty === 'introduced' || novelty === 'worsened')
    .map(({ ruleId, cause }) => {
      if (cause === undefined) return `${ruleId} none`;
      const { file, line, endLine, how } = cause;
      return `${ruleId} ${file}:${line}${endLine === undefined ? '' : `-${endLine}`} ${how}`;
    });
}

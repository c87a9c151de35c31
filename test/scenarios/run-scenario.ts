import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { silentProgress } from '../../src/cli/progress.ts';
import { counts } from '../../src/core/counts.ts';
import { runGate, type GatePorts } from '../../src/pipeline.ts';
import { createPorts } from '../../src/wire.ts';

export interface ScenarioResult {
  readonly verdict: string;
  readonly reason: string;
  readonly findings: readonly { ruleId: string; resource: string; path: string; severity: string }[];
  readonly notEvaluated: readonly string[];
}

/** Runs a scenario folder (before/, after/, optional snapshot.yaml and gate.yaml) with real helm and kustomize. */
export async function runScenario(
  folder: string,
  adapt: (ports: GatePorts) => GatePorts = (ports) => ports,
): Promise<ScenarioResult> {
  const optional = (name: string) => {
    const path = join(folder, name);
    return existsSync(path) ? path : undefined;
  };
  const snapshot = optional('snapshot.yaml');
  const config = optional('gate.yaml');
  const ports = await createPorts({
    cache: true,
    progress: silentProgress,
    ...(snapshot === undefined ? {} : { evidence: { snapshots: [snapshot], live: [], timeoutMs: 60_000 } }),
    ...(config === undefined ? {} : { config }),
  });
  const { report } = await runGate(
    {
      trees: { kind: 'directories', before: join(folder, 'before'), after: join(folder, 'after') },
      targets: [],
      all: false,
      onIncomplete: 'fail',
    },
    adapt(ports),
  );
  return {
    verdict: report.verdict,
    reason: report.reason,
    findings: report.findings
      .filter(counts)
      .map(({ ruleId, resource, path, severity }) => ({
        ruleId,
        resource: [resource.kind, resource.namespace, resource.name].filter((part) => part !== undefined).join('/'),
        path,
        severity,
      }))
      .sort((a, b) => a.ruleId.localeCompare(b.ruleId) || a.resource.localeCompare(b.resource)),
    notEvaluated: report.coverage.notEvaluated.map((entry) => `${entry.what}: ${entry.reason}`),
  };
}

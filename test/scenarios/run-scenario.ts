import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { silentProgress } from '../../src/cli/progress.ts';
import type { DryRunAnswer, DryRunRequest } from '../../src/core/cluster.ts';
import type { KubeObject } from '../../src/core/model.ts';
import { counts } from '../../src/core/counts.ts';
import { runGate, type GatePorts } from '../../src/pipeline.ts';
import { createPorts } from '../../src/wire.ts';

export interface ScenarioResult {
  readonly verdict: string;
  readonly reason: string;
  readonly findings: readonly { ruleId: string; resource: string; path: string; severity: string }[];
  readonly notEvaluated: readonly string[];
}

interface Recorded extends Omit<DryRunAnswer, 'id' | 'warnings'> {
  /** `Kind/name` of the object that was sent; of a pod its `generateName`. */
  readonly resource: string;
}

/** The snapshot's cluster with the recorded answers of an API server to dry runs; it accepts every other object. */
function withAnswers(ports: GatePorts, file: string): GatePorts {
  const recorded = parse(readFileSync(file, 'utf8')) as readonly Recorded[];
  const answer = ({ id, object }: DryRunRequest): DryRunAnswer => {
    const { kind, metadata } = object as unknown as KubeObject;
    const name = `${kind}/${metadata.name ?? String(metadata['generateName'])}`;
    const { resource: _, ...said } = recorded.find(({ resource }) => resource === name) ?? accepted;
    return { ...said, id, warnings: [] };
  };
  const dryRun = (requests: readonly DryRunRequest[]) => Promise.resolve(requests.map(answer));
  return { ...ports, createClusters: (config) => ports.createClusters(config).map((of) => ({ ...of, dryRun })) };
}

const accepted: Recorded = { resource: '', outcome: 'accepted', code: 200 };

/**
 * Runs a scenario folder with real helm and kustomize: before/, after/, optional snapshot.yaml, gate.yaml, and
 * api-server.yaml with what a real API server answered to a dry run of the change.
 */
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
  const answers = optional('api-server.yaml');
  const { report } = await runGate(
    {
      trees: { kind: 'directories', before: join(folder, 'before'), after: join(folder, 'after') },
      targets: [],
      all: false,
      onIncomplete: 'fail',
      ...(answers === undefined ? {} : { dryRun: { objects: true, pods: true } }),
    },
    adapt(answers === undefined ? ports : withAnswers(ports, answers)),
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

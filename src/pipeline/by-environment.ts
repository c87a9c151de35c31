import type { Finding, GateReport, NotEvaluated } from '../core/model.ts';
import { scoreFindings } from '../score/score.ts';
import { judge } from '../verdict/verdict.ts';

/** The part of a report that is about one environment, judged by itself. */
export interface EnvironmentReport {
  readonly name: string;
  readonly report: GateReport;
}

/**
 * Judges each environment by what reaches it. What names no environment (a finding in a file of no target, a gap of the
 * whole run) counts in all of them. Environments that the change does not reach are there, too: a required check has to
 * report.
 * @returns sorted by name; empty when no target names an environment
 */
export function byEnvironment(report: GateReport, onIncomplete: 'fail' | 'warn'): EnvironmentReport[] {
  const environments = new Map(report.coverage.targets.map(({ id, environment }) => [id, environment]));
  const names = [...new Set(environments.values())].filter((name) => name !== undefined).toSorted();
  return names.map((name) => {
    const holds = (target: string) => environments.get(target) === name;
    const findings = report.findings.filter((finding) => environmentsOf(finding, environments).has(name));
    const notEvaluated = report.coverage.notEvaluated.filter((entry) => concerns(entry, name, environments));
    const score = scoreFindings(findings);
    return {
      name,
      report: {
        ...report,
        ...judge({ score, findings, notEvaluated, onIncomplete }),
        score,
        findings,
        changes: report.changes.filter((change) => holds(change.target)),
        drift: report.drift.filter((entry) => holds(entry.target)),
        coverage: {
          targets: report.coverage.targets.filter(({ environment }) => environment === name),
          notEvaluated,
        },
      },
    };
  });
}

type Environments = ReadonlyMap<string, string | undefined>;

/** A finding that was folded stands for other targets, too, perhaps of other environments. */
function environmentsOf(finding: Finding, environments: Environments): { has(name: string): boolean } {
  const own = finding.environment ?? environments.get(finding.target);
  const found = [own, ...(finding.alsoIn ?? []).map((target) => environments.get(target))];
  return found.includes(undefined) ? { has: () => true } : { has: (name) => found.includes(name) };
}

function concerns({ target }: NotEvaluated, name: string, environments: Environments): boolean {
  const environment = target === undefined ? undefined : environments.get(target);
  return environment === undefined || environment === name;
}

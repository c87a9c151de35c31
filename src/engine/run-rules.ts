import { messageOf } from '../core/errors.ts';
import type { Config } from '../core/config.ts';
import type { Finding, NotEvaluated, Target } from '../core/model.ts';
import type { Problem, Rule, RuleContext } from '../core/rule.ts';
import { fingerprint } from './fingerprint.ts';
import { resolveOptions } from './options.ts';
import type { WaiverLookup } from './waivers.ts';

/** What the score stage gives the engine: it is handed in, because stages do not import each other. */
export interface Scoring {
  blastRadius(input: {
    readonly resource: Finding['resource'];
    readonly target: Target | undefined;
    readonly production: boolean;
    readonly clusters: number;
    readonly namespaces: number;
  }): Finding['blast'];
  scoreFinding(input: {
    readonly severity: Finding['severity'];
    readonly confidence: Finding['confidence'];
    readonly reversibility: Finding['reversibility'];
    readonly blast: number;
  }): { readonly score: number; readonly arithmetic: string };
}

export interface RuleRun {
  readonly findings: readonly Finding[];
  /** Rules that crashed: what they look at was not judged. */
  readonly notEvaluated: readonly NotEvaluated[];
}

interface RawFinding {
  readonly rule: Rule;
  readonly problem: Problem;
  readonly target: Target | undefined;
}

/**
 * Runs every rule that is switched on. A rule that throws is listed as not evaluated and makes the verdict incomplete.
 * Findings come highest score first; the same problem in several targets is one finding with `alsoIn`.
 */
export function runRules(input: {
  readonly rules: readonly Rule[];
  readonly context: Omit<RuleContext, 'options'>;
  readonly config: Config;
  readonly waiverFor: WaiverLookup;
  readonly scoring: Scoring;
}): RuleRun {
  const raw: RawFinding[] = [];
  const notEvaluated: NotEvaluated[] = [];
  for (const rule of input.rules) {
    const setting = input.config.rules[rule.id];
    if (setting?.level === 'off') continue;
    const options = resolveOptions(rule, ruleOptions(rule.id, input.config));
    try {
      const context = { ...input.context, options } as unknown as RuleContext<never>;
      for (const problem of rule.check(context)) {
        raw.push({ rule, problem, target: targetOf(problem, input.context) });
      }
    } catch (error) {
      notEvaluated.push({
        what: `rule ${rule.id}`,
        reason: `the rule failed: ${messageOf(error)}`,
        next: 'This is a defect of gate; run again with --debug and report the stack trace.',
        weight: 'incomplete',
      });
    }
  }
  return { findings: withoutGeneral(toFindings(raw, input), input.rules), notEvaluated };
}

/** One refusal of the API server is told once, by the rule that knows its reason. A waiver of that one covers only it. */
function withoutGeneral(findings: readonly Finding[], rules: readonly Rule[]): Finding[] {
  const general = new Set(rules.filter((rule) => rule.general === true).map(({ id }) => id));
  const told = new Set(
    findings
      .filter(
        ({ ruleId, willNotApply, confidence, waived }) =>
          !general.has(ruleId) && willNotApply && confidence === 'proven' && waived === undefined,
      )
      .map(placeOf),
  );
  return findings.filter((finding) => !general.has(finding.ruleId) || !told.has(placeOf(finding)));
}

function placeOf({ group, target, resource }: Finding): string {
  return [group, target, resource.group, resource.kind, resource.namespace ?? '', resource.name].join('\u0000');
}

function ruleOptions(id: string, config: Config): Record<string, unknown> {
  const announced = config.allowMassDelete;
  const base = id === 'mass-deletion' && announced !== undefined ? { allow: announced } : {};
  return { ...base, ...config.rules[id]?.options };
}

function targetOf(problem: Problem, context: Omit<RuleContext, 'options'>): Target | undefined {
  return context.targets.after.get(problem.target) ?? context.targets.before.get(problem.target);
}

/** Findings that say the same about the same object in several targets are one. */
function foldKey({ rule, problem }: RawFinding): string {
  const { kind, namespace = '', name } = problem.resource;
  return [rule.id, kind, namespace, name, problem.path, problem.severity ?? '', problem.message].join('\u0000');
}

function groupKey({ rule, problem }: RawFinding): string {
  const { kind, namespace = '', name } = problem.resource;
  return problem.rootCause ?? `${rule.id}:${kind}/${namespace}/${name}`;
}

function toFindings(raw: readonly RawFinding[], input: Parameters<typeof runRules>[0]): Finding[] {
  const folds = Map.groupBy(raw, foldKey);
  const namespacesOfGroup = new Map<string, Set<string>>();
  for (const entry of raw) {
    const key = groupKey(entry);
    const set = namespacesOfGroup.get(key) ?? new Set();
    if (entry.problem.resource.namespace !== undefined) set.add(entry.problem.resource.namespace);
    namespacesOfGroup.set(key, set);
  }
  const findings: Finding[] = [];
  for (const same of folds.values()) {
    const candidates = same.map((entry) =>
      toFinding(entry, same, namespacesOfGroup.get(groupKey(entry))?.size ?? 1, input),
    );
    const [first, ...others] = candidates.sort((a, b) => b.score - a.score);
    if (first === undefined) continue;
    findings.push(others.length === 0 ? first : { ...first, alsoIn: others.map((finding) => finding.target) });
  }
  return findings.sort(
    (a, b) => b.score - a.score || a.ruleId.localeCompare(b.ruleId) || a.fingerprint.localeCompare(b.fingerprint),
  );
}

function toFinding(
  { rule, problem, target }: RawFinding,
  same: readonly RawFinding[],
  namespaces: number,
  { context, config, scoring, waiverFor }: Parameters<typeof runRules>[0],
): Finding {
  const severity = config.rules[rule.id]?.severity ?? problem.severity ?? rule.severity;
  const confidence = problem.confidence ?? rule.confidence;
  const reversibility = problem.reversibility ?? rule.reversibility;
  const scopes = new Set(same.map((entry) => entry.target?.scope ?? ''));
  const blast =
    problem.blast ??
    scoring.blastRadius({
      resource: problem.resource,
      target,
      production: target === undefined || context.isProduction(target),
      clusters: scopes.size,
      namespaces,
    });
  const { score, arithmetic } = scoring.scoreFinding({
    severity,
    confidence,
    reversibility,
    blast: blast.value,
  });
  const waived = waiverFor(rule.id, problem.resource, target);
  return {
    ruleId: rule.id,
    title: rule.title,
    severity,
    novelty: problem.novelty ?? 'introduced',
    confidence,
    reversibility,
    score,
    arithmetic,
    blast,
    resource: problem.resource,
    target: problem.target,
    ...(target?.environment === undefined ? {} : { environment: target.environment }),
    path: problem.path,
    message: problem.message,
    evidence: problem.evidence ?? {},
    ...(problem.location === undefined ? {} : { location: problem.location }),
    fingerprint: fingerprint(rule.id, problem.target, problem.resource, problem.path),
    fix: problem.fix ?? rule.docs.fix,
    willNotApply: problem.willNotApply ?? false,
    group: groupKey({ rule, problem, target }),
    ...(waived === undefined ? {} : { waived }),
  };
}

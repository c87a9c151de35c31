import type { DryRunAnswer, ObjectDryRun } from '../core/cluster.ts';
import { isGateError } from '../core/errors.ts';
import type { DryRunSummary, NotEvaluated, ResourceChange, ResourceRef } from '../core/model.ts';
import type { Cluster, Progress } from '../core/ports.ts';
import type { LiveWorld, World } from '../core/rule.ts';
import { dryRunNotes } from './dry-run-notes.ts';
import { soundAnswer } from './dry-run-answers.ts';
import { dryRunQuestions, type DryRunQuestion } from './dry-run-requests.ts';

export interface DryRunInput {
  readonly changes: readonly ResourceChange[];
  /** Objects of the after side: what comes along with the change. */
  readonly after: World;
  /** The cluster of a scope; undefined: none was given. */
  readonly clusterOf: (scope: string) => Cluster | undefined;
  readonly live: (scope: string) => LiveWorld | undefined;
  /** Which questions: the objects themselves, pods of changed templates. */
  readonly objects: boolean;
  readonly pods: boolean;
  readonly progress: Progress;
}

export interface DryRunOutcome {
  /** For `RuleContext.dryRun`. */
  readonly find: (target: string, ref: ResourceRef) => ObjectDryRun | undefined;
  readonly summary: DryRunSummary;
  readonly notEvaluated: readonly NotEvaluated[];
}

/** One question with what came of it. */
export interface Judged {
  readonly question: DryRunQuestion;
  readonly answer: DryRunAnswer;
}

/**
 * Asks the API server of each cluster what it would do with the objects that the change adds or changes. Clusters are
 * asked one after the other, each with bounded concurrency behind its port. Never throws for a cluster that does not
 * answer: its objects are then not judged.
 */
export async function runDryRun(input: DryRunInput): Promise<DryRunOutcome> {
  const began = performance.now();
  const judged: Judged[] = [];
  let asked = 0;
  const byScope = Map.groupBy(input.changes, ({ before, after }) => (after ?? before)?.target.scope ?? '');
  const scopes = [...byScope].filter(([scope]) => input.clusterOf(scope)?.dryRun !== undefined);
  if (scopes.length > 0) input.progress.start('Asking the API server (dry run)');
  for (const [scope, changes] of scopes) {
    const cluster = input.clusterOf(scope);
    if (cluster === undefined) continue;
    const live = input.live(scope);
    const questions = dryRunQuestions(changes, live, input);
    const answers = await answersOf(cluster, questions);
    asked += questions.filter(({ request }) => request !== undefined).length;
    for (const question of questions) {
      const answer = answers.get(question.id) ?? unasked(question);
      judged.push({ question, answer: soundAnswer(question, answer, { changes, after: input.after, live }) });
    }
  }
  if (scopes.length > 0) input.progress.done();
  const count = (outcome: DryRunAnswer['outcome']): number =>
    judged.filter(({ answer }) => answer.outcome === outcome).length;
  return {
    find: finder(judged),
    summary: {
      asked,
      accepted: count('accepted'),
      rejected: count('rejected'),
      unknown: count('unknown'),
      seconds: Math.round((performance.now() - began) / 10) / 100,
    },
    notEvaluated: dryRunNotes(judged, withoutCluster(input)),
  };
}

async function answersOf(
  cluster: Cluster,
  questions: readonly DryRunQuestion[],
): Promise<ReadonlyMap<string, DryRunAnswer>> {
  const requests = questions.flatMap(({ request }) => request ?? []);
  if (requests.length === 0 || cluster.dryRun === undefined) return new Map();
  try {
    return new Map((await cluster.dryRun(requests)).map((answer) => [answer.id, answer]));
  } catch (error) {
    if (!isGateError(error) || !error.code.startsWith('cluster.')) throw error;
    const { message, next } = error;
    return new Map(
      requests.map(({ id }) => [
        id,
        {
          id,
          outcome: 'unknown',
          reason: 'Unreachable',
          message,
          ...(next === undefined ? {} : { next }),
          warnings: [],
        },
      ]),
    );
  }
}

function unasked({ id, unknown }: DryRunQuestion): DryRunAnswer {
  const { reason, message, next } = unknown ?? { reason: 'Unreachable', message: 'the server gave no answer' };
  return { id, outcome: 'unknown', reason, message, ...(next === undefined ? {} : { next }), warnings: [] };
}

/** Changed objects in scopes that no live cluster was given for. */
function withoutCluster(input: DryRunInput): number {
  return input.changes.filter(({ after, action }) => {
    if (after === undefined || action === 'removed' || (after.hook?.length ?? 0) > 0) return false;
    return input.clusterOf(after.target.scope)?.dryRun === undefined;
  }).length;
}

function finder(judged: readonly Judged[]): DryRunOutcome['find'] {
  const found = new Map<string, ObjectDryRun>();
  for (const { question, answer } of judged) {
    const { ref, target } = question.entry;
    const key = keyOf(target.id, ref);
    const known = found.get(key) ?? { ref, target: target.id };
    found.set(
      key,
      question.of === 'pod' ? { ...known, pod: answer } : { ...known, method: question.method, apply: answer },
    );
  }
  return (target, ref) => found.get(keyOf(target, ref));
}

function keyOf(target: string, { group, kind, namespace = '', name }: ResourceRef): string {
  return [target, group, kind, namespace, name].join('\u0000');
}

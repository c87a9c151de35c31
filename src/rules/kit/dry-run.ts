import type { DryRunAnswer, ObjectDryRun } from '../../core/cluster.ts';
import { escapePointer } from '../../core/json.ts';
import type { Entry } from '../../core/model.ts';
import type { Problem, RuleContext } from '../../core/rule.ts';

/** Findings that say of one object that the API server refuses it have one root cause, whichever rule says so. */
export function refusalOf(entry: Entry): string {
  const { group, kind, namespace = '', name } = entry.ref;
  return `refused:${entry.target.scope}:${group}/${kind}/${namespace}/${name}`;
}

/**
 * A finding of what the API server will refuse, with what the server itself said to a dry run of exactly this object.
 * - refused: the finding is proven and shares its root cause with the other findings about the refusal
 * - accepted: with `whenAccepted: 'withdraw'` there is no finding; with `'keep'` it no longer claims that the object
 *   will not apply
 * - not asked, or not judged: the finding as it is
 * @param about does the server's message speak of what the finding is about? Default: yes
 */
export function withServerAnswer(
  context: Pick<RuleContext, 'dryRun'>,
  entry: Entry,
  problem: Problem,
  options: { readonly whenAccepted: 'withdraw' | 'keep'; readonly about?: (message: string) => boolean },
): Problem | undefined {
  const answer = context.dryRun(entry.target.id, entry.ref)?.apply;
  if (answer === undefined || answer.outcome === 'unknown') return problem;
  if (answer.outcome === 'accepted') {
    if (options.whenAccepted === 'withdraw') return undefined;
    const { willNotApply: _claim, ...rest } = problem;
    return withFacts(rest, ['the API server accepts the object in a dry run']);
  }
  const message = answer.message ?? '';
  if (options.about?.(message) === false) return { ...problem, rootCause: refusalOf(entry) };
  return {
    ...withFacts(problem, [`the API server refuses it in a dry run: ${shortMessage(answer)}`]),
    confidence: 'proven',
    rootCause: refusalOf(entry),
  };
}

/** {@link withServerAnswer} for those of several findings about one object that claim that it will not apply. */
export function* asServerSays(
  context: Pick<RuleContext, 'dryRun'>,
  entry: Entry,
  options: Parameters<typeof withServerAnswer>[3],
  problems: Iterable<Problem>,
): Iterable<Problem> {
  for (const problem of problems) {
    const settled = problem.willNotApply === true ? withServerAnswer(context, entry, problem, options) : problem;
    if (settled !== undefined) yield settled;
  }
}

function withFacts(problem: Problem, facts: readonly string[]): Problem {
  const { wouldChange: _open, ...evidence } = problem.evidence ?? {};
  return { ...problem, evidence: { ...evidence, facts: [...(evidence.facts ?? []), ...facts] } };
}

/** The server's sentence, at most 600 characters. */
export function shortMessage(answer: DryRunAnswer): string {
  const text = (answer.message ?? `status ${answer.code ?? 0}`).replace(/\s+/g, ' ').trim();
  return text.length > 600 ? `${text.slice(0, 597)}...` : text;
}

/** What the server said, field by field. */
export function answerFacts(said: ObjectDryRun, answer: DryRunAnswer): readonly string[] {
  const causes = (answer.causes ?? []).slice(0, 8);
  const more = (answer.causes?.length ?? 0) - causes.length;
  return [
    `server message: ${shortMessage(answer)}`,
    ...(causes.length < 2
      ? []
      : causes.map(({ field, message }) => (field === undefined ? message : `${field}: ${message}`))),
    ...(more > 0 ? [`and ${more} more fields`] : []),
    `asked by dry run: ${answer === said.pod ? 'creation of a pod' : (said.method ?? 'apply')}; answer ${answer.code ?? 'without status'}${answer.reason === undefined ? '' : ` ${answer.reason}`}`,
    ...answer.warnings.slice(0, 4).map((warning) => `server warning: ${warning}`),
  ];
}

/**
 * A field as the API server names it (`spec.template.spec.containers[0].image`, `data[key]`) as a pointer with keys for
 * list elements that have a name.
 */
export function pointerOf(field: string | undefined, object: unknown): string {
  let value = object;
  let pointer = '';
  // `metadata.annotations[a.b/c]`: a key in brackets may hold dots.
  for (const [, plain, bracket] of (field ?? '').matchAll(/([^.[\]]+)|\[([^\]]*)\]/g)) {
    const key = plain ?? bracket ?? '';
    const index = bracket !== undefined && /^\d+$/.test(bracket) ? Number(bracket) : undefined;
    if (index !== undefined && Array.isArray(value)) {
      value = (value as readonly unknown[])[index];
      const name = typeof value === 'object' && value !== null ? (value as { name?: unknown }).name : undefined;
      pointer += `/${escapePointer(typeof name === 'string' ? name : key)}`;
      continue;
    }
    value =
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Record<string, unknown>)[key]
        : undefined;
    pointer += `/${escapePointer(key)}`;
  }
  return pointer;
}

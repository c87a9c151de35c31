import { randomBytes } from 'node:crypto';
import { formatLocation, isGateError, messageOf } from '../core/errors.ts';
import { redactCredentials } from '../core/redact.ts';
import type { GateReport } from '../core/model.ts';

/**
 * The report of a run that came to no judgement: a bad configuration, a shallow clone, the end of its time. It is published
 * like every other one, so that reviewers see why the check fails.
 * @param what completes "Not looked at: "
 * @param headSha what should have been judged
 */
export function incompleteReport(
  what: string,
  reason: string,
  details: { readonly next?: string; readonly headSha: string; readonly seconds: number },
): GateReport {
  return {
    schemaVersion: '1',
    verdict: 'incomplete',
    reason,
    score: { total: 0, arithmetic: 'nothing was judged', version: '1', notes: [] },
    findings: [],
    changes: [],
    drift: [],
    coverage: {
      targets: [],
      notEvaluated: [
        { what, reason, weight: 'incomplete', ...(details.next === undefined ? {} : { next: details.next }) },
      ],
    },
    sides: { before: 'not read', after: details.headSha.slice(0, 7) },
    clusters: [],
    tools: [],
    policyDigest: 'not read',
    waiversInForce: [],
    work: { helmRuns: 0, kustomizeRuns: 0, cacheHits: 0 },
    durationSeconds: details.seconds,
  };
}

/** What the reader of a workflow can do about it, where that differs from the command line. */
const hints: Readonly<Record<string, string>> = {
  'git.not-a-repository': 'Add a step before gate: `uses: actions/checkout@v7` with `fetch-depth: 0`.',
  'git.shallow': 'Give actions/checkout `fetch-depth: 0`: gate compares with the commit where the branch began.',
  'git.unknown-ref':
    'Give actions/checkout `fetch-depth: 0`; after a forced push the old commit may be gone: set the input `base`.',
};

/** An error in one sentence each: what happened, what to do. `exit` is the exit code of the command line for it. */
export function describe(error: unknown): { readonly message: string; readonly next: string; readonly exit: 2 | 3 } {
  // git, helm and parsers quote what they were given: URLs with passwords, lines of a file.
  const key = randomBytes(32);
  const safe = (text: string) => redactCredentials(text, key);
  if (!isGateError(error))
    return {
      message: safe(`unexpected failure: ${messageOf(error)}`),
      next: 'This is a defect of gate: report it with the log of the job.',
      exit: 2,
    };
  const where = error.location === undefined ? '' : `${formatLocation(error.location)}: `;
  return {
    message: safe(`${where}${error.message}`),
    next: safe(hints[error.code] ?? error.next ?? 'Run the job again.'),
    exit: error.fault === 'user' ? 2 : 3,
  };
}

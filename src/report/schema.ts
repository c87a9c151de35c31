import { Type, type Static } from 'typebox';
import { approvalSchema } from '../core/approval-schema.ts';
import { impacts, severities } from '../core/model.ts';

const text = () => Type.String();
const optional = Type.Optional;
const oneOf = <const Values extends readonly string[]>(values: Values) => Type.Enum([...values] as Values[number][]);

const closed = { additionalProperties: false };

const severity = oneOf(severities);
const impact = oneOf(impacts);
const verdict = oneOf(['pass', 'comment', 'approval', 'block', 'incomplete']);
const engine = oneOf(['argocd', 'flux', 'helm', 'kustomize', 'plain']);
const number = (description: string) => Type.Number({ description });

const ref = Type.Object(
  {
    group: Type.String({ description: "'' for the core group" }),
    version: text(),
    kind: text(),
    namespace: optional(Type.String({ description: 'absent for cluster-scoped kinds' })),
    name: text(),
  },
  closed,
);

const location = Type.Object(
  {
    file: Type.String({ description: 'relative to the root of the tree' }),
    line: optional(Type.Integer({ minimum: 1 })),
    column: optional(Type.Integer({ minimum: 1 })),
  },
  closed,
);

const waiver = Type.Object(
  {
    rule: text(),
    resource: Type.String({ description: 'glob on Kind/namespace/name' }),
    target: optional(text()),
    reason: text(),
    owner: text(),
    expires: Type.String({ description: 'ISO date; in force through that day' }),
  },
  closed,
);

const fieldChange = Type.Object(
  {
    path: Type.String({ description: 'JSON pointer with keys for keyed lists' }),
    before: optional(Type.Unknown()),
    after: optional(Type.Unknown()),
    live: optional(Type.Unknown()),
    impact,
    attribution: oneOf(['change', 'drift', 'base-moved']),
    cosmetic: optional(Type.Literal(true, { description: 'a generated value such as a checksum annotation' })),
    conflict: optional(
      Type.Literal(true, {
        description: 'the cluster holds neither the old nor the new value: applying the change overwrites it',
      }),
    ),
    by: optional(Type.String({ description: 'field manager that owns the live value' })),
  },
  closed,
);

const cause = Type.Object(
  {
    file: Type.String({ description: 'relative to the root of the tree' }),
    line: Type.Integer({ minimum: 1, description: 'of the new side' }),
    endLine: optional(Type.Integer({ minimum: 1 })),
    how: Type.Enum(['exact', 'counterfactual', 'nearest'], {
      description:
        'exact: the finding is about this changed line; counterfactual: without this part of the change the finding is not there, or weaker; nearest: the changed line nearest to the one that the finding is about',
    }),
  },
  closed,
);

const finding = Type.Object(
  {
    ruleId: text(),
    title: text(),
    severity,
    novelty: Type.Enum(['introduced', 'worsened', 'touched-preexisting', 'untouched-preexisting'], {
      description: 'only introduced and worsened can gate',
    }),
    confidence: oneOf(['proven', 'determined', 'likely', 'hint']),
    reversibility: oneOf(['instant', 'slow', 'hard', 'irreversible']),
    score: number('0..100, one decimal'),
    arithmetic: text(),
    blast: Type.Object({ value: number('0..1'), reason: text() }, closed),
    resource: ref,
    target: Type.String({ description: "id of the target, '' for a file that no target holds" }),
    environment: optional(text()),
    path: text(),
    message: text(),
    evidence: Type.Object(
      {
        before: optional(Type.Unknown()),
        after: optional(Type.Unknown()),
        live: optional(Type.Unknown()),
        facts: optional(Type.Array(text())),
        wouldChange: optional(text()),
      },
      closed,
    ),
    location: optional(location),
    fingerprint: Type.String({
      description: 'identity over runs: rule, target, resource and path; no line, no wording',
    }),
    fix: text(),
    willNotApply: Type.Boolean({ description: 'the API server refuses it' }),
    group: Type.String({ description: 'findings of one root cause count once' }),
    waived: optional(waiver),
    changedIn: optional(Type.Array(text(), { description: 'changed files that the target reads' })),
    cause: optional(cause),
    objectDigest: optional(
      Type.String({ description: 'state that an approval of this finding is bound to; absent: it cannot be approved' }),
    ),
    approved: optional(approvalSchema),
    alsoIn: optional(Type.Array(text(), { description: 'ids of other targets with the same finding' })),
  },
  closed,
);

const change = Type.Object(
  {
    action: oneOf(['added', 'removed', 'changed', 'renamed']),
    ref,
    previousRef: optional(ref),
    movedFrom: optional(Type.String({ description: 'id of the target that held it before' })),
    target: text(),
    impact,
    because: optional(Type.Array(text())),
    fields: Type.Array(fieldChange),
  },
  closed,
);

const notEvaluated = Type.Object(
  {
    what: text(),
    target: optional(text()),
    reason: text(),
    location: optional(location),
    next: optional(text()),
    weight: Type.Enum(['incomplete', 'note'], { description: 'incomplete: the verdict cannot be trusted without it' }),
  },
  closed,
);

const targetCoverage = Type.Object(
  {
    id: text(),
    name: text(),
    engine,
    environment: optional(text()),
    cluster: optional(text()),
    status: oneOf(['rendered', 'unaffected', 'not-evaluated']),
    reason: text(),
    objects: optional(Type.Integer({ minimum: 0 })),
    digest: optional(
      Type.String({
        description:
          'sha256 over everything that the target renders on the after side, whatever its order and style; without values of Secrets',
      }),
    ),
  },
  closed,
);

const approvalOutcome = Type.Object(
  {
    kind: oneOf(['approve', 'waive', 'invalid']),
    finding: Type.String({ description: 'fingerprint, or what the comment named' }),
    by: text(),
    at: text(),
    reason: optional(text()),
    expires: optional(text()),
    url: optional(text()),
    inForce: Type.Boolean(),
    why: optional(Type.String({ description: 'why it is not in force' })),
  },
  closed,
);

/** JSON Schema of what `gate check --output json` prints. Shipped as `docs/schema/gate-report.schema.json`. */
export const gateReportSchema = Type.Object(
  {
    schemaVersion: Type.Literal('1'),
    verdict,
    reason: text(),
    score: Type.Object(
      { total: number('0..100, one decimal'), arithmetic: text(), version: text(), notes: Type.Array(text()) },
      closed,
    ),
    findings: Type.Array(finding),
    changes: Type.Array(change),
    drift: Type.Array(
      Type.Object(
        {
          ref,
          target: text(),
          kind: Type.Enum(['fields', 'missing', 'deleting', 'foreign'], {
            description:
              'fields: the live object differs; missing: in Git only; deleting: waits for finalizers; foreign: owned by another application',
          }),
          fields: Type.Array(fieldChange),
          reason: optional(text()),
          mayBe: optional(
            Type.Array(Type.String({ description: 'a mutating webhook or policy that sees the object' })),
          ),
        },
        closed,
      ),
    ),
    coverage: Type.Object({ targets: Type.Array(targetCoverage), notEvaluated: Type.Array(notEvaluated) }, closed),
    sides: Type.Object({ before: text(), after: text() }, closed),
    clusters: Type.Array(
      Type.Object(
        {
          name: text(),
          source: Type.Union([Type.Literal('live'), Type.Literal('snapshot')]),
          takenAt: optional(text()),
          ageSeconds: optional(number('age of the snapshot when it was judged')),
          kubernetesVersion: optional(text()),
        },
        closed,
      ),
    ),
    dryRun: optional(
      Type.Object(
        {
          asked: Type.Integer({ minimum: 0 }),
          accepted: Type.Integer({ minimum: 0 }),
          rejected: Type.Integer({ minimum: 0 }),
          unknown: Type.Integer({ minimum: 0 }),
          seconds: number('wall clock'),
        },
        closed,
      ),
    ),
    tools: Type.Array(Type.Object({ name: text(), version: text() }, closed)),
    policyDigest: text(),
    waiversInForce: Type.Array(waiver),
    approvals: optional(
      Type.Array(approvalOutcome, {
        description: 'every approval that was given, in force or not; absent: nobody was asked',
      }),
    ),
    work: Type.Object(
      {
        helmRuns: Type.Integer({ minimum: 0 }),
        kustomizeRuns: Type.Integer({ minimum: 0 }),
        cacheHits: Type.Integer({ minimum: 0 }),
        causes: optional(
          Type.Object(
            {
              findings: Type.Integer({ minimum: 0, description: 'whose cause was looked for' }),
              found: Type.Integer({ minimum: 0 }),
              renders: Type.Integer({ minimum: 0, description: 'with a part of the change left out' }),
              seconds: number('wall clock'),
              complete: Type.Boolean({ description: 'false: the limit of renders or of time was reached' }),
            },
            closed,
          ),
        ),
      },
      closed,
    ),
    durationSeconds: number('wall clock'),
  },
  {
    ...closed,
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: 'https://gitops-gate.dev/schema/gate-report-1.json',
    title: 'GateReport',
    description: 'The verdict of gate on one change. Fields are only added within one schemaVersion.',
  },
);

/** A report as it is printed in JSON. */
export type PrintedReport = Static<typeof gateReportSchema>;

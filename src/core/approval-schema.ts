import { Type } from 'typebox';
import { severities } from './model.ts';

const text = (description: string) => Type.String({ minLength: 1, maxLength: 1000, description });
const closed = { additionalProperties: false };

/** One {@link Approval} as data. */
export const approvalSchema = Type.Object(
  {
    kind: Type.Enum(['approve', 'waive'], {
      description: 'approve answers the verdict approval; waive is the way around a block, and ends',
    }),
    finding: Type.String({ pattern: '^[0-9a-f]{16}$', description: 'fingerprint of the finding' }),
    ruleId: text('rule of the finding'),
    resource: Type.Object(
      {
        group: Type.String(),
        version: Type.String(),
        kind: text('kind of the object'),
        namespace: Type.Optional(Type.String()),
        name: Type.String(),
      },
      closed,
    ),
    target: Type.String({ description: 'id of the target' }),
    digest: Type.String({
      pattern: '^sha256:[0-9a-f]{64}$',
      description: 'objectDigest of the finding when it was looked at: with another one the approval is void',
    }),
    severity: Type.Enum([...severities], { description: 'of the finding when it was looked at' }),
    by: text('login or name of who decided'),
    reason: text('why'),
    at: Type.String({
      pattern: String.raw`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$`,
      description: 'ISO time of the decision',
    }),
    expires: Type.Optional(
      Type.String({
        pattern: String.raw`^\d{4}-\d{2}-\d{2}$`,
        description: 'of waive: in force through this day, UTC; at most 30 days after `at`',
      }),
    ),
    url: Type.Optional(text('where it was said')),
  },
  closed,
);

/** JSON Schema of the file that `gate check --approvals` reads. Shipped as `docs/schema/approvals.schema.json`. */
export const approvalsFileSchema = Type.Object(
  {
    schemaVersion: Type.Literal('1'),
    author: Type.Optional(text('who wrote the change: may not decide about it')),
    approvals: Type.Array(approvalSchema),
  },
  {
    ...closed,
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: 'https://gitops-gate.dev/schema/approvals-1.json',
    title: 'Approvals',
    description: 'Decisions about findings, for `gate check --approvals`.',
  },
);

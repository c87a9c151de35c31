import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { GateError, type SourceLocation } from '../../core/errors.ts';
import type { Json } from '../../core/model.ts';
import { closest } from '../../core/suggest.ts';

const closed = { additionalProperties: false };

/** The optional header document of a cluster snapshot (`apiVersion: gate/v1`, `kind: ClusterSnapshot`). */
export const snapshotHeaderSchema = Type.Object(
  {
    apiVersion: Type.Literal('gate/v1'),
    kind: Type.Literal('ClusterSnapshot'),
    metadata: Type.Object({ name: Type.String({ minLength: 1 }) }, { additionalProperties: true }),
    server: Type.Optional(Type.String({ description: 'URL of the API server' })),
    takenAt: Type.Optional(Type.String({ description: 'RFC 3339 time at which the cluster was read' })),
    kubernetesVersion: Type.Optional(Type.String({ pattern: '^v?[0-9]{1,3}\\.[0-9]{1,3}', description: 'v1.34.3' })),
    apiVersions: Type.Optional(
      Type.Array(Type.String(), { description: 'As helm template --api-versions takes them' }),
    ),
    kinds: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        description: 'Kinds that were read completely: apps/Deployment, Service. Absent: the kinds that occur.',
      }),
    ),
    kindsInNamespaces: Type.Optional(
      Type.Record(Type.String(), Type.Array(Type.String()), {
        description: 'Kinds of which only these namespaces were read: {Service: [shop, shop-staging]}',
      }),
    ),
    unread: Type.Optional(
      Type.Array(
        Type.Object(
          {
            kind: Type.String({ minLength: 1 }),
            namespaces: Type.Optional(Type.Array(Type.String())),
            reason: Type.String(),
            next: Type.Optional(Type.String({ description: 'The RBAC rule that is missing' })),
            failed: Type.Optional(Type.Boolean({ description: 'The server failed at it; it was not refused' })),
          },
          closed,
        ),
        { description: 'Kinds that were asked for and could not be read' },
      ),
    ),
    objects: Type.Optional(
      Type.Record(Type.String(), Type.Integer({ minimum: 0 }), {
        description: 'Documents by kind. Fewer of one in the files: the end is missing.',
      }),
    ),
    fingerprintKey: Type.Optional(
      Type.String({
        pattern: '^[0-9a-f]{12}$',
        description: 'Which key made the fingerprints: values of Secrets compare only under the same key',
      }),
    ),
    redacted: Type.Optional(
      Type.Boolean({
        description: 'Written with --redact: also ConfigMap values and literals of containers are fingerprints',
      }),
    ),
    metrics: Type.Optional(
      Type.Array(
        Type.Object(
          {
            namespace: Type.String(),
            kind: Type.String(),
            name: Type.String(),
            container: Type.String(),
            memoryWorkingSetP99: Type.Optional(Type.String()),
            cpuP99: Type.Optional(Type.String()),
            startSecondsP95: Type.Optional(Type.Number({ minimum: 0 })),
          },
          closed,
        ),
      ),
    ),
    services: Type.Optional(
      Type.Array(
        Type.Object(
          { namespace: Type.String(), name: Type.String(), requestsPerSecond: Type.Number({ minimum: 0 }) },
          closed,
        ),
        { description: 'Traffic of Services' },
      ),
    ),
  },
  closed,
);

export type SnapshotHeader = Static<typeof snapshotHeaderSchema>;

/**
 * Checks a header document.
 * @throws GateError snapshot.bad-header
 */
export function readHeader(value: Json, location: SourceLocation): SnapshotHeader {
  const document = withTextQuantities(value);
  if (Value.Check(snapshotHeaderSchema, document)) {
    if (document.takenAt !== undefined && !isTime(document.takenAt)) {
      throw badHeader(`takenAt is no RFC 3339 time: ${document.takenAt}`, location);
    }
    return document;
  }
  const errors = Value.Errors(snapshotHeaderSchema, document);
  const problems = [...errors].slice(0, 5).map((error) => {
    const place = error.instancePath === '' ? 'the header' : error.instancePath.slice(1).replaceAll('/', '.');
    return `${place} ${error.message}${unknownKeys(error.params)}`;
  });
  throw badHeader(problems.join('; '), location);
}

function badHeader(problem: string, location: SourceLocation): GateError {
  return new GateError({
    code: 'snapshot.bad-header',
    message: `The ClusterSnapshot header is not valid: ${problem}`,
    fault: 'user',
    location,
    next: 'Correct the header, or leave it out: plain kubectl output is enough.',
  });
}

/** `memoryWorkingSetP99: 2` is a quantity as much as `2Gi`, though YAML reads a number. */
function withTextQuantities(value: Json): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const metrics = value['metrics'];
  if (!Array.isArray(metrics)) return value;
  return {
    ...value,
    metrics: metrics.map((metric) => {
      if (typeof metric !== 'object' || metric === null || Array.isArray(metric)) return metric;
      const entries = Object.entries(metric).map(([key, field]): [string, Json] => [
        key,
        (key === 'memoryWorkingSetP99' || key === 'cpuP99') && typeof field === 'number' ? String(field) : field,
      ]);
      return Object.fromEntries(entries);
    }),
  };
}

const knownKeys = Object.keys(snapshotHeaderSchema.properties);

function unknownKeys(params: unknown): string {
  const unknown = (params as { additionalProperties?: unknown }).additionalProperties;
  if (!Array.isArray(unknown)) return '';
  const names = unknown.filter((name): name is string => typeof name === 'string');
  const guess = names[0] === undefined ? undefined : closest(names[0], knownKeys);
  return ` (${names.join(', ')}${guess === undefined ? '' : `; did you mean ${guess}?`})`;
}

function isTime(text: string): boolean {
  return (
    /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})$/.test(text) &&
    !Number.isNaN(Date.parse(text))
  );
}

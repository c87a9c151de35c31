import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import type { HelmReleaseRecord, WorkloadPods } from '../../core/cluster.ts';
import { isObject } from '../../core/json.ts';
import type { Json, JsonObject } from '../../core/model.ts';

/** `apiVersion` of what gate itself writes into a snapshot. */
export const gateVersion = 'gate/v1';

/** The last document of a snapshot that gate wrote: without it the end is missing. */
export const endKind = 'SnapshotEnd';

const closed = { additionalProperties: false };
const text = Type.String({ maxLength: 2000 });
const count = Type.Integer({ minimum: 0 });
const counts = Type.Record(Type.String(), count);

const workloadPodsSchema = Type.Object(
  {
    namespace: text,
    owner: Type.Object({ group: text, kind: text, name: text }, closed),
    total: count,
    ready: count,
    phases: counts,
    nodes: counts,
    labels: Type.Record(Type.String(), Type.String()),
    serviceAccount: Type.Optional(text),
    pullSecrets: Type.Array(text),
    requests: Type.Object({ cpu: Type.Optional(text), memory: Type.Optional(text) }, closed),
    containers: Type.Array(
      Type.Object(
        {
          name: text,
          init: Type.Optional(Type.Literal(true)),
          images: Type.Array(
            Type.Object(
              {
                image: text,
                imageId: Type.Optional(text),
                pullPolicy: Type.Optional(text),
                pods: count,
                running: count,
                pullFailure: Type.Optional(text),
              },
              closed,
            ),
          ),
          restarts: count,
          waiting: counts,
          lastTerminated: counts,
          startSeconds: Type.Optional(Type.Number({ minimum: 0 })),
        },
        closed,
      ),
    ),
    startSecondsP95: Type.Optional(Type.Number({ minimum: 0 })),
    unschedulable: Type.Optional(text),
  },
  closed,
);

const helmReleaseSchema = Type.Object(
  {
    namespace: text,
    name: text,
    revision: count,
    status: text,
    chart: text,
    chartVersion: text,
    appVersion: Type.Optional(text),
    apis: Type.Array(text),
  },
  closed,
);

export type GateDocument =
  | { readonly kind: 'ClusterSnapshot' | typeof endKind; readonly value: JsonObject }
  | { readonly kind: 'WorkloadPods'; readonly value: WorkloadPods }
  | { readonly kind: 'HelmRelease'; readonly value: HelmReleaseRecord }
  | { readonly kind: 'bad'; readonly problem: string };

/**
 * What a document of apiVersion `gate/v1` is. Undefined: it is of another apiVersion.
 */
export function gateDocument(document: Json): GateDocument | undefined {
  if (!isObject(document) || document['apiVersion'] !== gateVersion) return undefined;
  const { apiVersion: _apiVersion, kind, ...value } = document;
  switch (kind) {
    case 'ClusterSnapshot':
    case endKind:
      return { kind, value: document };
    case 'WorkloadPods':
      return Value.Check(workloadPodsSchema, value)
        ? { kind, value: asPods(value) }
        : bad(workloadPodsSchema, kind, value);
    case 'HelmRelease':
      return Value.Check(helmReleaseSchema, value)
        ? { kind, value: asRelease(value) }
        : bad(helmReleaseSchema, kind, value);
    default:
      return { kind: 'bad', problem: `gate/v1 has no kind ${String(kind)}; a newer gate may have written it` };
  }
}

// The schemas say what the types of core/cluster.ts say; the compiler holds them together.
const asPods = (value: Static<typeof workloadPodsSchema>): WorkloadPods => value as WorkloadPods;
const asRelease = (value: Static<typeof helmReleaseSchema>): HelmReleaseRecord => value as HelmReleaseRecord;

function bad(
  schema: typeof workloadPodsSchema | typeof helmReleaseSchema,
  kind: string,
  value: JsonObject,
): GateDocument {
  const [error] = Value.Errors(schema, value);
  return {
    kind: 'bad',
    problem: `this ${kind} is not valid: ${error?.instancePath ?? ''} ${error?.message ?? ''}`.trim(),
  };
}

/** A summary as a document of a snapshot. */
export function podsDocument(pods: WorkloadPods): JsonObject {
  return { apiVersion: gateVersion, kind: 'WorkloadPods', ...(pods as unknown as JsonObject) };
}

/** A release as a document of a snapshot. */
export function releaseDocument(release: HelmReleaseRecord): JsonObject {
  return { apiVersion: gateVersion, kind: 'HelmRelease', ...(release as unknown as JsonObject) };
}

import type { UnreadKind, WantedKind } from '../../core/cluster.ts';
import { isObject, splitKind } from '../../core/json.ts';
import type { JsonObject, KubeObject } from '../../core/model.ts';
import { servedKind, type Discovery } from './discovery.ts';
import type { OpenApiFor } from './open-api.ts';

const crdKind = 'apiextensions.k8s.io/CustomResourceDefinition';

/**
 * Schemas of the custom kinds that were asked for, when their CustomResourceDefinitions may not be listed: everybody
 * who is logged in may read the OpenAPI documents (ClusterRole system:discovery), and those hold the same list keys and
 * defaults.
 * @returns objects of the shape of CRDs, for comparing only; [] when the CRDs themselves were read
 */
export async function schemasInstead(
  wanted: readonly WantedKind[],
  unread: readonly UnreadKind[],
  discovery: Discovery,
  openApiFor: OpenApiFor,
): Promise<readonly KubeObject[]> {
  if (!unread.some(({ kind }) => kind === crdKind)) return [];
  const custom = wanted.flatMap(({ kind, version }) => {
    const [group, name] = splitKind(kind);
    if (!group.includes('.') || group.endsWith('.k8s.io')) return [];
    return (
      (version === undefined ? undefined : servedKind(discovery, group, name, version)) ??
      servedKind(discovery, group, name) ??
      []
    );
  });
  const found = await Promise.all(
    custom.map(async ({ group, version, kind }) => {
      const schema = schemaIn(await openApiFor(group, version), { group, version, kind });
      return schema === undefined ? [] : [shapedAsCrd(group, version, kind, schema)];
    }),
  );
  return found.flat();
}

/** The schema that says of itself which kind it is of (`x-kubernetes-group-version-kind`). */
function schemaIn(
  document: JsonObject | undefined,
  wanted: { readonly group: string; readonly version: string; readonly kind: string },
): JsonObject | undefined {
  const components = document?.['components'];
  const schemas = isObject(components) ? components['schemas'] : undefined;
  if (!isObject(schemas)) return undefined;
  return Object.values(schemas)
    .filter(isObject)
    .find((schema) => {
      const kinds = schema['x-kubernetes-group-version-kind'];
      return (
        Array.isArray(kinds) &&
        kinds.some(
          (entry) =>
            isObject(entry) &&
            entry['group'] === wanted.group &&
            entry['version'] === wanted.version &&
            entry['kind'] === wanted.kind,
        )
      );
    });
}

function shapedAsCrd(group: string, version: string, kind: string, schema: JsonObject): KubeObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${kind.toLowerCase()}.${group}` },
    spec: { group, names: { kind }, versions: [{ name: version, schema: { openAPIV3Schema: schema } }] },
  };
}

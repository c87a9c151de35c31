import { groupOf, versionOf } from '../../core/json.ts';
import type { Entry, KubeObject, Target } from '../../core/model.ts';
import type { RuleContext } from '../../core/rule.ts';

/** A live object in the shape of a rendered one. Its fields hold the defaults already. */
export function liveEntry(object: KubeObject, target: Target): Entry {
  const { namespace, name } = object.metadata;
  const ref = {
    group: groupOf(object.apiVersion),
    version: versionOf(object.apiVersion),
    kind: object.kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
  };
  return { ref, object, effective: object, target, provenance: {} };
}

/** Live objects of a kind that are rendered on neither side: other people's. */
export function foreignObjects(
  context: RuleContext<unknown>,
  scope: string,
  group: string,
  kind: string,
): readonly KubeObject[] {
  return (context.live(scope)?.ofKind(group, kind) ?? []).filter(({ metadata: { namespace, name } }) =>
    [context.before, context.after].every((world) => world.get(scope, group, kind, namespace, name) === undefined),
  );
}

import type { KubeObject, RenderResult, ResourceChange, Target } from '../../src/core/model.ts';
import { diffSides, type DiffResult } from '../../src/diff/diff.ts';
import type { LiveSide } from '../../src/diff/live.ts';
import { parseManifests } from '../../src/render/parse.ts';

export function target(id: string, fields: Partial<Target> = {}): Target {
  return {
    id,
    name: id,
    engine: 'argocd',
    scope: 'prod',
    origin: { file: `apps/${id}.yaml` },
    parents: [],
    sources: [],
    afterRender: {},
    apply: { mode: 'client-side', prune: true, automated: true },
    inputs: [],
    rendersTargets: false,
    ...fields,
  };
}

export function rendered(yaml: string, of: Target = target('shop')): RenderResult {
  const { manifests } = parseManifests(yaml, { defaultNamespace: 'shop' });
  return { ok: true, target: of, manifests, warnings: [] };
}

export function failed(of: Target = target('shop')): RenderResult {
  return { ok: false, target: of, problem: { kind: 'render', message: 'template error' } };
}

/** Live objects, as a snapshot has them. */
export function objects(yaml: string): readonly KubeObject[] {
  return parseManifests(yaml).manifests.map((manifest) => manifest.object);
}

/** Difference of one target's two renders; live objects are those of its scope. */
export function diffYaml(
  before: string,
  after: string,
  live?: string,
  of: Target = target('shop'),
  about: Partial<LiveSide> = {},
): DiffResult {
  const found = live === undefined ? undefined : objects(live);
  return diffSides({
    before: [rendered(before, of)],
    after: [rendered(after, of)],
    ...(found === undefined ? {} : { live: () => ({ objects: found, covers: () => true, ...about }) }),
  });
}

/** `changed Deployment/api restart: /spec/... restart` per change, for comparisons at a glance. */
export function lines(changes: readonly ResourceChange[]): string[] {
  return changes.map((change) => {
    const fields = change.fields.map((field) => ` ${field.path}=${field.impact}`).join('');
    return `${change.action} ${change.ref.kind}/${change.ref.name} ${change.impact}${fields}`;
  });
}

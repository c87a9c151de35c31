import { digestManifests, objectKey, sha256, type RenderedDigest } from '../core/digest.ts';
import { isGateError } from '../core/errors.ts';
import type { Finding, RenderResult, Target } from '../core/model.ts';

/** Digests of everything that rendered on one side, by id of the target. */
export function renderedDigests(results: ReadonlyMap<string, RenderResult>): ReadonlyMap<string, RenderedDigest> {
  return new Map(
    [...results].flatMap(([id, result]) => (result.ok ? [[id, digestManifests(result.manifests)] as const] : [])),
  );
}

export interface States {
  /** Of the after side. */
  readonly digests: ReadonlyMap<string, RenderedDigest>;
  /** Targets of the after side, rendered or not. */
  readonly targets: ReadonlyMap<string, Target>;
  /** Targets that the change removes; one that is only unknown on the after side is not among them. */
  readonly removed: (id: string) => boolean;
  /** Text of a file on the after side; undefined: it is gone. */
  readonly readFile: (path: string) => string | undefined;
}

/** Adds to each finding the state that an approval of it is bound to. */
export function withObjectDigests(findings: readonly Finding[], states: States): readonly Finding[] {
  return findings.map((finding) => {
    const objectDigest = stateOf(finding, states);
    return objectDigest === undefined ? finding : { ...finding, objectDigest };
  });
}

/** The object's own digest where one object of one target is all that the finding is about. */
function stateOf(finding: Finding, states: States): string | undefined {
  const { target, alsoIn = [], location, resource } = finding;
  // A file of no target: a Dockerfile, a requirements file.
  if (target === '') return location === undefined ? undefined : fileState(location.file, states);
  const ids = [target, ...alsoIn].toSorted();
  const parts = ids.map((id) => stateIn(id, resource, states));
  if (parts.includes(undefined)) return undefined;
  if (ids.length === 1) return parts[0];
  return sha256(['gate objects 1', ...ids.map((id, index) => `${JSON.stringify(id)} ${parts[index]}`)].join('\n'));
}

function stateIn(id: string, resource: Finding['resource'], states: States): string | undefined {
  const { digests, targets, removed } = states;
  const key = objectKey(resource);
  const declares = (target: Target | undefined) =>
    target?.declaredBy !== undefined && objectKey(target.declaredBy) === key;
  const rendered = digests.get(id);
  // A deleted object has no state of its own, and "12 objects are deleted" must not cover 100 later. Nor says the object
  // that declares a target what the target renders.
  const own =
    rendered === undefined
      ? removed(id)
        ? sha256(`gate target removed 1\n${id}`)
        : undefined
      : ((declares(targets.get(id)) ? undefined : rendered.objects.get(key)) ?? rendered.digest);
  if (own === undefined || resource.kind !== 'ApplicationSet') return own;
  // What it generates follows from folders and clusters, too.
  const generated = [...targets].filter(([, target]) => declares(target)).map(([made]) => made);
  return sha256(['gate targets 1', own, ...generated.toSorted()].join('\n'));
}

/** Undefined: it is no text. */
function fileState(path: string, { readFile }: States): string | undefined {
  try {
    const text = readFile(path);
    return sha256(text === undefined ? 'gate file gone 1' : `gate file 1\n${text}`);
  } catch (error) {
    if (isGateError(error)) return undefined;
    throw error;
  }
}

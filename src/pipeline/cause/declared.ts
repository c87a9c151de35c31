import { readsPath } from '../../core/inputs.ts';
import type { Target } from '../../core/model.ts';
import type { RenderLimits, TreeOverlay } from '../../core/ports.ts';
import type { Rediscover } from './rediscover.ts';

/** What declares a target, so that variants of it can be found: an Application, a HelmRelease, the chart that renders it. */
export interface Declared {
  /** The files that it takes to find the target. */
  readonly overlay: TreeOverlay;
  /** Is this one of the files that declare it? Without a part of them it is another target. */
  readonly by: (path: string) => boolean;
  readonly rediscover: Rediscover;
}

/**
 * Copies the files that a target is found by: those that declare it and those that it reads, else the whole tree. The
 * target that is found in the copy has to be the same.
 * @param copy undefined: more than the limits allow
 * @returns undefined when it is not: then it cannot be told what a variant would declare
 */
export async function openDeclaration(input: {
  readonly target: Target;
  /** Targets of the new side by id. */
  readonly targets: ReadonlyMap<string, Target>;
  readonly copy: (paths: readonly string[]) => TreeOverlay | undefined;
  readonly rediscover: Rediscover;
  readonly limits: RenderLimits;
}): Promise<Declared | undefined> {
  const { target, targets, copy, rediscover, limits } = input;
  const readers = target.parents.flatMap((id) => targets.get(id) ?? []);
  const by = declaresTarget(target, targets);
  const known = [target, ...readers].flatMap(({ inputs, origin }) =>
    inputs === 'unknown' ? ['./'] : [origin.file, ...inputs],
  );
  for (const paths of known.includes('./') ? [['./']] : [known, ['./']]) {
    if (limits.msLeft() <= 0) return undefined;
    const overlay = copy(paths);
    if (overlay === undefined) continue;
    const found = await rediscover(overlay.tree, limits)
      .then((all) => all.get(target.id))
      .catch(() => undefined);
    if (JSON.stringify(found) === JSON.stringify(target)) return { overlay, by, rediscover };
    await overlay.close();
  }
  return undefined;
}

/** Is this the file of its Application or HelmRelease, or one that the targets which render it read? */
export function declaresTarget(
  { origin, parents }: Target,
  targets: ReadonlyMap<string, Target>,
): (path: string) => boolean {
  const readers = parents.flatMap((id) => targets.get(id) ?? []);
  return (path) => path === origin.file || readers.some((reader) => readsPath(reader, path) !== false);
}

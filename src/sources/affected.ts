import type { Target } from '../core/model.ts';
import type { Tree } from '../core/ports.ts';
import { coverageOf } from './detect-context.ts';

/** Whether the change can reach a target, and why. */
export interface TargetChoice {
  readonly id: string;
  readonly before?: Target;
  readonly after?: Target;
  readonly affected: boolean;
  /** One sentence for people, without a full stop. */
  readonly reason: string;
  /** Set when neither tree holds what it would deploy: the reason to list it as not evaluated. */
  readonly withhold?: string;
}

/**
 * Decides which targets the change can reach. A target is affected when it exists on one side only, when its
 * description differs (everything but the line it stands in), when a changed path is among its inputs on either
 * side, or when its inputs are not known. A target whose source is pinned on both sides is affected by its
 * description only. A target by convention whose files another target reads on the other side was neither added nor
 * removed.
 *
 * Targets that another one renders need no closure over their parents: what the parent decides about them is in
 * their description, which was read from the parent's output on each side.
 *
 * @param changed tree paths that differ between the sides
 * @returns one entry per id, sorted by id
 */
export function selectTargets(
  before: readonly Target[],
  after: readonly Target[],
  changed: readonly string[],
  trees: { readonly before: Tree; readonly after: Tree },
): readonly TargetChoice[] {
  const left = new Map(before.map((target) => [target.id, target]));
  const right = new Map(after.map((target) => [target.id, target]));
  const index = indexChanges(changed);
  return [...new Set([...left.keys(), ...right.keys()])].sort().map((id): TargetChoice => {
    const old = left.get(id);
    const next = right.get(id);
    if (old !== undefined && next !== undefined) return choose(id, old, next, index);
    if (old !== undefined) {
      const heir = takenOver(old, after, trees.after);
      if (heir !== undefined) return { id, before: old, affected: false, reason: `its files are read by ${heir} now` };
      return { id, before: old, affected: true, reason: 'the change removes it' };
    }
    if (next === undefined) throw new Error(`target ${id} is on no side`);
    const owner = takenOver(next, before, trees.before);
    if (owner !== undefined)
      return { id, after: next, affected: false, reason: `its files were read by ${owner} before` };
    return { id, after: next, affected: true, reason: 'the change adds it' };
  });
}

/**
 * A target that exists by convention only (a chart, an overlay, a folder that nothing refers to) is no target any
 * more when something refers to it, and becomes one when a parent does not render: then nothing was deployed or
 * deleted. Gives the id of the target that reads its declaring file on the other side.
 */
function takenOver(target: Target, others: readonly Target[], tree: Tree): string | undefined {
  const conventional = target.declaredBy === undefined && target.engine !== 'argocd' && target.engine !== 'flux';
  if (!conventional || !tree.isFile(target.origin.file)) return undefined;
  return others.find((other) => coverageOf([other]).covers(target.origin.file))?.id;
}

function choose(id: string, before: Target, after: Target, changes: ChangeIndex): TargetChoice {
  const sides = { id, before, after };
  if (before.unaffectedBecause !== after.unaffectedBecause) {
    const reason = `the revision that it reads moves (${before.unaffectedBecause ?? 'this branch'} -> ${after.unaffectedBecause ?? 'this branch'})`;
    return {
      ...sides,
      affected: true,
      reason,
      withhold: `${reason}, and the content of a pinned revision is not in this comparison`,
    };
  }
  const pinned = after.unaffectedBecause !== undefined;
  const difference = firstDifference(describe(before, pinned), describe(after, pinned), '');
  if (pinned && difference === undefined) return { ...sides, affected: false, reason: after.unaffectedBecause ?? '' };
  const path = pinned ? undefined : (changes.first(after.inputs) ?? changes.first(before.inputs));
  if (path !== undefined) return { ...sides, affected: true, reason: `${path} changed` };
  if (difference !== undefined) {
    return { ...sides, affected: true, reason: `its declaration changed (${difference.slice(1) || 'everything'})` };
  }
  if (before.inputs === 'unknown' || after.inputs === 'unknown') {
    return { ...sides, affected: true, reason: 'which files it reads cannot be told' };
  }
  const count = new Set([...before.inputs, ...after.inputs]).size;
  const reason =
    count === 0
      ? 'it reads no file of this repository'
      : `no changed file among its ${count} input${count === 1 ? '' : 's'}`;
  return { ...sides, affected: false, reason };
}

interface ChangeIndex {
  /** The first changed path that one of the inputs covers. */
  first(inputs: Target['inputs']): string | undefined;
}

function indexChanges(changed: readonly string[]): ChangeIndex {
  const sorted = [...changed].sort();
  const exact = new Set(sorted);
  /** Directory with trailing slash -> first changed path below it. */
  const below = new Map<string, string>();
  for (const path of sorted) {
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
      const directory = path.slice(0, slash + 1);
      if (!below.has(directory)) below.set(directory, path);
    }
  }
  const touch = (input: string): string | undefined => {
    if (input === './' || input === '/' || input === '.') return sorted[0];
    const path = input.replace(/\/$/u, '');
    // A directory that became a file or a link, or the other way round, changes everything below it.
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
      if (exact.has(path.slice(0, slash))) return path.slice(0, slash);
    }
    if (exact.has(path)) return path;
    return input.endsWith('/') ? below.get(input) : undefined;
  };
  return {
    first: (inputs) => {
      if (inputs === 'unknown' || sorted.length === 0) return undefined;
      let best: string | undefined;
      for (const input of inputs) {
        const path = touch(input);
        if (path !== undefined && (best === undefined || path < best)) best = path;
      }
      return best;
    },
  };
}

/** The target without what may differ while nothing else does. */
function describe(target: Target, pinned: boolean): unknown {
  const { origin, inputs, ...rest } = target;
  return { ...rest, origin: origin.file, ...(pinned || inputs !== 'unknown' ? {} : { inputs }) };
}

/** JSON pointer of the first field that differs, keys in sorted order; undefined when equal. */
function firstDifference(a: unknown, b: unknown, path: string): string | undefined {
  if (Object.is(a, b)) return undefined;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return path || '/';
  if (Array.isArray(a) !== Array.isArray(b)) return path || '/';
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  for (const key of [...new Set([...Object.keys(left), ...Object.keys(right)])].sort()) {
    if (!Object.hasOwn(left, key) || !Object.hasOwn(right, key)) {
      if ((Object.hasOwn(left, key) ? left[key] : right[key]) === undefined) continue;
      return `${path}/${key}`;
    }
    const found = firstDifference(left[key], right[key], `${path}/${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

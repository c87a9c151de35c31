import { posix } from 'node:path';
import { chartParts } from '../core/chart-files.ts';
import type { Target, ValuesLayer } from '../core/model.ts';
import type { Tree } from '../core/ports.ts';
import { coverageOf } from './detect-context.ts';
import { changedThroughLinks } from './tree-paths.ts';

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
  const linked = [trees.before, trees.after].flatMap((tree) => changedThroughLinks(tree, changed));
  const reached = linked.length === 0 ? changed : [...new Set([...changed, ...linked])];
  const index: Changes = {
    all: indexChanges(reached),
    ofCharts: indexChanges(reached, idleChartFiles(reached, trees)),
  };
  const choices = new Map<string, TargetChoice>();
  const decide = (id: string): TargetChoice => {
    const known = choices.get(id);
    if (known !== undefined) return known;
    const old = left.get(id);
    const next = right.get(id);
    const sides = { id, ...(old === undefined ? {} : { before: old }), ...(next === undefined ? {} : { after: next }) };
    // Parents are listed outermost first and are never the target itself, so this ends.
    const anchor = (next ?? old)?.parents.find(
      (parent) => parent !== id && (right.get(parent) ?? left.get(parent))?.unaffectedBecause !== undefined,
    );
    const through = anchor === undefined ? undefined : throughPinned(anchor, decide(anchor));
    const choice = through === undefined ? chooseAlone(sides) : { ...sides, ...through };
    choices.set(id, choice);
    return choice;
  };
  const chooseAlone = (sides: {
    readonly id: string;
    readonly before?: Target;
    readonly after?: Target;
  }): TargetChoice => {
    if (sides.before !== undefined && sides.after !== undefined)
      return choose(sides.id, sides.before, sides.after, index);
    if (sides.before !== undefined) {
      const heir = takenOver(sides.before, after, trees.after);
      if (heir !== undefined) return { ...sides, affected: false, reason: `its files are read by ${heir} now` };
      return { ...sides, affected: true, reason: 'the change removes it' };
    }
    const owner = sides.after === undefined ? undefined : takenOver(sides.after, before, trees.before);
    if (owner !== undefined) return { ...sides, affected: false, reason: `its files were read by ${owner} before` };
    return { ...sides, affected: true, reason: 'the change adds it' };
  };
  return [...new Set([...left.keys(), ...right.keys()])].sort().map(decide);
}

/** What a pinned parent renders comes from the pinned revision, whatever the trees hold. */
function throughPinned(
  anchor: string,
  choice: TargetChoice,
): Pick<TargetChoice, 'affected' | 'reason' | 'withhold'> | undefined {
  if (choice.withhold !== undefined)
    return { affected: true, reason: `${anchor}: ${choice.reason}`, withhold: choice.withhold };
  return choice.affected ? undefined : { affected: false, reason: `${anchor}: ${choice.reason}` };
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

interface Changes {
  readonly all: ChangeIndex;
  /** For targets that render charts of the tree: without the chart files that Helm does not read. */
  readonly ofCharts: ChangeIndex;
}

/**
 * Changed files that lie in a chart directory and that rendering the chart does not read: another environment's
 * values, the README. They count only for targets that name them.
 */
function idleChartFiles(
  changed: readonly string[],
  trees: { readonly before: Tree; readonly after: Tree },
): ReadonlySet<string> {
  const idle = new Set<string>();
  for (const path of changed) {
    const directory = chartAround(path, trees);
    if (directory === undefined) continue;
    const parts = [chartParts(trees.before, directory), chartParts(trees.after, directory)];
    const read = parts.some(
      (list) =>
        list === undefined || list.some((part) => path === part || (part.endsWith('/') && path.startsWith(part))),
    );
    if (!read) idle.add(path);
  }
  return idle;
}

/** The outermost directory above a path that is a chart on either side: a subchart's files belong to its parent. */
function chartAround(path: string, trees: { readonly before: Tree; readonly after: Tree }): string | undefined {
  for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
    const directory = path.slice(0, slash);
    const chart = `${directory}/Chart.yaml`;
    if (trees.before.isFile(chart) || trees.after.isFile(chart)) return directory;
  }
  return undefined;
}

/** Files that a target names itself: they count wherever they lie, also beside the chart. */
function namedFiles(target: Target): readonly string[] {
  return target.sources.flatMap((source) => {
    if (source.type !== 'helm') return [];
    const { chart } = source;
    const layers = source.values.flatMap((layer) => (layer.kind === 'file' ? [layer.path] : []));
    const files = source.set.flatMap((item) => (item.type === 'set-file' ? [item.value] : []));
    const own = source.chartValuesFiles?.files ?? [];
    const relative = chart.from === 'tree' ? [...files, ...own].map((file) => posix.join(chart.path, file)) : [];
    return [...layers, ...files, ...own, ...relative].map((file) => posix.normalize(file));
  });
}

function rendersOnlyCharts(target: Target): boolean {
  return target.sources.length > 0 && target.sources.every((source) => source.type === 'helm');
}

function choose(id: string, before: Target, after: Target, { all, ofCharts }: Changes): TargetChoice {
  const changes = rendersOnlyCharts(before) && rendersOnlyCharts(after) ? ofCharts : all;
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
  const path = pinned
    ? undefined
    : (changes.first(after.inputs) ??
      changes.first(before.inputs) ??
      [...namedFiles(after), ...namedFiles(before)].find((file) => all.has(file)));
  if (path !== undefined) return { ...sides, affected: true, reason: `${path} changed` };
  if (difference !== undefined) {
    return { ...sides, affected: true, reason: `its declaration changed (${difference.slice(1) || 'everything'})` };
  }
  if (before.inputs === 'unknown' || after.inputs === 'unknown') {
    return { ...sides, affected: true, reason: 'which files it reads cannot be told' };
  }
  // Without a number, so that reports can say it once for many targets.
  const reads = before.inputs.length + after.inputs.length > 0;
  const reason = reads ? 'no file that it reads changed' : 'it reads no file of this repository';
  return { ...sides, affected: false, reason };
}

interface ChangeIndex {
  has(path: string): boolean;
  /** The first changed path that one of the inputs covers. */
  first(inputs: Target['inputs']): string | undefined;
}

/** @param idle paths that count only for an input that is the path itself */
function indexChanges(changed: readonly string[], idle: ReadonlySet<string> = new Set()): ChangeIndex {
  const exact = new Set(changed);
  const sorted = changed.filter((path) => !idle.has(path)).sort();
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
    has: (path) => exact.has(path),
    first: (inputs) => {
      if (inputs === 'unknown' || exact.size === 0) return undefined;
      let best: string | undefined;
      for (const input of inputs) {
        const path = touch(input);
        if (path !== undefined && (best === undefined || path < best)) best = path;
      }
      return best;
    },
  };
}

/** The target without what may differ while nothing else does: lines, the names of places that values come from. */
function describe(target: Target, pinned: boolean): unknown {
  const { origin, inputs, sources, ...rest } = target;
  return {
    ...rest,
    origin: origin.file,
    sources: sources.map((source) =>
      source.type === 'helm' ? { ...source, values: source.values.map(withoutLabel) } : source,
    ),
    ...(pinned || inputs !== 'unknown' ? {} : { inputs }),
  };
}

/** A generated ConfigMap has a new name with every change of its content; the content is what counts. */
function withoutLabel(layer: ValuesLayer): unknown {
  if (layer.kind === 'text') return { kind: layer.kind, yaml: layer.yaml };
  return layer.kind === 'inline' ? { kind: layer.kind, values: layer.values } : layer;
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

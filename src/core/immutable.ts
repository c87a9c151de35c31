import type { KubeObject } from './model.ts';
import { field } from './immutable-fields.ts';
import { immutable, type ImmutableRow, rows, type Versions } from './immutable-rows.ts';
import { semanticEqual } from './semantic.ts';

/** An update that the API server refuses. */
export interface ImmutableViolation {
  /** JSON pointer of the refused field. */
  readonly path: string;
  /** As the API server words it, without the value. */
  readonly message: string;
  readonly before: unknown;
  readonly after: unknown;
  /** Set when the refusal depends on the live object, which Git does not show: what must hold for it to be refused. */
  readonly condition?: string;
}

const rowsByKind = new Map<string, ImmutableRow[]>();
for (const row of rows) {
  for (const kind of row.kinds) rowsByKind.set(kind, [...(rowsByKind.get(kind) ?? []), row]);
}

/**
 * Which changes of an object the API server refuses.
 * @param group '' for the core group
 * @param before with defaults filled in (`Entry.effective`); best the live object, since Git may not show what it holds
 * @param after with defaults filled in
 * @param serverVersion `1.32` or `v1.32.4`; unknown counts as the newest
 * @returns one entry per refused field; empty when the update is accepted as far as immutability goes
 */
export function immutableViolations(
  kind: string,
  group: string,
  before: KubeObject,
  after: KubeObject,
  serverVersion?: string,
): readonly ImmutableViolation[] {
  const matching = rowsByKind.get(`${group}/${kind}`);
  if (matching === undefined) return [];
  const server = parseVersion(serverVersion);
  const found: ImmutableViolation[] = [];
  for (const row of matching) {
    if (row.when !== undefined && !row.when(before, after, server)) continue;
    for (const path of expand(row, before, after)) {
      const segments = path.slice(1).split('/');
      const old = field(before, segments);
      const now = field(after, segments);
      if (semanticEqual(old, now, segments.at(-1), segments.at(-2))) continue;
      const condition = row.condition?.(old, now);
      found.push({
        path,
        message: row.message === immutable ? `${segments.join('.')}: Invalid value: ${immutable}` : row.message,
        before: old,
        after: now,
        ...(condition === undefined ? {} : { condition }),
      });
    }
  }
  return found;
}

/** Paths of a row: a trailing `/*` becomes one path per field that is there on either side. */
function expand(row: ImmutableRow, before: KubeObject, after: KubeObject): readonly string[] {
  return row.paths.flatMap((path) => {
    if (!path.endsWith('/*')) return [path];
    const parent = path.slice(0, -2);
    const segments = parent.slice(1).split('/');
    const names = new Set([...keysOf(field(before, segments)), ...keysOf(field(after, segments))]);
    return [...names].filter((name) => row.except?.includes(name) !== true).map((name) => `${parent}/${name}`);
  });
}

function keysOf(value: unknown): string[] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
}

function parseVersion(text: string | undefined): Versions {
  const match = text === undefined ? null : /^v?(\d{1,3})\.(\d{1,3})/.exec(text);
  return match === null ? undefined : { major: Number(match[1]), minor: Number(match[2]) };
}

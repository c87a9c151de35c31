import { counts } from '../../core/counts.ts';
import { severities, type Finding, type Target } from '../../core/model.ts';
import type { Clock, Renderer, Tree, TreeOverlay } from '../../core/ports.ts';
import { readQuietly } from '../read-quietly.ts';
import type { Declared } from './declared.ts';
import { revert, type Hunk } from './hunks.ts';
import { rejudge, type Judged } from './rejudge.ts';
import type { Outcome, Trials } from './search.ts';

/** Text by path; undefined: the file is not there. */
type Contents = ReadonlyMap<string, string | undefined>;

/** What is left of the limits of the run. */
export interface Budget {
  left: number;
  readonly deadline: number;
  /** Renders with a part of the change left out. */
  used: number;
  /** Something was not tried for lack of renders or time. */
  exhausted: boolean;
}

export interface TargetTrials {
  /** Is the finding there, as it was, when the copy of the files is rendered without leaving anything out? */
  readonly reproduced: (finding: Finding) => boolean;
  readonly of: (finding: Finding) => Trials<Hunk>;
}

/** Renders one target of the new side with hunks left out, each set of them once. */
export async function startTrials(input: {
  readonly target: Target;
  readonly ruleIds: ReadonlySet<string>;
  /** What the target reads. */
  readonly overlay: TreeOverlay;
  readonly declared?: Declared;
  readonly after: Tree;
  readonly renderer: Renderer;
  readonly judged: Judged;
  readonly budget: Budget;
  readonly clock: Clock;
}): Promise<TargetTrials> {
  const { target, ruleIds, overlay, declared, after, renderer, judged, budget, clock } = input;
  const msLeft = () => budget.deadline - clock.now().getTime();
  let turn: Promise<unknown> = Promise.resolve();
  /** One after the other, so that a look at the clock comes between two of them: finding targets is work of this process. */
  const redeclared = (contents: Contents) => {
    const next = turn.then(async () => {
      if (declared === undefined || msLeft() <= 0) return undefined;
      const tree = declared.overlay.with(contents);
      const other = (await declared.rediscover(tree, { msLeft })).get(target.id);
      return other === undefined ? undefined : { tree, target: other };
    });
    turn = next.catch(() => undefined);
    return next;
  };
  const variant = async (contents: Contents) => {
    if (declared !== undefined && [...contents.keys()].some(declared.by)) return redeclared(contents);
    return { tree: contents.size === 0 ? overlay.tree : overlay.with(contents), target };
  };
  const judge = async (contents: Contents) => {
    const of = await variant(contents);
    if (of === undefined) return undefined;
    const result = await renderer.render(of.target, of.tree, { msLeft });
    return result.ok ? rejudge(judged, result, ruleIds, contents) : undefined;
  };
  // A hunk whose text cannot be put back is none that can be left out.
  const quietly = async (contents: Contents) => judge(contents).catch(() => undefined);

  const control = await quietly(new Map());
  const tried = new Map<string, Promise<readonly Finding[] | undefined>>();
  /** A process that was ended for lack of time says nothing about the hunk. */
  const outOfTime = (): boolean => {
    const late = msLeft() <= 0;
    budget.exhausted ||= late;
    return late;
  };
  const attempt = (hunks: readonly Hunk[]): Promise<readonly Finding[] | undefined> | undefined => {
    const key = keyOf(hunks);
    const known = tried.get(key);
    if (known !== undefined) return known;
    budget.exhausted ||= budget.left === 0;
    if (budget.left === 0 || outOfTime()) return undefined;
    budget.left--;
    budget.used++;
    const result = quietly(contentsWithout(hunks, after));
    tried.set(key, result);
    return result;
  };
  return {
    reproduced: (finding) => known(control, finding)?.severity === finding.severity,
    of: (finding) => ({
      affordable: (hunks) => hunks.filter((hunk) => !tried.has(keyOf([hunk]))).length <= budget.left,
      async test(hunks) {
        const attempted = attempt(hunks);
        if (attempted === undefined) return undefined;
        const findings = await attempted;
        if (findings !== undefined) return outcome(finding, control ?? [], findings);
        return outOfTime() ? undefined : 'unknown';
      },
    }),
  };
}

/** The changed files of the new side as they are without the hunks. */
export function contentsWithout(hunks: readonly Hunk[], after: Tree): Contents {
  const contents = new Map<string, string | undefined>();
  for (const [path, ofFile] of Map.groupBy(hunks, (hunk) => hunk.path)) {
    contents.set(path, revert(readQuietly(after, path), ofFile));
  }
  return contents;
}

function keyOf(hunks: readonly Hunk[]): string {
  return hunks.map(({ path, after, before }) => `${path}:${after.start}+${after.count}-${before.count}`).join('\n');
}

function known(findings: readonly Finding[] | undefined, { fingerprint }: Finding): Finding | undefined {
  return findings?.find((finding) => finding.fingerprint === fingerprint && counts(finding));
}

/** Gone, or weaker: the severity is lower, or it is no longer new. */
function outcome(finding: Finding, control: readonly Finding[], tried: readonly Finding[]): Outcome {
  const still = known(tried, finding);
  if (still !== undefined)
    return severities.indexOf(still.severity) > severities.indexOf(finding.severity) ? 'gone' : 'stays';
  const before = new Set(control.map(({ fingerprint }) => fingerprint));
  // The same trouble under another name (a hash in the name, another path) is not gone.
  const moved = tried.some(
    (other) =>
      !before.has(other.fingerprint) &&
      counts(other) &&
      other.ruleId === finding.ruleId &&
      other.target === finding.target &&
      other.resource.kind === finding.resource.kind,
  );
  return moved ? 'stays' : 'gone';
}

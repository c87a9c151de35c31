import { isDeepStrictEqual } from 'node:util';
import { Type } from 'typebox';
import type { Confidence, Entry, RenderProblem, Severity, Target } from '../../core/model.ts';
import { defineRule, type Problem, type RenderOutcomeChange, type RuleContext } from '../../core/rule.ts';
import { readsPath } from '../../core/inputs.ts';
import { escapePointer } from '../../core/json.ts';
import { readDocuments, YamlError } from '../../core/yaml/read.ts';
import { deletions, type Deletion } from '../kit/deletions.ts';
import { brokenDocuments } from '../kit/embedded-documents.ts';
import { droppedResources } from '../kit/kustomization-files.ts';
import { fileRef, readerOf } from '../kit/files.ts';
import { isMerged } from '../kit/merged-documents.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { unitName, unitRef } from '../kit/units.ts';
import { changesByIdentity, counterpart, entryIdentity } from '../kit/touched.ts';
import { examples } from './examples/render-broken-or-empty.ts';

/** One line of a tool's message. */
function firstLines(message: string): string {
  const text = message.trim().split('\n').slice(0, 3).join(' ').replaceAll(/\s+/g, ' ');
  return text.length > 300 ? `${text.slice(0, 297)}...` : text;
}

/** Numbers and temporary names aside, is it the same failure? */
function sameFailure(before: RenderProblem, after: RenderProblem): boolean {
  const normal = (text: string) => text.replaceAll(/\d+/g, '#').replaceAll(/\/tmp\/\S+/g, '/tmp');
  return before.kind === after.kind && normal(before.message) === normal(after.message);
}

function* checkFailure(context: RuleContext<unknown>, outcome: RenderOutcomeChange): Iterable<Problem> {
  const { target, before, after } = outcome;
  // What gate cannot render is in the coverage; it is no property of the change.
  if (after === undefined || after.kind === 'unsupported' || after.kind === 'tool' || after.unreachable === true)
    return;
  const existed = context.targets.before.has(target.id);
  const same = before !== undefined && sameFailure(before, after);
  const confidence: Confidence = after.kind === 'render' ? 'determined' : 'likely';
  const severity: Severity = existed && before === undefined && after.kind === 'render' ? 'critical' : 'high';
  const what =
    after.kind === 'missing-input'
      ? 'cannot be rendered, because something it needs is not there'
      : after.kind === 'limit'
        ? 'cannot be rendered within the limits'
        : 'no longer renders';
  yield {
    resource: unitRef(target),
    target: target.id,
    path: '',
    location: after.location ?? target.origin,
    message: `${unitName(target)} ${before === undefined && existed ? what : what.replace('no longer renders', 'does not render')}: ${firstLines(after.message)}.${existed ? ' Its syncs fail from here on, and the objects in the cluster stay as they are.' : ''}`,
    severity,
    confidence,
    novelty: same ? 'touched-preexisting' : before === undefined ? 'introduced' : 'worsened',
    evidence: {
      before: before === undefined ? (existed ? 'rendered' : null) : firstLines(before.message),
      after: firstLines(after.message),
      facts: existed ? [] : ['the unit is new'],
    },
    fix:
      after.next ??
      `Repair ${after.location?.file ?? target.origin.file}${after.location?.line === undefined ? '' : `:${after.location.line}`} and render ${unitName(target)} again.`,
    rootCause: `render:${after.location?.file ?? target.id}:${firstLines(after.message).slice(0, 120)}`,
  };
}

/** Was a file that the target reads deleted on purpose? Then mass-deletion judges it alone. */
function sourceDeleted(context: RuleContext<unknown>, target: Target): boolean {
  return context.yaml.some(({ path, after }) => after === undefined && readsPath(target, path) !== false);
}

/** A unit that rendered objects and renders none, without an error. */
function* checkEmpty(context: RuleContext<unknown>, all: readonly Deletion[]): Iterable<Problem> {
  const failed = new Set(context.renderProblems.map(({ target }) => target.id));
  const left = new Set(context.after.entries.map(({ target }) => target.id));
  for (const [id, gone] of Map.groupBy(all, ({ entry }) => entry.target.id)) {
    const target = context.targets.after.get(id);
    if (target === undefined || left.has(id) || failed.has(id) || sourceDeleted(context, target)) continue;
    const { engine, apply } = target;
    const refused = engine === 'argocd' && apply.allowEmpty !== true;
    const kept = gone.every(({ outcome }) => outcome === 'kept');
    yield {
      resource: unitRef(target),
      target: id,
      path: '',
      location: target.origin,
      message: `${unitName(target)} renders nothing any more (${gone.length} ${gone.length === 1 ? 'object' : 'objects'} before), and no source file was deleted: ${kept ? 'its objects stay in the cluster without an owner' : refused ? 'Argo CD refuses to prune everything unless allowEmpty is set, and stops syncing' : 'the next sync deletes all of them'}.`,
      severity: kept || refused ? 'high' : 'critical',
      confidence: gone.some(({ outcome }) => outcome === 'maybe') ? 'likely' : 'determined',
      evidence: { before: gone.length, after: 0, facts: gone.slice(0, 8).map(({ entry }) => formatRef(entry.ref)) },
      fix: `Look for the condition, path or glob that no longer matches, starting at ${target.origin.file}; if it is meant, delete the unit itself.`,
      rootCause: `unit-empty:${target.scope}/${id}`,
    };
  }
}

/** A file stays in the tree and its kustomization no longer names it. */
function* checkForgotten(context: RuleContext<unknown>, all: readonly Deletion[]): Iterable<Problem> {
  for (const { kustomization, resource } of droppedResources(context.yaml)) {
    const gone = all.filter(
      ({ entry, outcome }) =>
        outcome !== 'kept' &&
        entry.provenance.file !== undefined &&
        (entry.provenance.file === resource || entry.provenance.file.startsWith(`${resource}/`)),
    );
    if (gone.length === 0) continue;
    const target = readerOf(context, kustomization);
    yield {
      resource: fileRef(kustomization),
      target: target?.id ?? gone[0]?.entry.target.id ?? '',
      path: 'resources',
      location: { file: kustomization },
      message: `${kustomization} no longer names ${resource}, which is still in the tree: ${gone.length} ${gone.length === 1 ? 'object leaves' : 'objects leave'} the render (${gone
        .slice(0, 3)
        .map(({ entry }) => formatRef(entry.ref))
        .join(', ')}).`,
      severity: 'medium',
      confidence: 'likely',
      evidence: { before: resource, after: null, facts: gone.slice(0, 8).map(({ entry }) => formatRef(entry.ref)) },
      fix: `Name ${resource} in ${kustomization} again, or delete the file too if that is meant.`,
    };
  }
}

/** Text that is different with every rendering: Argo CD renders anew at each refresh and sees a change each time. */
function* checkRandom(context: RuleContext<unknown>): Iterable<Problem> {
  const changes = changesByIdentity(context);
  for (const entry of context.after.entries) {
    const paths = randomPaths(entry);
    const [first] = paths;
    if (first === undefined || entry.target.engine !== 'argocd') continue;
    const old = counterpart(context.before, entry);
    if (old !== undefined && randomPaths(old).length > 0) continue;
    if (!changes.has(entryIdentity(entry))) continue;
    yield problemAt(entry, first, {
      message: `${formatRef(entry.ref)} is different at every rendering (${first}): Argo CD renders it anew at each refresh, so it is never in sync, and each sync replaces the value.`,
      severity: 'medium',
      confidence: 'determined',
      evidence: { facts: paths.slice(0, 6).map((path) => `two renders differ at ${path}`) },
      fix: `Give the chart a fixed value (an existing Secret) instead of a random one at ${first}; lookup finds nothing when Argo CD renders.`,
    });
  }
}

/** A lost `---` line: the first of the two objects is not rendered any more. */
function* checkMerged(context: RuleContext<unknown>): Iterable<Problem> {
  for (const entry of context.after.entries) {
    if (!isMerged(entry)) continue;
    const old = counterpart(context.before, entry);
    if (old !== undefined && isMerged(old)) continue;
    const [first, second] = entry.duplicateKeys?.find(({ path }) => path === '/kind')?.lines ?? [0, 0];
    yield problemAt(entry, '/kind', {
      message: `Two documents run into each other before ${formatRef(entry.ref)} (no --- between them): only the last one is left, and the one before it is lost.`,
      severity: 'high',
      evidence: {
        facts: [
          `kind stands at lines ${first} and ${second} of one document`,
          ...(entry.provenance.template === undefined ? [] : [entry.provenance.template]),
        ],
      },
      fix: `Put a line with --- in front of ${formatRef(entry.ref)} in ${entry.provenance.template ?? entry.provenance.file ?? 'its file'}; in a range, inside of the loop.`,
    });
  }
}

/** A configuration file inside a ConfigMap: the application reads it at its next start, and does not come up. */
function* checkEmbedded(context: RuleContext<unknown>): Iterable<Problem> {
  for (const change of context.changes) {
    const { after } = change;
    if (after === undefined) continue;
    for (const { key, message, line } of brokenDocuments(change)) {
      const place = line === undefined ? '' : ` (line ${line})`;
      yield problemAt(after, `/data/${escapePointer(key)}`, {
        message: `${key} in ${formatRef(after.ref)} could be read before and cannot be read any more: ${firstLines(message)}${place}. What reads it fails at its next start or reload.`,
        severity: 'high',
        evidence: { before: 'readable', after: `${firstLines(message)}${place}` },
        fix: `Correct ${key}${place}; print values into it with toYaml or toJson instead of writing them out.`,
      });
    }
  }
}

function valuesFiles(target: Target): readonly string[] {
  return target.sources.flatMap((source) =>
    source.type === 'helm' ? source.values.flatMap((layer) => (layer.kind === 'file' ? [layer.path] : [])) : [],
  );
}

/** A values file changes and nothing that is rendered from it does: a misspelt or unknown key. */
function* checkNoEffect(context: RuleContext<unknown>): Iterable<Problem> {
  const changed = new Set(context.changes.map(({ target }) => target));
  const failed = new Set(context.renderProblems.map(({ target }) => target.id));
  for (const { path, before, after } of context.yaml) {
    if (before === undefined || after === undefined || sameValues(before, after)) continue;
    const readers = [...context.targets.after.values()].filter((target) => valuesFiles(target).includes(path));
    const [first] = readers;
    if (first === undefined || readers.some(({ id }) => changed.has(id) || failed.has(id))) continue;
    // Not looked at on either side: nothing is known about the effect.
    if (!context.after.entries.some(({ target }) => target.id === first.id)) continue;
    yield {
      resource: fileRef(path),
      target: first.id,
      path: '',
      location: { file: path },
      message: `The values in ${path} change, and ${unitName(first)} renders exactly the same: the changed keys have no effect, perhaps because the chart does not know them.`,
      severity: 'low',
      confidence: 'likely',
      evidence: { facts: readers.slice(0, 5).map((target) => `read by ${unitName(target)}`) },
      fix: `Compare the changed keys of ${path} with values.yaml of the chart; a values.schema.json with additionalProperties: false refuses unknown ones.`,
    };
  }
}

function sameValues(before: string, after: string): boolean {
  try {
    const read = (text: string) => readDocuments(text).map(({ value }) => value);
    return isDeepStrictEqual(read(before), read(after));
  } catch (error) {
    if (error instanceof YamlError) return true;
    throw error;
  }
}

function randomPaths(entry: Entry): readonly string[] {
  return entry.nondeterministic ?? [];
}

export default defineRule({
  id: 'render-broken-or-empty',
  since: '0.1.0',
  family: 'YAML hygiene, templating and environment',
  title: 'Render broken or empty',
  severity: 'critical',
  reversibility: 'instant',
  confidence: 'determined',
  needs: 'transition',
  kinds: [],
  live: [],
  summary:
    'A unit no longer renders, renders nothing, forgets a file, breaks an embedded one, or renders something else each time.',
  docs: {
    why: 'A unit that does not render is not synced: fixes, rotations and new versions stop arriving, and nobody is told but the controller. An empty or partial render is worse, because it is valid: with pruning on, what is missing is deleted. Random functions in templates (`randAlphaNum`, `genCA`, `now`) make a different result each time, which Argo CD takes for a change.',
    fix: 'Repair the error; guard inputs with `values.schema.json` and `required`; pin chart versions; take random values from an existing Secret.',
    ignoreWhen:
      'The input is reachable for the engine and not for gate (a private chart repository): configure a mirror.',
  },
  references: [
    'Skyscanner, outage of 2021-08-25',
    'https://argo-cd.readthedocs.io/en/stable/user-guide/helm/#random-data',
  ],
  options: Type.Object({}),
  examples,
  *check(context: RuleContext) {
    for (const outcome of context.renderProblems) yield* checkFailure(context, outcome);
    const all = deletions(context);
    yield* checkEmpty(context, all);
    yield* checkForgotten(context, all);
    yield* checkRandom(context);
    yield* checkMerged(context);
    yield* checkEmbedded(context);
    yield* checkNoEffect(context);
  },
});

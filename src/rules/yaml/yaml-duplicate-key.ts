import { isDeepStrictEqual } from 'node:util';
import { Type } from 'typebox';
import type { Entry } from '../../core/model.ts';
import { defineRule, type ChangedYaml, type Problem, type RuleContext, type World } from '../../core/rule.ts';
import { readDocuments, YamlError, type RawDuplicate } from '../../core/yaml/read.ts';
import { isMerged } from '../kit/merged-documents.ts';
import { fileRef, readerOf } from '../kit/files.ts';
import { duplicateNames } from '../kit/named-lists.ts';
import { escapePointer } from '../../core/json.ts';
import { asServerSays } from '../kit/dry-run.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { changesByIdentity, counterpart, entryIdentity } from '../kit/touched.ts';
import { unitName } from '../kit/units.ts';
import { examples } from './examples/yaml-duplicate-key.ts';

/** Which of the two values counts for the tool that reads this target. */
function winner({ engine, apply }: Entry['target']): string {
  if (engine === 'flux' && apply.mode !== 'helm')
    return 'kustomize, which Flux runs, refuses the document ("mapping key already defined")';
  if (engine === 'kustomize') return 'kustomize refuses the document ("mapping key already defined")';
  return 'Helm, Argo CD and kubectl keep the last value; strict readers refuse the document';
}

function* checkRendered(context: RuleContext<unknown>, reported: Set<string>): Iterable<Problem> {
  const changes = changesByIdentity(context);
  for (const entry of context.after.entries) {
    // Two documents in one: render-broken-or-empty speaks about that.
    if (entry.duplicateKeys === undefined || isMerged(entry)) continue;
    const old = new Set(counterpart(context.before, entry)?.duplicateKeys?.map(({ path }) => path) ?? []);
    const touched = changes.has(entryIdentity(entry));
    for (const duplicate of entry.duplicateKeys) {
      const { path, key, lines, location } = duplicate;
      if (old.has(path) && !touched) continue;
      const problem = problemAt(entry, path, {
        message: `${formatRef(entry.ref)} sets ${key} twice at ${path}: the API server sees only the last one, and the first is lost without a word.`,
        novelty: old.has(path) ? 'touched-preexisting' : 'introduced',
        evidence: {
          facts: [
            `lines ${lines[0]} and ${lines[1]}${location === undefined ? ' of the rendered document' : ` of ${location.file}`}`,
            winner(entry.target),
          ],
        },
        fix: `Delete one of the two ${key} entries (lines ${lines[0]} and ${lines[1]}), or merge what is below them.`,
      });
      const file = location?.file ?? entry.provenance.file;
      if (file !== undefined) reported.add(`${file}\u0000${path}`);
      yield location === undefined ? problem : { ...problem, location };
    }
  }
}

function duplicatesOf(
  text: string | undefined,
): readonly { readonly pointer: string; readonly duplicate: RawDuplicate }[] {
  if (text === undefined) return [];
  try {
    return readDocuments(text).flatMap((document, index) =>
      document.duplicates.map((duplicate) => ({
        pointer: `${index === 0 ? '' : `[${index}]`}/${duplicate.path.map((part) => escapePointer(String(part))).join('/')}`,
        duplicate,
      })),
    );
  } catch (error) {
    // Not plain YAML (a template, a broken file): render-broken-or-empty speaks about it.
    if (error instanceof YamlError) return [];
    throw error;
  }
}

/** Values files, patches and manifests as they stand in the tree. */
function* checkRaw(context: RuleContext<unknown>, file: ChangedYaml, reported: ReadonlySet<string>): Iterable<Problem> {
  const found = duplicatesOf(file.after);
  if (found.length === 0) return;
  const old = new Set(duplicatesOf(file.before).map(({ pointer }) => pointer));
  const target = readerOf(context, file.path);
  for (const { pointer, duplicate } of found) {
    if (reported.has(`${file.path}\u0000${pointer.replace(/^\[\d+\]/, '')}`)) continue;
    const [first, second] = duplicate.lines;
    yield {
      resource: fileRef(file.path),
      target: target?.id ?? '',
      path: pointer,
      location: { file: file.path, line: second },
      message: `${file.path} sets ${duplicate.key} twice (lines ${first} and ${second}): everything below the first one is lost, or the file is refused, depending on the tool.`,
      novelty: old.has(pointer) ? 'touched-preexisting' : 'introduced',
      evidence: {
        facts: [
          target === undefined ? 'Helm keeps the last value, kustomize refuses the file' : winner(target),
          ...(target === undefined ? [] : [`read by ${unitName(target)}`]),
        ],
      },
      fix: `Merge the two ${duplicate.key} entries of ${file.path} (lines ${first} and ${second}) into one.`,
    };
  }
}

function* checkNames(context: RuleContext<unknown>): Iterable<Problem> {
  for (const change of context.changes) {
    const { before, after } = change;
    if (after === undefined) continue;
    const old = new Set(before === undefined ? [] : duplicateNames(before.object).map(({ path }) => path));
    for (const { path, what, name, effect } of duplicateNames(after.object)) {
      // Server-side apply cannot merge a list with two elements of one key.
      const applied = effect === 'refused' || after.target.apply.mode === 'server-side';
      const message =
        effect === 'refused'
          ? `${formatRef(after.ref)} has two of ${what} ${name}, which the API server refuses (Duplicate value).`
          : applied
            ? `${formatRef(after.ref)} sets ${what} ${name} twice, which server-side apply refuses ("duplicate entries for key").`
            : `${formatRef(after.ref)} sets ${what} ${name} twice: the container sees only the last one, and a later client-side apply may remove both.`;
      const problem = problemAt(after, path, {
        message,
        novelty: old.has(path) ? 'touched-preexisting' : 'introduced',
        ...(applied && !old.has(path) ? { willNotApply: true } : {}),
        evidence: { after: name, facts: [`applied ${after.target.apply.mode}`] },
        fix: `Remove one of the two ${what} entries named ${name} in ${formatRef(after.ref)}.`,
      });
      const options = { whenAccepted: 'keep', about: (said: string) => /[Dd]uplicate/.test(said) } as const;
      yield* asServerSays(context, after, options, [problem]);
    }
  }
}

/** What the cluster ends up with, without labels and annotations, which tools add. */
function body(entry: Entry): unknown {
  const { metadata: _metadata, status: _status, ...rest } = entry.object;
  return rest;
}

/** Pairs of different objects with one identity. Two units count only when both are known to go to one cluster. */
function collisions(world: World): Map<string, readonly [Entry, Entry]> {
  const first = new Map<string, Entry>();
  const result = new Map<string, readonly [Entry, Entry]>();
  for (const entry of world.entries) {
    const id = entryIdentity(entry);
    const other = first.get(id);
    if (other === undefined) {
      first.set(id, entry);
      continue;
    }
    const managed = [entry, other].every(({ target }) => target.engine === 'argocd' || target.engine === 'flux');
    if (other.target.id !== entry.target.id && !managed) continue;
    const same = isDeepStrictEqual(body(entry), body(other));
    // Helm cannot apply one object twice, whatever is in it.
    if (!same || (entry.target.id === other.target.id && entry.target.apply.mode === 'helm'))
      result.set(id, [other, entry]);
  }
  return result;
}

function* checkCollisions(context: RuleContext<unknown>): Iterable<Problem> {
  const old = collisions(context.before);
  for (const [id, [first, second]] of collisions(context.after)) {
    if (old.has(id)) continue;
    const same = first.target.id === second.target.id;
    const sources = [
      ...new Set(
        [first, second].map(({ provenance, target }) => provenance.template ?? provenance.file ?? unitName(target)),
      ),
    ];
    const helm = same && second.target.apply.mode === 'helm';
    yield problemAt(second, '', {
      message: helm
        ? `${unitName(second.target)} renders ${formatRef(second.ref)} twice: Helm creates the first, finds it in the way of the second, and the release fails.`
        : same
          ? `${unitName(second.target)} renders ${formatRef(second.ref)} twice with different content: the last one counts (Argo CD), or the whole unit is refused (Helm, kustomize).`
          : `${formatRef(second.ref)} is rendered by ${unitName(first.target)} and by ${unitName(second.target)} with different content: each sync overwrites the other (SharedResourceWarning).`,
      confidence: same
        ? 'determined'
        : second.target.cluster === undefined && second.target.environment !== undefined
          ? 'hint'
          : 'likely',
      evidence: {
        facts: [
          sources.length === 1 ? `rendered twice from ${sources[0] ?? ''}` : `rendered from ${sources.join(' and ')}`,
        ],
      },
      fix:
        sources.length === 1
          ? `Render ${formatRef(second.ref)} once in ${sources[0] ?? ''}, or give the second one a name of its own.`
          : `Keep ${formatRef(second.ref)} in one place (${sources.join(' or ')}).`,
    });
  }
}

export default defineRule({
  id: 'yaml-duplicate-key',
  since: '0.1.0',
  family: 'YAML hygiene, templating and environment',
  title: 'YAML duplicate key',
  severity: 'high',
  reversibility: 'instant',
  confidence: 'determined',
  needs: 'single',
  kinds: ['*'],
  live: [],
  summary: 'A mapping key, a list name or a whole object is there twice, so one of the two is lost.',
  docs: {
    why: 'YAML forbids two equal keys in a mapping, but most readers accept them: Helm, Argo CD and kubectl keep the last value, kustomize refuses the file. The first block, often a whole `resources` or `env`, is lost without an error. Repeated names in lists are similar: of two environment variables the last one counts (server-side apply refuses them), two volumes or ports of one name are refused by validation. An object that is rendered twice is overwritten by whichever comes last.',
    fix: 'Merge the two into one.',
    ignoreWhen: 'Never; a merge key (`<<`) that is overridden on purpose is not reported.',
  },
  references: [
    'https://yaml.org/spec/1.2.2/#3213-node-comparison',
    'https://github.com/kubernetes/kubernetes/issues/58477',
  ],
  options: Type.Object({}),
  examples,
  *check(context) {
    const reported = new Set<string>();
    yield* checkRendered(context, reported);
    for (const file of context.yaml) yield* checkRaw(context, file, reported);
    yield* checkNames(context);
    yield* checkCollisions(context);
  },
});

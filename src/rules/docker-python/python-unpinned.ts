import { Type } from 'typebox';
import { defineRule, type Problem, type RuleContext } from '../../core/rule.ts';
import { buildSide, isLibrary, requirementSet, resolveInstalled, type BuildSide } from '../kit/build-files.ts';
import { applicationFolder, isForDevelopment } from '../kit/build-variants.ts';
import { deployedStages } from '../kit/dockerfile.ts';
import { problemInFile } from '../kit/file-problem.ts';
import { pairsOf } from '../kit/known-pairs.ts';
import { isDevelopmentTool } from '../kit/python-names.ts';
import { checkLocks } from '../kit/python-locks.ts';
import {
  isPinned,
  pinnedVersion,
  showRequirement as show,
  withoutCredentials,
  type RequirementsFile,
} from '../kit/requirements.ts';
import { examples } from './examples/python-unpinned.ts';

interface Sides {
  readonly context: RuleContext;
  readonly before: BuildSide;
  readonly after: BuildSide;
}

const pinFix =
  'Pin it with == or compile a lock with hashes (pip-compile --generate-hashes, uv pip compile --generate-hashes), or add a constraints file.';

/** Names that a constraints file pins, either included by the requirements file or given where it is installed. */
function constrained(side: BuildSide, path: string): ReadonlySet<string> {
  const given = side.dockerfiles.flatMap((dockerfile) =>
    (side.dockerfile(dockerfile)?.stages ?? []).flatMap((stage) =>
      stage.steps.flatMap((step) =>
        step.installs
          .filter((install) =>
            install.requirementFiles.some((name) => resolveInstalled(side, dockerfile, name) === path),
          )
          .flatMap((install) =>
            install.constraintFiles.flatMap((name) => resolveInstalled(side, dockerfile, name) ?? []),
          ),
      ),
    ),
  );
  const own = requirementSet(side, [path]).constraints;
  const others = requirementSet(side, given).requirements;
  return new Set([...own, ...others].filter(isPinned).map((requirement) => requirement.name));
}

/** Is the file the input of a compiled one, or for development, or a constraints file? Nothing is installed from it alone in production. */
function isOutOfScope(side: BuildSide, path: string): boolean {
  const compiled = path.endsWith('.in') || side.files.has(path.replace(/\.txt$/, '.lock'));
  return (
    compiled ||
    isForDevelopment(path) ||
    /(^|[/._-])constraints[^/]*$/.test(path) ||
    isLibrary(side, applicationFolder(path))
  );
}

function share(file: RequirementsFile | undefined): number {
  const named = (file?.requirements ?? []).filter((requirement) => !requirement.editable && requirement.name !== '');
  return named.length === 0 ? 0 : named.filter(isPinned).length / named.length;
}

function* checkRequirements({ before, after }: Sides, path: string): Iterable<Problem> {
  const now = after.requirements(path);
  if (now === undefined || isOutOfScope(after, path)) return;
  const then = before.requirements(path);
  const old = new Map((then?.requirements ?? []).map((requirement) => [requirement.name, requirement]));
  const covered = constrained(after, path);
  const strict = then !== undefined && share(then) >= 0.8;
  for (const requirement of now.requirements) {
    const { name, editable } = requirement;
    if (editable || name === '' || isPinned(requirement) || covered.has(name) || isDevelopmentTool(name)) continue;
    const was = old.get(name);
    const lost = was !== undefined && isPinned(was);
    if (!lost && (was !== undefined || !strict)) continue;
    const text = lost
      ? `${name} was pinned (${show(was)}) and now floats (${show(requirement)}): each build takes the newest version that fits, also one that was never tested.`
      : `${name} is added without a version (${show(requirement)}), in a file where the other packages are pinned: each build takes the newest version that fits.`;
    yield problemInFile(path, requirement.line, {
      message: text,
      evidence: { ...(was === undefined ? {} : { before: show(was) }), after: show(requirement) },
      fix: pinFix,
    });
  }
  if (then?.requireHashes === true && !now.requireHashes && now.requirements.length > 0) {
    const line = now.requirements[0]?.line ?? 1;
    yield problemInFile(path, line, {
      message: `${path} had hashes and has none any more: pip no longer notices when a package of the index was replaced, and the packages that the pinned ones bring along float again.`,
      evidence: {
        before: `${then.requirements.length} requirements with hashes`,
        after: `${now.requirements.length} requirements without`,
      },
      fix: 'Compile the file again with --generate-hashes.',
    });
  }
  if (then === undefined) yield* checkNewFile(after, path, now, covered);
  yield* checkIndex(path, then, now);
  yield* checkPairs({ before, after }, path);
}

/** A new file that an image installs: one problem for all of its packages. */
function* checkNewFile(
  after: BuildSide,
  path: string,
  file: RequirementsFile,
  covered: ReadonlySet<string>,
): Iterable<Problem> {
  const installer = after.dockerfiles.find(
    (dockerfile) =>
      !isForDevelopment(dockerfile) &&
      (after.dockerfile(dockerfile)?.stages ?? []).some((stage) =>
        stage.steps.some((step) =>
          step.installs.some((install) =>
            install.requirementFiles.some((name) => resolveInstalled(after, dockerfile, name) === path),
          ),
        ),
      ),
  );
  const floating = file.requirements.filter(
    (requirement) => !isPinned(requirement) && requirement.name !== '' && !covered.has(requirement.name),
  );
  const first = floating[0];
  if (installer === undefined || first === undefined) return;
  const shown = floating.slice(0, 8).map(show).join(', ');
  yield problemInFile(path, first.line, {
    message: `${installer} installs the new ${path}, where ${floating.length} of ${file.requirements.length} packages have no version: two builds of the same commit differ.`,
    severity: 'low',
    evidence: { after: shown },
    fix: pinFix,
  });
}

/** Another place to get packages from: the same name may be another package there (dependency confusion). */
function* checkIndex(
  path: string,
  then: IndexOptions | undefined,
  now: IndexOptions,
  line?: number,
): Iterable<Problem> {
  if (then === undefined) return;
  const at = line ?? now.indexLine ?? 1;
  if (now.indexUrl !== then.indexUrl) {
    const [from, to] = [then.indexUrl, now.indexUrl].map((url) =>
      url === undefined ? 'the default index' : withoutCredentials(url),
    );
    yield problemInFile(path, at, {
      message: `Packages now come from ${to ?? ''} instead of ${from ?? ''}: the same name and version may be another file there.`,
      evidence: { before: from ?? '', after: to ?? '' },
      fix: 'Make sure that the new index holds the same packages, and pin with hashes so that a different file is refused.',
    });
  }
  for (const url of now.extraIndexUrls) {
    if (then.extraIndexUrls.includes(url)) continue;
    yield problemInFile(path, at, {
      message: `--extra-index-url ${withoutCredentials(url)} is added: pip takes the highest version of all its indexes, so anyone who registers the name of a private package on one of them gets installed.`,
      evidence: { after: withoutCredentials(url) },
      fix: 'Use one index that mirrors the others, or pin with hashes.',
    });
  }
}

interface IndexOptions {
  readonly indexUrl?: string;
  readonly extraIndexUrls: readonly string[];
  readonly indexLine?: number;
}

/** A pinned package above an unpinned one that is known to have broken it. */
function* checkPairs({ before, after }: Pick<Sides, 'before' | 'after'>, path: string): Iterable<Problem> {
  const set = requirementSet(after, [path]);
  if (set.locked) return;
  const fixed = (side: BuildSide): Map<string, string> => {
    const all = requirementSet(side, [path]);
    return new Map(
      [...all.requirements, ...all.constraints].flatMap((requirement) =>
        isPinned(requirement) || requirement.specifier.includes('<')
          ? [[requirement.name, requirement.specifier] as const]
          : [],
      ),
    );
  };
  const [now, then] = [fixed(after), fixed(before)];
  const covered = constrained(after, path);
  for (const requirement of after.requirements(path)?.requirements ?? []) {
    const version = pinnedVersion(requirement);
    for (const pair of version === undefined ? [] : pairsOf(requirement.name, version)) {
      const open = !now.has(pair.child) && !covered.has(pair.child);
      const openBefore = then.get(requirement.name) === requirement.specifier && !then.has(pair.child);
      if (!open || openBefore) continue;
      yield problemInFile(path, requirement.line, {
        message: `${requirement.name} is pinned to ${version ?? ''}, and nothing pins ${pair.child} below it: it broke with ${pair.child} ${pair.since}, which pip installs because ${requirement.name} ${version ?? ''} does not exclude it.`,
        confidence: 'likely',
        evidence: { after: show(requirement), facts: [pair.source] },
        fix: `Pin ${pair.child} too, or compile a lock that holds the packages below.`,
      });
    }
  }
}

/** Packages that a Dockerfile names itself. */
function* checkDockerfile({ before, after }: Sides, path: string): Iterable<Problem> {
  const now = after.dockerfile(path);
  const then = before.dockerfile(path);
  if (now === undefined || isForDevelopment(path)) return;
  const installs = (file: typeof now | undefined) =>
    file === undefined
      ? []
      : deployedStages(file).flatMap((stage) =>
          stage.steps.flatMap((step) => step.installs.map((install) => ({ install, line: step.line }))),
        );
  const old = installs(then);
  const pinnedBefore = new Map(
    old.flatMap(({ install }) =>
      install.packages.map((requirement) => [requirement.name, isPinned(requirement)] as const),
    ),
  );
  for (const { install, line } of installs(now)) {
    const names = install.packages.filter(
      (requirement) =>
        !isPinned(requirement) &&
        !isDevelopmentTool(requirement.name) &&
        install.constraintFiles.length === 0 &&
        pinnedBefore.get(requirement.name) !== false,
    );
    if (names.length > 0) {
      const shown = names.map(show).join(', ');
      yield problemInFile(path, line, {
        message: `The image installs ${shown} without a version: each build takes the newest one, so two builds of the same commit differ.`,
        evidence: { after: shown },
        fix: 'Move the packages into the requirements file with versions, or write name==version here.',
      });
    }
    const match =
      old.find(
        (other) =>
          other.install.requirementFiles.join() === install.requirementFiles.join() &&
          other.install.packages.map(show).join() === install.packages.map(show).join(),
      ) ?? old[0];
    yield* checkIndex(path, match?.install, install, line);
  }
}

export default defineRule({
  id: 'python-unpinned',
  since: '0.1.0',
  family: 'Docker and Python drift',
  title: 'Python unpinned',
  severity: 'medium',
  reversibility: 'slow',
  confidence: 'determined',
  needs: 'single',
  kinds: [],
  live: [],
  summary: 'A Python dependency that was fixed can now change between two builds of the same commit.',
  docs: {
    why: 'pip installs the newest version that fits the specifiers at the moment of the build. Without `==`, a hash or a lock the image that is built tonight differs from the one that was tested this morning, and nothing in Git says so. The packages below a pinned one float as well: Flask 2.2 was pinned in many images that broke the day Werkzeug 3.0 came out. With `--extra-index-url` pip takes the highest version of all indexes, whoever uploaded it.',
    fix: 'Deploy from a lock that holds all packages with hashes (`pip-compile --generate-hashes`, `uv lock`, `poetry.lock`), or at least pin direct dependencies and put the rest into a constraints file.',
    ignoreWhen:
      'The project is a library: its dependencies should stay ranges, and the application that uses it holds the lock.',
  },
  references: [
    'https://pip.pypa.io/en/stable/topics/repeatable-installs/',
    'https://pip.pypa.io/en/stable/topics/secure-installs/',
    'https://github.com/pallets/werkzeug/issues/2808',
  ],
  options: Type.Object({}),
  examples,
  *check(context: RuleContext) {
    const sides: Sides = {
      context,
      before: buildSide(context.buildFiles.before),
      after: buildSide(context.buildFiles.after),
    };
    for (const file of sides.after.files.values()) {
      if (!context.changedPaths.has(file.path)) continue;
      if (file.type === 'requirements') yield* checkRequirements(sides, file.path);
      if (file.type === 'dockerfile') yield* checkDockerfile(sides, file.path);
    }
    yield* checkLocks(sides.before, sides.after, context.changedPaths);
  },
});

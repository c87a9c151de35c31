import { Type } from 'typebox';
import { defineRule, type Problem, type RuleContext } from '../../core/rule.ts';
import { buildSide, deploymentsOf, type BuildSide } from '../kit/build-files.ts';
import { applicationFolder } from '../kit/build-variants.ts';
import { problemInFile } from '../kit/file-problem.ts';
import {
  applicationFolders,
  environmentsOf,
  foreignImports,
  owningFolder,
  type Environment,
  type PackageSet,
  type PlacedImport,
} from '../kit/python-environments.ts';
import { comesWith, distributionsOf, isDevelopmentTool, isProductionOnly } from '../kit/python-names.ts';
import { majorVersion, markerHolds, pinnedVersion, showRequirement } from '../kit/requirements.ts';
import { examples } from './examples/python-env-drift.ts';

interface Application {
  readonly folder: string;
  readonly environments: ReadonlyMap<Environment, PackageSet>;
  readonly imports: readonly PlacedImport[];
}

function application(side: BuildSide, folder: string): Application {
  return { folder, environments: environmentsOf(side, folder), imports: foreignImports(side, folder) };
}

type Lack = { readonly kind: 'absent' } | { readonly kind: 'excluded'; readonly marker: string };

/**
 * Is a module missing in a set of packages?
 * @returns undefined when it is there, may be there, or cannot be told
 */
function lackOf(names: readonly string[], set: PackageSet): Lack | undefined {
  const found = names.flatMap((name) => set.packages.get(name) ?? []);
  if (found.some((requirement) => markerHolds(requirement.marker, set.python) !== false)) return undefined;
  const installed = new Set(set.packages.keys());
  for (const requirement of found) installed.delete(requirement.name);
  if (comesWith(names, installed) !== undefined) return undefined;
  const marker = found[0]?.marker;
  return marker === undefined ? { kind: 'absent' } : { kind: 'excluded', marker };
}

/** Modules that the code imports and production does not install, since this change. */
function* checkImports(before: Application, after: Application, target: string | undefined): Iterable<Problem> {
  const now = after.environments.get('production');
  if (now === undefined) return;
  const old = before.environments.get('production');
  const importedBefore = new Set(before.imports.filter((item) => item.context === 'always').map((item) => item.module));
  const seen = new Set<string>();
  for (const item of after.imports) {
    const { module, file, line, context } = item;
    const distribution = distributionsOf(module);
    if (distribution === undefined || seen.has(module) || (context !== 'always' && context !== 'late')) continue;
    const { names } = distribution;
    const lack = lackOf(names, now);
    if (lack === undefined || names.every(isDevelopmentTool)) continue;
    const removed = lack.kind === 'absent' && names.some((name) => isRemoved(name, old, now));
    const lackedBefore = old !== undefined && importedBefore.has(module) && lackOf(names, old) !== undefined;
    if (lackedBefore || (!removed && context === 'late')) continue;
    const isNew = !importedBefore.has(module);
    // A set that cannot be told in full, and that never had the package, may get it from elsewhere.
    if (!removed && lack.kind === 'absent' && (!isNew || !now.complete)) continue;
    seen.add(module);
    const elsewhere = [...after.environments].filter(
      ([name, set]) => name !== 'production' && names.some((candidate) => set.packages.has(candidate)),
    );
    const sure = removed || lack.kind === 'excluded' || elsewhere.length > 0 || now.locked;
    const others = after.imports
      .filter((other) => other.module === module && other !== item)
      .map((other) => `${other.file}:${other.line}`);
    const had = elsewhere.map(([name, set]) => `${name}: ${set.label}`);
    yield problemInFile(file, line, {
      message: `${file} imports ${module}${reasonText(
        lack,
        removed,
        names,
        now,
        elsewhere.map(([name]) => name),
      )}: the process ends with ModuleNotFoundError ${context === 'late' ? 'when the function is called' : 'when the module is loaded'}.`,
      severity: sure ? 'high' : 'medium',
      confidence: sure ? 'likely' : 'hint',
      evidence: {
        before:
          old === undefined
            ? null
            : (names.flatMap((name) => old.packages.get(name) ?? []).map(showRequirement)[0] ?? 'not installed'),
        after: lack.kind === 'excluded' ? `excluded by ${lack.marker}` : 'not installed',
        facts: [
          `production: ${now.label}`,
          ...had,
          ...(others.length === 0 ? [] : [`also imported in ${others.slice(0, 5).join(', ')}`]),
        ],
      },
      fix:
        lack.kind === 'excluded'
          ? `Correct the marker of ${names[0] ?? module}, or change the Python of the image.`
          : `Add ${names[0] ?? module} to the requirements of production, or remove the import.`,
      ...(target === undefined ? {} : { target }),
    });
  }
}

/** Taken out of a list that is still installed; with another way to install nothing is known. */
function isRemoved(name: string, old: PackageSet | undefined, now: PackageSet): boolean {
  const was = old?.packages.get(name);
  return was !== undefined && !now.packages.has(name) && (now.complete || now.files.has(was.file));
}

function reasonText(
  lack: Lack,
  removed: boolean,
  names: readonly string[],
  set: PackageSet,
  elsewhere: readonly string[],
): string {
  if (lack.kind === 'excluded')
    return `, and the marker "${lack.marker}" excludes ${names[0] ?? ''} on Python ${set.python ?? ''} of the image`;
  if (removed) return `, and this change takes ${names.join(' or ')} out of what production installs`;
  if (elsewhere.length > 0)
    return `, which only ${elsewhere.join(' and ')} installs and production does not (${names.join(' or ')})`;
  return `, and nothing that production installs is known to provide it (${names.join(' or ')})`;
}

/** Versions and sets that should be equal in two environments. */
function* checkSets(before: Application, after: Application, changed: ReadonlySet<string>): Iterable<Problem> {
  const production = after.environments.get('production');
  if (production === undefined) return;
  for (const [name, other] of after.environments) {
    if (name === 'production') continue;
    const own =
      [...production.files].every((file) => !changed.has(file)) && [...other.files].every((file) => !changed.has(file));
    if (own) continue;
    const oldProduction = before.environments.get('production');
    const oldOther = before.environments.get(name);
    for (const [distribution, theirs] of other.packages) {
      if (isDevelopmentTool(distribution)) continue;
      const ours = production.packages.get(distribution);
      if (ours === undefined) {
        if (name !== 'staging' || !production.complete || differedBefore(oldProduction, oldOther, distribution))
          continue;
        yield difference(
          theirs.file,
          theirs.line,
          distribution,
          [
            [name, showRequirement(theirs)],
            ['production', 'not installed'],
          ],
          after,
        );
        continue;
      }
      const [a, b] = [majorOf(ours), majorOf(theirs)];
      if (a === undefined || b === undefined || a === b || differedBefore(oldProduction, oldOther, distribution))
        continue;
      const place = changed.has(ours.file) ? ours : theirs;
      yield difference(
        place.file,
        place.line,
        distribution,
        [
          ['production', showRequirement(ours)],
          [name, showRequirement(theirs)],
        ],
        after,
      );
    }
    if (name !== 'staging' || !other.complete) continue;
    for (const [distribution, ours] of production.packages) {
      if (
        other.packages.has(distribution) ||
        isDevelopmentTool(distribution) ||
        isProductionOnly(distribution) ||
        differedBefore(oldProduction, oldOther, distribution)
      )
        continue;
      yield difference(
        ours.file,
        ours.line,
        distribution,
        [
          ['production', showRequirement(ours)],
          [name, 'not installed'],
        ],
        after,
      );
    }
  }
}

function majorOf(requirement: Parameters<typeof pinnedVersion>[0]): number | undefined {
  const version = pinnedVersion(requirement);
  return version === undefined ? undefined : majorVersion(version);
}

/** The same difference, present or in the major version, was there before. */
function differedBefore(production: PackageSet | undefined, other: PackageSet | undefined, name: string): boolean {
  if (production === undefined || other === undefined) return false;
  const [ours, theirs] = [production.packages.get(name), other.packages.get(name)];
  if (ours === undefined || theirs === undefined) return ours !== theirs;
  const [a, b] = [majorOf(ours), majorOf(theirs)];
  return a !== undefined && b !== undefined && a !== b;
}

function difference(
  file: string,
  line: number,
  name: string,
  sides: readonly (readonly [string, string])[],
  { environments }: Application,
): Problem {
  const [[first, one], [second, two]] = sides as [readonly [string, string], readonly [string, string]];
  return problemInFile(file, line, {
    message: `${name} differs between environments since this change: ${first} has ${one}, ${second} ${two === 'not installed' ? 'does not install it' : `has ${two}`}; what is tested in ${first === 'production' ? second : first} is not what production runs.`,
    severity: 'medium',
    evidence: {
      facts: [...environments].map(([environment, set]) => {
        const requirement = set.packages.get(name);
        return `${environment} (${set.label}): ${requirement === undefined ? 'not installed' : showRequirement(requirement)}`;
      }),
    },
    fix: `Use one lock for all environments, or give ${name} the same version in each.`,
    rootCause: `python-env-drift ${file} ${name}`,
  });
}

export default defineRule({
  id: 'python-env-drift',
  since: '0.1.0',
  family: 'Docker and Python drift',
  title: 'Python environment drift',
  severity: 'high',
  reversibility: 'instant',
  confidence: 'determined',
  needs: 'transition',
  kinds: [],
  live: [],
  summary:
    'A package that the code imports is missing in production, or an environment has another set or major version.',
  docs: {
    why: 'An import of a module that is not installed ends the process when the module is loaded: every new pod goes into CrashLoopBackOff. It happens where the list for development or tests holds the package and the one for production does not, where a package is taken out that the code still imports, and where a marker such as `python_version < "3.12"` excludes it on the Python of the image. Tests that run with another major version of a package say little about production.',
    fix: 'Use one lock for all environments (extras for tools only) and promote the image that was tested by its digest.',
    ignoreWhen: 'The package comes with the base image, or the import is optional in a way that the scan does not see.',
  },
  references: [
    'https://packaging.python.org/en/latest/specifications/dependency-specifiers/#environment-markers',
    'https://docs.python.org/3/library/exceptions.html#ModuleNotFoundError',
  ],
  options: Type.Object({}),
  examples,
  *check(context: RuleContext) {
    const sides = { before: buildSide(context.buildFiles.before), after: buildSide(context.buildFiles.after) };
    for (const folder of changedApplications(context.changedPaths, sides.before, sides.after)) {
      const before = application(sides.before, folder);
      const after = application(sides.after, folder);
      const dockerfile = sides.after.dockerfiles.find((path) => applicationFolder(path) === folder);
      const target = dockerfile === undefined ? undefined : deploymentsOf(context, dockerfile)[0]?.entry.target.id;
      yield* checkImports(before, after, target);
      yield* checkSets(before, after, context.changedPaths);
    }
  },
});

/** Folders of applications of which a build file, a dependency file or a module changes. */
function changedApplications(
  changedPaths: ReadonlySet<string>,
  before: BuildSide,
  after: BuildSide,
): readonly string[] {
  const folders = new Set<string>();
  for (const path of changedPaths) {
    for (const side of [before, after]) {
      const type = side.files.get(path)?.type;
      if (type === undefined) continue;
      const folder = type === 'python-source' ? owningFolder(applicationFolders(side), path) : applicationFolder(path);
      if (folder !== undefined) folders.add(folder);
    }
  }
  return [...folders].toSorted();
}

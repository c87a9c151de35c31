import type { Problem } from '../../core/rule.ts';
import { folderOf, isLibrary, requirementSet, type BuildSide } from './build-files.ts';
import { problemInFile } from './file-problem.ts';
import { lockedNames, projectsIn } from './python-project.ts';
import { showRequirement, type Requirement } from './requirements.ts';

/** Lock files: removed while the manifest stays, or without a dependency that the manifest gained. */
export function* checkLocks(before: BuildSide, after: BuildSide, changedPaths: ReadonlySet<string>): Iterable<Problem> {
  for (const lock of before.files.values()) {
    if (lock.type !== 'python-lock' || after.files.has(lock.path)) continue;
    const folder = folderOf(lock.path);
    const manifest = [...after.inFolder(folder, 'pyproject'), ...after.inFolder(folder, 'requirements')][0];
    if (manifest === undefined || after.inFolder(folder, 'python-lock').length > 0 || isLibrary(after, folder))
      continue;
    if (after.inFolder(folder, 'requirements').some((file) => requirementSet(after, [file.path]).locked)) continue;
    yield problemInFile(lock.path, 1, {
      message: `${lock.path} is removed and ${manifest.path} stays: every build resolves the dependencies anew, with whatever the index offers that day.`,
      evidence: { before: lock.path, after: null },
      fix: 'Keep the lock file in the repository, or replace it by another one.',
    });
  }
  for (const file of after.files.values()) {
    if (file.type !== 'pyproject' || !changedPaths.has(file.path)) continue;
    const folder = folderOf(file.path);
    const lock = after.inFolder(folder, 'python-lock')[0];
    const names = lock === undefined ? undefined : lockedNames(lock);
    if (lock === undefined || names === undefined) continue;
    const dependencies = (side: BuildSide): readonly Requirement[] =>
      projectsIn(side, folder).find((project) => project.file === file.path)?.dependencies ?? [];
    const known = new Set(dependencies(before).map((requirement) => requirement.name));
    for (const requirement of dependencies(after)) {
      if (known.has(requirement.name) || names.has(requirement.name) || requirement.marker !== undefined) continue;
      yield problemInFile(file.path, requirement.line, {
        message: `${requirement.name} is a new dependency of ${file.path}, and ${lock.path} does not hold it: a frozen install fails, or leaves it out.`,
        evidence: { after: showRequirement(requirement), facts: [`${lock.path} holds ${names.size} packages`] },
        fix: `Update the lock file (${lockCommand(lock.path)}) in the same change.`,
      });
    }
  }
}

function lockCommand(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return { 'uv.lock': 'uv lock', 'poetry.lock': 'poetry lock', 'pdm.lock': 'pdm lock' }[name] ?? 'pipenv lock';
}

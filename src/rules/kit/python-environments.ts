import type { BuildFile } from '../../core/model.ts';
import { pythonOf } from './base-image.ts';
import {
  folderOf,
  joinPath,
  requirementSet,
  resolveInstalled,
  type BuildSide,
  type PlacedRequirement,
} from './build-files.ts';
import { applicationFolder, variantOf, type Variant } from './build-variants.ts';
import { deployedStages, finalLineage } from './dockerfile.ts';
import { findImports, type Import } from './python-imports.ts';
import { memo } from './memo.ts';
import { isStandardLibrary } from './python-names.ts';
import { projectsIn } from './python-project.ts';

/** The packages of one environment of an application. */
export interface PackageSet {
  /** Where it comes from, for messages: `cart/requirements.txt`. */
  readonly label: string;
  readonly packages: ReadonlyMap<string, PlacedRequirement>;
  readonly files: ReadonlySet<string>;
  /** False: some of it cannot be told, so that a package that is not in it may still be installed. */
  readonly complete: boolean;
  /** Holds the packages below the direct ones, too. */
  readonly locked: boolean;
  /** Python of the image, `3.12`. */
  readonly python?: string;
}

export type Environment = 'production' | 'staging' | 'development' | 'test';

/** The environments for which an application folder has its own requirements files or image. */
export function environmentsOf(side: BuildSide, folder: string): ReadonlyMap<Environment, PackageSet> {
  const byVariant = new Map<Variant, string[]>();
  for (const file of side.files.values()) {
    if (
      file.type !== 'requirements' ||
      applicationFolder(file.path) !== folder ||
      /(^|[/._-])constraints[^/]*$|\.in$/.test(file.path)
    )
      continue;
    const variant = variantOf(file.path);
    byVariant.set(variant, [...(byVariant.get(variant) ?? []), file.path]);
  }
  const result = new Map<Environment, PackageSet>();
  for (const environment of ['staging', 'development', 'test'] as const) {
    const files = byVariant.get(environment);
    // Of several files for tests (docs, lint, typing) none is the whole environment.
    if (files !== undefined && (environment !== 'test' || files.length === 1))
      result.set(environment, fromFiles(side, files));
  }
  const production = productionSet(side, folder, byVariant);
  if (production !== undefined) result.set('production', production);
  return result;
}

function fromFiles(side: BuildSide, paths: readonly string[]): PackageSet {
  const set = requirementSet(side, paths);
  return {
    label: paths.join(', '),
    packages: new Map(
      set.requirements.filter(({ name }) => name !== '').map((requirement) => [requirement.name, requirement]),
    ),
    files: new Set(set.files),
    complete: set.complete,
    locked: set.locked,
  };
}

/** What the image for production installs; without an image the file for production, else requirements.txt, else the project. */
function productionSet(
  side: BuildSide,
  folder: string,
  byVariant: ReadonlyMap<Variant, readonly string[]>,
): PackageSet | undefined {
  const images = side.dockerfiles.filter((path) => applicationFolder(path) === folder);
  const image =
    images.find((path) => variantOf(path) === 'production') ?? images.find((path) => variantOf(path) === 'default');
  const installed = image === undefined ? undefined : fromImage(side, image, folder);
  if (installed !== undefined) return installed;
  const files =
    byVariant.get('production') ?? byVariant.get('default')?.filter((path) => /(^|\/)requirements\.txt$/.test(path));
  const python = image === undefined ? undefined : pythonOfImage(side, image);
  if (files !== undefined && files.length > 0)
    return { ...fromFiles(side, files), ...(python === undefined ? {} : { python }) };
  const project = fromProject(side, folder, []);
  return project === undefined ? undefined : { ...project, ...(python === undefined ? {} : { python }) };
}

function pythonOfImage(side: BuildSide, dockerfile: string): string | undefined {
  const file = side.dockerfile(dockerfile);
  const image = file === undefined ? undefined : finalLineage(file)[0]?.image;
  return image === undefined ? undefined : pythonOf(image);
}

function fromImage(side: BuildSide, dockerfile: string, folder: string): PackageSet | undefined {
  const file = side.dockerfile(dockerfile);
  const installs = (file === undefined ? [] : deployedStages(file)).flatMap((stage) =>
    stage.steps.flatMap((step) => step.installs.map((install) => ({ install, line: step.line }))),
  );
  if (installs.length === 0) return undefined;
  const paths: string[] = [];
  const packages = new Map<string, PlacedRequirement>();
  let complete = true;
  let locked = false;
  const files = new Set<string>([dockerfile]);
  for (const { install, line } of installs) {
    if (install.archives.length > 0) complete = false;
    if (install.tool !== 'pip') {
      // The lock and the groups are not read: the direct dependencies are there, and others may be.
      complete = false;
      const project = fromProject(side, folder, []);
      for (const [name, requirement] of project?.packages ?? []) packages.set(name, requirement);
      for (const name of project?.files ?? []) files.add(name);
    }
    for (const name of install.requirementFiles) {
      const path = resolveInstalled(side, dockerfile, name);
      if (path === undefined) complete = false;
      else paths.push(path);
    }
    for (const requirement of install.packages)
      packages.set(requirement.name, { ...requirement, line, file: dockerfile });
    for (const project of [...install.projects, ...install.editable]) {
      const extras = (/\[([^\]]*)\]/.exec(project)?.[1] ?? '').split(',').map((extra) => extra.trim());
      const place = joinPath(folder, project.replace(/\[[^\]]*\]$/, ''));
      const found = place === undefined || install.noDeps ? undefined : fromProject(side, place, extras);
      if (found === undefined) {
        if (!install.noDeps) complete = false;
        continue;
      }
      for (const [name, requirement] of found.packages) packages.set(name, requirement);
      for (const name of found.files) files.add(name);
    }
  }
  if (paths.length > 0) {
    const set = fromFiles(side, paths);
    for (const [name, requirement] of set.packages) packages.set(name, requirement);
    for (const name of set.files) files.add(name);
    complete &&= set.complete;
    locked = set.locked;
  }
  // `pip install --upgrade pip` alone says nothing about the application.
  if (
    paths.length === 0 &&
    complete &&
    [...packages.keys()].every((name) => /^(pip|setuptools|wheel|uv|poetry|pipenv)$/.test(name))
  )
    return undefined;
  const python = pythonOfImage(side, dockerfile);
  return {
    label: [dockerfile, ...paths].join(' with '),
    packages,
    files,
    complete,
    locked,
    ...(python === undefined ? {} : { python }),
  };
}

function fromProject(side: BuildSide, folder: string, extras: readonly string[]): PackageSet | undefined {
  const projects = projectsIn(side, folder);
  const all = projects.flatMap((project) =>
    [...project.dependencies, ...extras.flatMap((extra) => project.optional.get(extra) ?? [])].map((requirement) => ({
      ...requirement,
      file: project.file,
    })),
  );
  if (all.length === 0) return undefined;
  return {
    label: projects[0]?.file ?? folder,
    packages: new Map(all.map((requirement) => [requirement.name, requirement])),
    files: new Set(projects.map((project) => project.file)),
    complete: true,
    locked: false,
  };
}

export interface PlacedImport extends Import {
  readonly file: string;
}

/** Imports of the application's modules that are neither of the standard library nor of the repository. */
export function foreignImports(side: BuildSide, folder: string): readonly PlacedImport[] {
  const local = localModules(side);
  const found: PlacedImport[] = [];
  for (const file of side.files.values()) {
    if (file.type !== 'python-source' || /(^|\/)setup\.py$/.test(file.path)) continue;
    if (owningFolder(applicationFolders(side), file.path) !== folder) continue;
    for (const item of importsOf(file)) {
      if (!isStandardLibrary(item.module) && !local.has(item.module)) found.push({ ...item, file: file.path });
    }
  }
  return found;
}

const parsedImports = new WeakMap<BuildFile, readonly Import[]>();

function importsOf(file: BuildFile): readonly Import[] {
  const known = parsedImports.get(file) ?? findImports(file.text);
  parsedImports.set(file, known);
  return known;
}

/** Folders of the applications of a side: those that hold dependency files or Dockerfiles. */
export const applicationFolders: (side: BuildSide) => ReadonlySet<string> = memo((side) => {
  const build = [...side.files.values()].filter(
    (file) => file.type !== 'python-source' && file.type !== 'python-version',
  );
  return new Set(build.map((file) => applicationFolder(file.path)));
});

/** The application folder nearest above a file; undefined without one. */
export function owningFolder(folders: ReadonlySet<string>, path: string): string | undefined {
  for (let folder = folderOf(path); ; folder = folderOf(folder)) {
    if (folders.has(folder)) return folder;
    if (folder === '') return undefined;
  }
}

/** Names of modules and folders with modules anywhere in the tree: an import of one of them may be the repository's own. */
function localModules(side: BuildSide): ReadonlySet<string> {
  const names = new Set<string>();
  for (const file of side.files.values()) {
    if (file.type !== 'python-source') continue;
    const parts = file.path.split('/');
    names.add((parts.pop() ?? '').replace(/\.py$/, ''));
    for (const part of parts) names.add(part);
  }
  return names;
}

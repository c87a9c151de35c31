import type { BuildFile, Entry } from '../../core/model.ts';
import type { RuleContext } from '../../core/rule.ts';
import { applicationFolder, isForDevelopment } from './build-variants.ts';
import { parseDockerfile, type Dockerfile } from './dockerfile.ts';
import { imageBaseName, imageName, parseImage, type ImageReference } from './image-reference.ts';
import { memo } from './memo.ts';
import { containersOf, workloads } from './pods.ts';
import { parseRequirements, type Requirement, type RequirementsFile } from './requirements.ts';

/** The build files of one side, parsed when they are asked for. */
export interface BuildSide {
  readonly files: ReadonlyMap<string, BuildFile>;
  readonly dockerfiles: readonly string[];
  dockerfile(path: string): Dockerfile | undefined;
  requirements(path: string): RequirementsFile | undefined;
  /** Files of a type in one folder. */
  inFolder(folder: string, type: BuildFile['type']): readonly BuildFile[];
}

export const buildSide: (files: readonly BuildFile[]) => BuildSide = memo((list) => {
  const files = new Map(list.map((file) => [file.path, file]));
  const dockerfiles = new Map<string, Dockerfile>();
  const requirements = new Map<string, RequirementsFile>();
  function parsed<T>(
    cache: Map<string, T>,
    path: string,
    type: BuildFile['type'],
    parse: (text: string) => T,
  ): T | undefined {
    const file = files.get(path);
    if (file?.type !== type) return undefined;
    const known = cache.get(path) ?? parse(file.text);
    cache.set(path, known);
    return known;
  }
  return {
    files,
    dockerfiles: list.filter((file) => file.type === 'dockerfile').map((file) => file.path),
    dockerfile: (path) => parsed(dockerfiles, path, 'dockerfile', parseDockerfile),
    requirements: (path) => parsed(requirements, path, 'requirements', parseRequirements),
    inFolder: (folder, type) => list.filter((file) => file.type === type && folderOf(file.path) === folder),
  };
});

export function folderOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash === -1 ? '' : path.slice(0, slash);
}

/** `a/b` and `../c` give `a/c`; undefined when it leaves the tree. */
export function joinPath(folder: string, relative: string): string | undefined {
  if (relative.startsWith('/')) return undefined;
  const result: string[] = folder === '' ? [] : folder.split('/');
  for (const part of relative.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') result.push(part);
    else if (result.pop() === undefined) return undefined;
  }
  return result.join('/');
}

/** A requirement with the file that holds it. */
export interface PlacedRequirement extends Requirement {
  readonly file: string;
}

/** A requirements file with everything that it includes. */
export interface RequirementSet {
  readonly requirements: readonly PlacedRequirement[];
  readonly constraints: readonly PlacedRequirement[];
  /** All files that were read. */
  readonly files: readonly string[];
  /** False: something in it cannot be told (a missing file, a project, a line that is no requirement). */
  readonly complete: boolean;
  /** Holds transitive packages too: written by a tool, or with hashes. */
  readonly locked: boolean;
}

export function requirementSet(side: BuildSide, paths: readonly string[]): RequirementSet {
  const requirements: PlacedRequirement[] = [];
  const constraints: PlacedRequirement[] = [];
  const seen = new Set<string>();
  let complete = true;
  let locked = paths.length > 0;
  const todo = paths.map((path) => ({ path, constraint: false, root: true }));
  for (let item = todo.pop(); item !== undefined; item = todo.pop()) {
    const key = `${item.constraint ? 'c' : 'r'} ${item.path}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const file = side.requirements(item.path);
    if (file === undefined) {
      complete = false;
      continue;
    }
    if (file.unreadable.length > 0) complete = false;
    if (item.root && !file.compiled && !file.requireHashes) locked = false;
    for (const requirement of file.requirements) {
      (item.constraint ? constraints : requirements).push({ ...requirement, file: item.path });
      if (requirement.name === '' && !item.constraint) complete = false;
    }
    for (const { kind, path } of file.includes) {
      const target = joinPath(folderOf(item.path), path);
      if (target === undefined || path.includes('://')) complete = false;
      else todo.push({ path: target, constraint: item.constraint || kind === 'constraint', root: false });
    }
  }
  return { requirements, constraints, files: [...new Set([...seen].map((key) => key.slice(2)))], complete, locked };
}

/**
 * The requirements files of the tree that `pip install -r NAME` in a Dockerfile reads. The build context is not known:
 * the folder of the Dockerfile, the folders above it and the root are tried, nearest first.
 */
export function resolveInstalled(side: BuildSide, dockerfile: string, name: string): string | undefined {
  if (name.includes('$')) return undefined;
  // In the image the file often lies elsewhere than in the context: /tmp/requirements.txt.
  const names = [name.replace(/^\/+/, ''), name.slice(name.lastIndexOf('/') + 1)];
  const parts = folderOf(dockerfile)
    .split('/')
    .filter((part) => part !== '');
  for (const wanted of names) {
    for (let up = parts.length; up >= 0; up--) {
      const path = joinPath(parts.slice(0, up).join('/'), wanted);
      if (path !== undefined && side.files.get(path)?.type === 'requirements') return path;
    }
    const nested = joinPath(applicationFolder(dockerfile), `requirements/${wanted}`);
    if (nested !== undefined && side.files.has(nested)) return nested;
  }
  return undefined;
}

export interface Deployment {
  readonly entry: Entry;
  readonly container: string;
  readonly image: ImageReference;
}

/**
 * The containers of the manifests that run what a Dockerfile builds, told by the name: the last part of the image's repository is the
 * name of the Dockerfile's folder (`services/api/Dockerfile` and `registry.example.org/shop/api`), or of `api.Dockerfile`.
 */
export function deploymentsOf(context: Pick<RuleContext, 'after'>, dockerfile: string): readonly Deployment[] {
  const own = /^(.+)[._-](?:dockerfile|containerfile)$/i.exec(dockerfile.slice(dockerfile.lastIndexOf('/') + 1))?.[1];
  const folder = applicationFolder(dockerfile);
  const name = (own ?? folder.slice(folder.lastIndexOf('/') + 1)).toLowerCase();
  if (name === '') return [];
  const found: Deployment[] = [];
  for (const { entry, template } of workloads(context.after)) {
    for (const { container } of containersOf(template)) {
      const image = parseImage(String(container.image ?? ''));
      if (image !== undefined && imageBaseName(image) === name) found.push({ entry, container: container.name, image });
    }
  }
  return found;
}

/** "Deployment shop/api runs registry.example.org/shop/api", for evidence. */
export function deploymentFacts(deployments: readonly Deployment[]): readonly string[] {
  const facts = deployments.map(
    ({ entry, image }) => `${entry.ref.kind} ${entry.ref.namespace ?? ''}/${entry.ref.name} runs ${imageName(image)}`,
  );
  return [...new Set(facts)].slice(0, 5);
}

/** Is a folder a library, not an application: it builds a package, and nothing at or above it builds an image? */
export function isLibrary(side: BuildSide, folder: string): boolean {
  const pyproject = side.files.get(folder === '' ? 'pyproject.toml' : `${folder}/pyproject.toml`);
  const setup = ['setup.py', 'setup.cfg'].some((name) => side.files.has(folder === '' ? name : `${folder}/${name}`));
  const builds = setup || (pyproject !== undefined && /^\s*\[build-system\]/m.test(pyproject.text));
  if (!builds) return false;
  return !side.dockerfiles.some((path) => {
    if (isForDevelopment(path)) return false;
    const place = applicationFolder(path);
    return place === folder || place === '' || folder.startsWith(`${place}/`);
  });
}

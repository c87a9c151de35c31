import { dirname, isAbsolute, join, posix, relative } from 'node:path';
import { mkdir } from 'node:fs/promises';
import type { Json, JsonObject, KustomizeSource } from '../core/model.ts';
import type { Tree } from '../core/ports.ts';
import type { Rendered } from './cache.ts';
import type { ChartFetcher } from './chart-fetch.ts';
import { copyInto, digestOf, runTool, useTool, writeAtomically } from './context.ts';
import type { RenderContext } from './context.ts';
import { fail } from './failure.ts';
import { createFluxIgnore } from './flux-ignore.ts';
import { generateKustomization } from './flux-generate.ts';
import { plainVersion } from './helm.ts';
import type { Job, SourceSettings } from './helm.ts';
import { kustomizationFile, kustomizationNames, kustomizeClosure, readKustomization } from './kustomize-closure.ts';
import type { KustomizeClosure } from './kustomize-closure.ts';
import { applyArgoEdits, applyFluxEdits } from './kustomize-edit.ts';
import { kustomizeProblem } from './kustomize-error.ts';
import { inflateCharts } from './kustomize-helm.ts';
import { resolveRemotes } from './kustomize-remote.ts';
import type { createOrigins } from './origins.ts';
import { parseManifests } from './parse.ts';
import type { ParseMemo } from './parse.ts';
import { sealedResources, type SealedResources } from './ksops.ts';
import { insideTree, onDisk, relativeTo } from './tree-path.ts';

/** What `prepareKustomize` shares with the other renderers of a run. */
export interface KustomizeTools {
  readonly context: RenderContext;
  readonly fetcher: ChartFetcher;
  readonly memo: ParseMemo;
  readonly origins: ReturnType<typeof createOrigins>;
  readonly substitute: ((object: JsonObject) => Json) | undefined;
  /** Identity of the substitution. */
  readonly identity: unknown;
}

/**
 * Prepares `kustomize build` for one source: in place when nothing has to be changed, else on a copy of the files that
 * the kustomization reads, with the edits of Argo CD or Flux written into it.
 */
export async function prepareKustomize(
  source: KustomizeSource,
  settings: SourceSettings,
  tree: Tree,
  tools: KustomizeTools,
): Promise<Job> {
  const { context } = tools;
  const kustomize = await useTool(context, 'kustomize', settings.kustomize);
  const root = insideTree(source.path, 'The kustomization path');
  const edited = editedKustomization(source, root, tree);
  const overrides = new Map(edited === undefined ? [] : [[root, edited.content]]);
  const written = kustomizeClosure(tree, root, overrides);
  const sealed = sealedResources(tree, written.folders, overrides);
  for (const [folder, content] of sealed?.overrides ?? []) overrides.set(folder, content);
  const closure = sealed === undefined ? written : kustomizeClosure(tree, root, overrides);
  const remotes = await resolveRemotes(closure, tree, context, overrides);
  if (closure.helmCharts.length > 0 && !source.enableHelm) {
    fail({
      kind: 'unsupported',
      message: `The kustomization inflates the Helm chart ${closure.helmCharts[0]?.name}, which needs --enable-helm`,
      location: { file: kustomizationFile(tree, closure.helmCharts[0]?.folder ?? root) ?? root },
      next: 'If the cluster builds it so, write argocd: {kustomizeBuildOptions: --enable-helm} into gate.yaml. Flux never inflates charts.',
    });
  }
  const helm = closure.helmCharts.length === 0 ? undefined : await useTool(context, 'helm', settings.helm);
  const charts = helm === undefined ? undefined : await inflateCharts(closure, tree, tools.fetcher);
  const anywhere = source.loadRestrictions === 'none' || sealed?.outside === true;
  const flags = flagsOf(anywhere, settings, helm?.path);
  const content = [...overrides].toSorted(([left], [right]) => (left < right ? -1 : 1));
  const key = digestOf([
    'kustomize',
    kustomize.version,
    helm?.version ?? '',
    root,
    flags.filter((flag) => !flag.startsWith('--helm-command')),
    closure.inputs,
    content,
    remotes.identity,
    charts?.identity ?? '',
    tools.identity,
  ]);
  const needsCopy = overrides.size > 0 || charts !== undefined || (edited?.hidden ?? []).length > 0;

  const build = async (folder: string, from: string): Promise<Rendered | { readonly stderr: string }> => {
    const result = await runTool(context, 'kustomize', {
      file: kustomize.path,
      args: ['build', ...flags, '--', folder],
      cwd: from,
    });
    if (result.exitCode !== 0) return { stderr: result.stderr.replaceAll(from, '') };
    const { manifests } = parseManifests(result.stdout, {
      redactKey: context.redactKey,
      memo: tools.memo,
      ...(tools.substitute === undefined ? {} : { substitute: tools.substitute }),
    });
    return { manifests, warnings: [...warningsOf(result.stderr), ...(sealed === undefined ? [] : [sealedWarning])] };
  };

  return {
    key,
    persistent: true,
    async run() {
      if (!needsCopy) return expectBuilt(await build(onDisk(tree, root), tree.root), closure, tree, root);
      const copy = await context.workspace.folder(`kustomize ${key}`, async (folder) => {
        await copyClosure(closure, tree, folder, edited?.hidden ?? []);
        await writeOverrides(overrides, tree, folder, remotes.folders);
        await writeSealed(sealed, folder);
        await charts?.place(folder);
      });
      const built = await build(join(copy, root), copy);
      if (!('stderr' in built) || !missesTreeFile(built.stderr, tree)) return expectBuilt(built, closure, tree, root);
      // Something reads a file that the closure does not know of: give it the whole tree.
      const full = await context.workspace.folder(`kustomize full ${key}`, async (folder) => {
        await copyInto(tree.root, folder);
        await writeOverrides(overrides, tree, folder, remotes.folders);
        await writeSealed(sealed, folder);
        await charts?.place(folder);
      });
      return expectBuilt(await build(join(full, root), full), closure, tree, root);
    },
    locate: (rendered) => tools.origins.locate(rendered, closure, tree),
  };
}

function expectBuilt(
  built: Rendered | { readonly stderr: string },
  closure: KustomizeClosure,
  tree: Tree,
  root: string,
): Rendered {
  return 'stderr' in built ? fail(kustomizeProblem(built.stderr, closure, tree, root)) : built;
}

interface Edited {
  readonly content: JsonObject;
  /** Files that Flux does not see although the kustomization may name them. */
  readonly hidden: readonly string[];
}

/** The kustomization with the engine's edits; undefined: the file of the tree is built as it is. */
function editedKustomization(source: KustomizeSource, root: string, tree: Tree): Edited | undefined {
  if (!tree.isDirectory(root) && root !== '')
    fail({ kind: 'render', message: `The folder ${root} does not exist in the repository` });
  const file = kustomizationFile(tree, root);
  const componentExists = (path: string): boolean => tree.isDirectory(relativeTo(root, path, 'The component'));
  if (file === undefined && !source.generate) {
    fail({
      kind: 'render',
      message: `There is no kustomization in ${root === '' ? 'the root of the repository' : root}`,
      next: `Add one of ${kustomizationNames.join(', ')}.`,
    });
  }
  if (source.flux !== undefined || file === undefined) {
    const flux = source.flux ?? {};
    const isHidden = createFluxIgnore(tree, flux.ignore);
    const content = file === undefined ? generateKustomization(tree, root, isHidden) : readKustomization(tree, file);
    const hidden = [...tree.files.keys()].filter((path) => isHidden(path));
    const result = applyFluxEdits(content, flux, file === undefined, componentExists);
    const unchanged =
      file !== undefined &&
      hidden.length === 0 &&
      JSON.stringify(result) === JSON.stringify({ apiVersion: '', kind: '', ...content });
    return unchanged ? undefined : { content: result, hidden };
  }
  if (source.argocd === undefined) return undefined;
  const content = readKustomization(tree, file);
  const result = applyArgoEdits(content, source.argocd, componentExists);
  return JSON.stringify(result) === JSON.stringify(content) ? undefined : { content: result, hidden: [] };
}

function flagsOf(anywhere: boolean, settings: SourceSettings, helm: string | undefined): string[] {
  const restriction = anywhere ? ['--load-restrictor=LoadRestrictionsNone'] : [];
  if (helm === undefined) return restriction;
  const kubeVersion = plainVersion(settings.kubeVersion);
  return [
    ...restriction,
    '--enable-helm',
    `--helm-command=${helm}`,
    ...(kubeVersion === undefined ? [] : [`--helm-kube-version=${kubeVersion}`]),
    ...(settings.apiVersions ?? []).map((version) => `--helm-api-versions=${version}`),
  ];
}

/** Begins with the word by which the report picks it out. */
const sealedWarning = 'encrypted: what KSOPS decrypts in the cluster is compared as it stands, encrypted';

function warningsOf(stderr: string): string[] {
  return stderr
    .split('\n')
    .filter((line) => /^#? ?Warning:/i.test(line))
    .map((line) => line.replace(/^#? ?Warning:\s*/i, ''))
    .slice(0, 20);
}

async function copyClosure(
  closure: KustomizeClosure,
  tree: Tree,
  folder: string,
  hidden: readonly string[],
): Promise<void> {
  const unseen = new Set(hidden);
  for (const path of closure.folders) await mkdir(join(folder, path), { recursive: true });
  for (const [path, hash] of closure.inputs) {
    if (hash === undefined) continue;
    const files = path.endsWith('/') ? tree.list(path.slice(0, -1)) : [path];
    for (const file of files) {
      if (!unseen.has(file) && tree.isFile(file)) await copyInto(onDisk(tree, file), join(folder, file));
    }
  }
}

/** JSON is YAML. Entries of other repositories become relative paths from the copy to their checkout. */
async function writeOverrides(
  overrides: ReadonlyMap<string, JsonObject>,
  tree: Tree,
  folder: string,
  checkouts: ReadonlyMap<string, string>,
): Promise<void> {
  for (const [path, content] of overrides) {
    const name = kustomizationFile(tree, path) ?? posix.join(path, kustomizationNames[0]);
    const target = join(folder, name);
    await mkdir(dirname(target), { recursive: true });
    await writeAtomically(target, JSON.stringify(withLocalPaths(content, dirname(target), checkouts)));
  }
}

async function writeSealed(sealed: SealedResources | undefined, folder: string): Promise<void> {
  for (const [path, content] of sealed?.files ?? []) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeAtomically(join(folder, path), content);
  }
}

function withLocalPaths(content: JsonObject, from: string, checkouts: ReadonlyMap<string, string>): JsonObject {
  if (checkouts.size === 0) return content;
  const result: JsonObject = { ...content };
  for (const field of ['resources', 'bases', 'components']) {
    const entries = result[field];
    if (!Array.isArray(entries)) continue;
    result[field] = entries.map((entry) => {
      const checkout = typeof entry === 'string' ? checkouts.get(entry) : undefined;
      return checkout === undefined ? entry : relative(from, checkout);
    });
  }
  return result;
}

function missesTreeFile(stderr: string, tree: Tree): boolean {
  const text = stderr.slice(0, 20_000);
  if (!/no such file|doesn't exist|not found|unable to find/i.test(text)) return false;
  return [...text.matchAll(/['"\s](\/?[\w.@+-][\w./@+-]*)['":\s]/g)].some(([, path = '']) => {
    const inTree = posix.normalize(isAbsolute(path) ? path.slice(1) : path);
    return !inTree.startsWith('..') && (tree.isFile(inTree) || tree.isDirectory(inTree));
  });
}

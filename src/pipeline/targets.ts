import picomatch from 'picomatch';
import type { ClusterState } from '../core/cluster.ts';
import type { Config } from '../core/config.ts';
import type { Discovery, JsonObject, NotEvaluated, RenderResult, ResourceRef, Side, Target } from '../core/model.ts';
import type { GoTemplate, Progress, Renderer, SourcedObject, Tree, TreePair } from '../core/ports.ts';
import { discoverArgoCd } from '../sources/argocd.ts';
import { detectConventional } from '../sources/detect.ts';
import { explicitTargets } from '../sources/explicit.ts';
import { discoverFlux } from '../sources/flux.ts';
import { readDeclarations } from '../sources/read-yaml.ts';
import { declaredByOthers, renderedInstead } from './superseded.ts';

/** Applications that render Applications ...: deeper than this is a mistake or an attack. */
const maximumDepth = 6;

export interface DiscoveredSide {
  readonly side: Side;
  readonly tree: Tree;
  readonly targets: ReadonlyMap<string, Target>;
  readonly notEvaluated: readonly NotEvaluated[];
  /** Targets that had to be rendered because they declare other targets. */
  readonly rendered: ReadonlyMap<string, RenderResult>;
  /** Generators that could not be expanded completely on this side: what they miss is unknown, not deleted. */
  readonly incompleteGenerators: ReadonlySet<string>;
  /** Files that hold generators, also those that generate nothing: what they say is judged by its result. */
  readonly generatorFiles: ReadonlySet<string>;
  /** Files that hold generators which could not be expanded completely. */
  readonly openGeneratorFiles: ReadonlySet<string>;
}

/** Identity of an object that generates targets. */
export function generatorKey(ref: ResourceRef): string {
  return [ref.group, ref.kind, ref.namespace ?? '', ref.name].join('/');
}

export interface DiscoveryPorts {
  readonly config: Config;
  readonly trees: TreePair;
  /** Undefined: no cluster told anything, so nothing is known of the Secrets of other clusters. */
  readonly cluster: Pick<ClusterState, 'objects'> | undefined;
  readonly renderer: Renderer;
  readonly goTemplate: GoTemplate;
  readonly progress: Progress;
}

/** The side while it is being discovered. */
interface Found {
  readonly side: Side;
  readonly tree: Tree;
  readonly targets: Map<string, Target>;
  readonly notEvaluated: NotEvaluated[];
  readonly rendered: Map<string, RenderResult>;
  readonly incompleteGenerators: Set<string>;
  readonly generatorFiles: Set<string>;
  readonly openGeneratorFiles: Set<string>;
  /** Ids of the conventional targets that were expanded. */
  readonly conventional: Set<string>;
}

/**
 * Finds every target of a side: explicit ones, engine objects in plain files, engine objects that other targets
 * render (app-of-apps, to a fix-point), and conventional charts, overlays and folders that none of these claims.
 */
export async function discoverSide(side: Side, ports: DiscoveryPorts): Promise<DiscoveredSide> {
  const declared = new Set<string>();
  for (let round = 0; ; round += 1) {
    const found = await discoverOnce(side, ports, declared);
    const more = round === maximumDepth ? [] : declaredByOthers(found);
    if (more.length === 0) return found;
    // What is rendered stays rendered: only the expansion of targets is repeated.
    for (const id of more) declared.add(id);
  }
}

/** @param declared ids of conventional parents that turned out to be the source of an engine object */
async function discoverOnce(side: Side, ports: DiscoveryPorts, declared: ReadonlySet<string>): Promise<Found> {
  const found: Found = {
    side,
    tree: ports.trees[side],
    targets: new Map(),
    notEvaluated: [],
    rendered: new Map(),
    incompleteGenerators: new Set(),
    generatorFiles: new Set(),
    openGeneratorFiles: new Set(),
    conventional: new Set(),
  };
  add(explicitTargets(found.tree, ports.config, side === 'before' ? ports.trees.after : undefined), found);
  if (!ports.config.detect) return found;
  const declarations = readDeclarations(found.tree);
  found.notEvaluated.push(...declarations.notEvaluated);
  await discoverDeclared(declarations.objects, found, ports);
  await renderParents(found, ports);
  // A chart or an overlay that nothing declares may itself be an app-of-apps: what it declares claims folders in turn.
  const conventional = detectConventional(found.tree, ports.config, [...found.targets.values()]);
  const parents = conventional.targets.filter((target) => target.rendersTargets && !declared.has(target.id));
  for (const parent of parents) found.conventional.add(parent.id);
  add({ targets: parents, notEvaluated: [] }, found);
  await renderParents(found, ports);
  for (const id of renderedInstead(found)) found.targets.delete(id);
  add(detectConventional(found.tree, ports.config, [...found.targets.values()]), found);
  return found;
}

/** A later declaration of the same target wins: the rendered one has the parent's patches. */
function add(discovery: Discovery, found: Found): void {
  for (const target of discovery.targets) found.targets.set(target.id, target);
  found.notEvaluated.push(...discovery.notEvaluated);
  for (const expansion of discovery.expansions ?? []) {
    if (expansion.complete) found.generatorFiles.add(expansion.location.file);
    else {
      found.openGeneratorFiles.add(expansion.location.file);
      found.incompleteGenerators.add(generatorKey(expansion.declaredBy));
    }
  }
}

async function discoverDeclared(objects: readonly SourcedObject[], found: Found, ports: DiscoveryPorts): Promise<void> {
  const { config, trees, cluster, goTemplate } = ports;
  const context = {
    tree: found.tree,
    side: found.side,
    config,
    remotes: [...trees.remotes, ...config.repositoryUrls],
    branches: trees.branches,
    goTemplate,
    known: [...found.targets.values()],
    ...(cluster === undefined ? {} : { cluster }),
  };
  add(await discoverArgoCd(objects, context), found);
  add(discoverFlux(objects, context), found);
}

async function renderParents(found: Found, ports: DiscoveryPorts): Promise<void> {
  for (let depth = 0; ; depth += 1) {
    const parents = [...found.targets.values()].filter(
      (target) => target.rendersTargets && !found.rendered.has(target.id),
    );
    if (parents.length === 0) return;
    if (depth === maximumDepth) {
      found.notEvaluated.push(...parents.map(tooDeep));
      return;
    }
    ports.progress.start(`Expanding targets (${found.side}, level ${depth + 1})`, parents.length);
    const results = await Promise.all(
      parents.map(async (parent) => {
        const result = await ports.renderer.render(parent, found.tree);
        ports.progress.advance(parent.name);
        return result;
      }),
    );
    ports.progress.done();
    for (const result of results) found.rendered.set(result.target.id, result);
    const objects = results.flatMap(declarationsOf);
    if (objects.length > 0) await discoverDeclared(objects, found, ports);
  }
}

function tooDeep(parent: Target): NotEvaluated {
  return {
    what: `targets that ${parent.name} renders`,
    target: parent.id,
    reason: `declared more than ${maximumDepth} levels deep: ${[...parent.parents, parent.id].join(' -> ')}`,
    location: parent.origin,
    weight: 'incomplete',
  };
}

/** All rendered objects, so that ConfigMaps that HelmReleases read values from are found too. */
function declarationsOf(result: RenderResult): SourcedObject[] {
  if (!result.ok) return [];
  return result.manifests.map((manifest) => ({
    object: manifest.object as unknown as JsonObject,
    location:
      manifest.provenance.file === undefined
        ? result.target.origin
        : {
            file: manifest.provenance.file,
            ...(manifest.provenance.line === undefined ? {} : { line: manifest.provenance.line }),
          },
    parent: result.target,
  }));
}

/** Does the run ask for this target? Gives the reason when not: `exclude` of gate.yaml, `--environment`, `--target`. */
export function compileTargetFilter(request: {
  readonly environment?: string;
  readonly targets: readonly string[];
  /** `exclude` of gate.yaml. */
  readonly exclude: readonly string[];
}): (target: Target) => string | undefined {
  const excluded = request.exclude.map((glob) => ({ glob, matches: picomatch(glob, { dot: true, bash: true }) }));
  const globs = request.targets.map((glob) => picomatch(glob, { dot: true, bash: true }));
  return (target) => {
    const exclusion = excluded.find(({ matches }) =>
      [target.id, target.name, target.origin.file].some((text) => matches(text)),
    );
    if (exclusion !== undefined) return `left out: gate.yaml excludes ${exclusion.glob}`;
    if (request.environment !== undefined && target.environment !== request.environment) {
      return `left out: not in environment ${request.environment}`;
    }
    if (globs.length > 0 && !globs.some((matches) => matches(target.id) || matches(target.name))) {
      return 'left out by --target';
    }
    return undefined;
  };
}

import picomatch from 'picomatch';
import type { Config } from '../core/config.ts';
import type { ClusterState, Discovery, JsonObject, NotEvaluated, RenderResult, Side, Target } from '../core/model.ts';
import type { GoTemplate, Progress, Renderer, SourcedObject, Tree, TreePair } from '../core/ports.ts';
import { discoverArgoCd } from '../sources/argocd.ts';
import { detectConventional } from '../sources/detect.ts';
import { explicitTargets } from '../sources/explicit.ts';
import { discoverFlux } from '../sources/flux.ts';
import { readDeclarations } from '../sources/read-yaml.ts';

/** Applications that render Applications ...: deeper than this is a mistake or an attack. */
const maximumDepth = 6;

export interface DiscoveredSide {
  readonly side: Side;
  readonly tree: Tree;
  readonly targets: ReadonlyMap<string, Target>;
  readonly notEvaluated: readonly NotEvaluated[];
  /** Targets that had to be rendered because they declare other targets. */
  readonly rendered: ReadonlyMap<string, RenderResult>;
}

export interface DiscoveryPorts {
  readonly config: Config;
  readonly trees: TreePair;
  readonly cluster: ClusterState | undefined;
  readonly renderer: Renderer;
  readonly goTemplate: GoTemplate;
  readonly progress: Progress;
}

/**
 * Finds every target of a side: explicit ones, engine objects in plain files, engine objects that other targets
 * render (app-of-apps, to a fix-point), and conventional charts, overlays and folders that none of these claims.
 */
export async function discoverSide(side: Side, ports: DiscoveryPorts): Promise<DiscoveredSide> {
  const tree = ports.trees[side];
  const targets = new Map<string, Target>();
  const notEvaluated: NotEvaluated[] = [];
  const rendered = new Map<string, RenderResult>();
  add(explicitTargets(tree, ports.config), targets, notEvaluated);
  if (!ports.config.detect) return { side, tree, targets, notEvaluated, rendered };

  const declarations = readDeclarations(tree);
  notEvaluated.push(...declarations.notEvaluated);
  await discoverDeclared(side, ports, declarations.objects, targets, notEvaluated);
  await renderParents(side, ports, targets, notEvaluated, rendered);
  add(detectConventional(tree, ports.config, [...targets.values()]), targets, notEvaluated);
  return { side, tree, targets, notEvaluated, rendered };
}

/** A later declaration of the same target wins: the rendered one has the parent's patches. */
function add(found: Discovery, targets: Map<string, Target>, notEvaluated: NotEvaluated[]): void {
  for (const target of found.targets) targets.set(target.id, target);
  notEvaluated.push(...found.notEvaluated);
}

async function discoverDeclared(
  side: Side,
  ports: DiscoveryPorts,
  objects: readonly SourcedObject[],
  targets: Map<string, Target>,
  notEvaluated: NotEvaluated[],
): Promise<void> {
  const { config, trees, cluster, goTemplate } = ports;
  const context = {
    tree: trees[side],
    side,
    config,
    remotes: [...trees.remotes, ...config.repositoryUrls],
    branches: trees.branches,
    goTemplate,
    known: [...targets.values()],
    ...(cluster === undefined ? {} : { cluster }),
  };
  add(await discoverArgoCd(objects, context), targets, notEvaluated);
  add(discoverFlux(objects, context), targets, notEvaluated);
}

async function renderParents(
  side: Side,
  ports: DiscoveryPorts,
  targets: Map<string, Target>,
  notEvaluated: NotEvaluated[],
  rendered: Map<string, RenderResult>,
): Promise<void> {
  for (let depth = 0; ; depth += 1) {
    const parents = [...targets.values()].filter((target) => target.rendersTargets && !rendered.has(target.id));
    if (parents.length === 0) return;
    if (depth === maximumDepth) {
      for (const parent of parents) {
        notEvaluated.push({
          what: `targets that ${parent.name} renders`,
          target: parent.id,
          reason: `declared more than ${maximumDepth} levels deep: ${[...parent.parents, parent.id].join(' -> ')}`,
          location: parent.origin,
          weight: 'incomplete',
        });
      }
      return;
    }
    ports.progress.start(`Expanding targets (${side}, level ${depth + 1})`, parents.length);
    const results = await Promise.all(
      parents.map(async (parent) => {
        const result = await ports.renderer.render(parent, ports.trees[side]);
        ports.progress.advance(parent.name);
        return result;
      }),
    );
    ports.progress.done();
    for (const result of results) rendered.set(result.target.id, result);
    const objects = results.flatMap(declarationsOf);
    if (objects.length > 0) await discoverDeclared(side, ports, objects, targets, notEvaluated);
  }
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

/** Does the run ask for this target (`--environment`, `--target`)? */
export function compileTargetFilter(request: {
  readonly environment?: string;
  readonly targets: readonly string[];
}): (target: Target) => string | undefined {
  const globs = request.targets.map((glob) => picomatch(glob, { dot: true, bash: true }));
  return (target) => {
    if (request.environment !== undefined && target.environment !== request.environment) {
      return `left out: not in environment ${request.environment}`;
    }
    if (globs.length > 0 && !globs.some((matches) => matches(target.id) || matches(target.name))) {
      return 'left out by --target';
    }
    return undefined;
  };
}

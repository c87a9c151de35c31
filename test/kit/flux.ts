import type { Tree } from '../../src/core/ports.ts';
import type { Discovery, RenderSource, Target } from '../../src/core/model.ts';
import { discoverFlux, type FluxContext } from '../../src/sources/flux.ts';
import { readDeclarations } from '../../src/sources/read-yaml.ts';
import { testConfig, treeOf } from './sources.ts';

/** A Flux context over a tree whose repository is `https://github.com/acme/fleet`. */
export function fluxContext(tree: Tree, overrides: Partial<FluxContext> = {}): FluxContext {
  return {
    tree,
    side: 'after',
    config: testConfig(),
    remotes: ['https://github.com/acme/fleet.git'],
    branches: ['main'],
    ...overrides,
  };
}

/** What the plain files of a tree declare. */
export function discoverFiles(
  files: Readonly<Record<string, string>>,
  overrides: Partial<FluxContext> = {},
): Discovery {
  const tree = treeOf(files);
  return discoverFlux(readDeclarations(tree).objects, fluxContext(tree, overrides));
}

/** The single target that `discovery` holds; fails otherwise. */
export function only(discovery: Discovery): Target {
  const [target, ...more] = discovery.targets;
  if (target === undefined || more.length > 0)
    throw new Error(`expected one target, got ${discovery.targets.map((item) => item.id).join(', ') || 'none'}`);
  return target;
}

/** The single source of a target, of the expected type. */
export function sourceOf<Type extends RenderSource['type']>(
  target: Target,
  type: Type,
): Extract<RenderSource, { type: Type }> {
  const source = target.sources[0];
  if (source === undefined || source.type !== type)
    throw new Error(`expected a ${type} source, got ${JSON.stringify(source)}`);
  return source as Extract<RenderSource, { type: Type }>;
}

/** A GitRepository of this repository; `ref` as YAML flow. */
export function gitRepository(ref = '{branch: main}', name = 'fleet', url = 'ssh://git@github.com/acme/fleet'): string {
  return `apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: ${name}, namespace: flux-system}
spec: {url: "${url}", ref: ${ref}}
`;
}

/** A Flux Kustomization; `spec` is YAML indented by two blanks. */
export function kustomization(spec: string, name = 'apps'): string {
  return `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: ${name}, namespace: flux-system}
spec:
  sourceRef: {kind: GitRepository, name: fleet}
${spec}
`;
}

/** A HelmRelease in namespace shop; `spec` is YAML indented by two blanks. */
export function helmRelease(spec: string, name = 'checkout'): string {
  return `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: ${name}, namespace: shop}
spec:
${spec}
`;
}

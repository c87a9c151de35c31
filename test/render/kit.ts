import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Config } from '../../src/core/config.ts';
import type { HelmSource, Manifest, RenderProblem, RenderResult, RenderSource, Target } from '../../src/core/model.ts';
import type { Tree } from '../../src/core/ports.ts';
import { openDirectories } from '../../src/git/directories.ts';
import { createRenderCache } from '../../src/render/cache.ts';
import { createExec } from '../../src/render/exec.ts';
import { createRenderer } from '../../src/render/renderer.ts';
import type { Renderer } from '../../src/core/ports.ts';
import type { RendererOptions } from '../../src/render/renderer.ts';
import { createToolPaths } from '../../src/render/tools.ts';
import { tempDir, tempTree } from '../kit/tmp.ts';

export const fixtures = resolve(import.meta.dirname, '../../fixtures');

/** A configuration with nothing configured; the default tool lines. */
export function testConfig(parts: Partial<Config> = {}): Config {
  return {
    detect: true,
    targets: [],
    exclude: [],
    environments: [],
    clusters: [],
    promotion: [],
    chartRepositories: {},
    gitRepositories: {},
    repositoryUrls: [],
    tools: {},
    argocd: { version: '3.4.0', namespace: 'argocd', kustomizeBuildOptions: '', newGitFileGlobbing: false },
    flux: { version: '2.7.5', strictSubstitutions: 'by-version' },
    rules: {},
    waivers: [],
    digest: 'test',
    ...parts,
  };
}

/** A folder as one side of a comparison. */
export function treeOf(folder: string): Tree {
  return openDirectories(folder, folder).after;
}

export function treeWith(files: Readonly<Record<string, string>>): Tree {
  return treeOf(tempTree(files));
}

export function fixtureTree(path: string): Tree {
  return treeOf(resolve(fixtures, path));
}

/** A renderer with a cache of its own. */
export function testRenderer(
  parts: Partial<Config> = {},
  options: Partial<RendererOptions> & { readonly cacheFolder?: string } = {},
): Renderer {
  const exec = options.exec ?? createExec();
  return createRenderer({
    exec,
    tools: createToolPaths({ exec, answersFile: resolve(tempDir('answers'), 'answers.json') }),
    config: testConfig(parts),
    cache: createRenderCache({ folder: options.cacheFolder ?? tempDir('cache') }),
    redactKey: new Uint8Array(32),
    ...options,
  });
}

export function target(sources: RenderSource | readonly RenderSource[], parts: Partial<Target> = {}): Target {
  return {
    id: 'test:target',
    name: 'target',
    engine: 'helm',
    scope: 'test',
    origin: { file: 'gate.yaml', line: 1 },
    parents: [],
    sources: Array.isArray(sources) ? (sources as readonly RenderSource[]) : [sources as RenderSource],
    afterRender: {},
    apply: { mode: 'client-side', prune: true, automated: true },
    inputs: 'unknown',
    rendersTargets: false,
    ...parts,
  };
}

export function helmSource(path: string, parts: Partial<HelmSource> = {}): HelmSource {
  return {
    type: 'helm',
    chart: { from: 'tree', path },
    release: 'demo',
    namespace: 'shop',
    values: [],
    set: [],
    includeCrds: true,
    ...parts,
  };
}

/** The manifests of a result that has to be good. */
export function manifestsOf(result: RenderResult): readonly Manifest[] {
  if (!result.ok) throw new Error(`did not render: ${JSON.stringify(result.problem)}`);
  return result.manifests;
}

/** The problem of a result that has to be bad. */
export function problemOf(result: RenderResult): RenderProblem {
  if (result.ok) throw new Error(`rendered ${result.manifests.length} objects`);
  return result.problem;
}

/** `Kind/name` of each manifest. */
export function names(manifests: readonly Manifest[]): string[] {
  return manifests.map(({ ref }) => `${ref.kind}/${ref.name}`);
}

export function readFixture(path: string): string {
  return readFileSync(resolve(fixtures, path), 'utf8');
}

import type { Config } from '../../src/core/config.ts';
import type { JsonObject, Target } from '../../src/core/model.ts';
import type { GoTemplate, SourcedObject, Tree } from '../../src/core/ports.ts';
import { readDocuments } from '../../src/core/yaml/read.ts';
import { openDirectories } from '../../src/git/directories.ts';
import type { ArgoContext } from '../../src/sources/argocd.ts';
import { tempTree } from './tmp.ts';

/** One side of a comparison with these files. */
export function treeOf(files: Readonly<Record<string, string>>): Tree {
  const folder = tempTree(files, 'sources');
  return openDirectories(folder, folder).before;
}

/** A configuration as it is without gate.yaml. */
export function testConfig(overrides: Partial<Config> = {}): Config {
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
    argocd: { version: '3.5.1', namespace: 'argocd', kustomizeBuildOptions: '', newGitFileGlobbing: false },
    flux: { version: '2.7.0', strictSubstitutions: 'by-version' },
    rules: {},
    waivers: [],
    digest: '',
    ...overrides,
  };
}

/** Objects as if they stood in one file. */
export function sourced(yaml: string, file = 'apps/apps.yaml', parent?: Target): readonly SourcedObject[] {
  return readDocuments(yaml).map((document) => ({
    object: document.value as JsonObject,
    location: { file, line: document.line },
    ...(parent === undefined ? {} : { parent }),
  }));
}

/**
 * Stands in for the Go template engine where only the shape of the work is of interest: `{{ .a.b }}` and
 * `{{ index .a "b" }}`-free templates. Counts its calls.
 */
export function simpleGoTemplate(): GoTemplate & { calls: number; jobs: number } {
  const port = {
    calls: 0,
    jobs: 0,
    execute: async (jobs: Parameters<GoTemplate['execute']>[0]) => {
      port.calls += 1;
      port.jobs += jobs.length;
      return jobs.map((job) => {
        let missing: string | undefined;
        const text = job.template.replace(/\{\{-?\s*\.([\w.]*)\s*-?\}\}/g, (_match, path: string) => {
          let value: unknown = job.data;
          for (const key of path.split('.').filter((part) => part !== '')) {
            value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
          }
          if (value === undefined) missing = path;
          if (value === undefined) return '<no value>';
          return typeof value === 'string' ? value : JSON.stringify(value);
        });
        return missing !== undefined && job.options.includes('missingkey=error')
          ? ({ ok: false, error: `map has no entry for key "${missing}"` } as const)
          : ({ ok: true, text } as const);
      });
    },
  };
  return port;
}

/** An Argo CD context over a tree whose repository is `https://github.com/acme/deploy`. */
export function argoContext(tree: Tree, overrides: Partial<ArgoContext> = {}): ArgoContext {
  return {
    tree,
    side: 'after',
    config: testConfig(),
    remotes: ['git@github.com:acme/deploy.git'],
    branches: ['main'],
    goTemplate: simpleGoTemplate(),
    ...overrides,
  };
}

import { availableParallelism } from 'node:os';
import type { Config } from '../core/config.ts';
import type { Manifest, RenderProblem, RenderResult, RenderSource, Target } from '../core/model.ts';
import type { Exec, Renderer, RenderLimits, ToolPaths, Tree } from '../core/ports.ts';
import { redactCredentials } from '../core/redact.ts';
import { applyAfterRender } from './after.ts';
import { createRenderCache } from './cache.ts';
import type { RenderCache, Rendered } from './cache.ts';
import { createChartFetcher } from './chart-fetch.ts';
import { createLimit, createWorkspace, digestOf } from './context.ts';
import type { RenderContext, ToolWish } from './context.ts';
import { argocdTools, assumedKubernetesVersion, fluxTools } from './engine-versions.ts';
import { fail, problemOf } from './failure.ts';
import { createChartSource } from './helm-chart.ts';
import { prepareHelm } from './helm.ts';
import type { Job, SourceSettings } from './helm.ts';
import { hooksOfEngine } from './hooks.ts';
import { prepareKustomize } from './kustomize.ts';
import { createOrigins } from './origins.ts';
import { prepareManifests } from './plain.ts';
import { createSubstitution } from './substitute.ts';

export interface RendererOptions {
  readonly exec: Exec;
  readonly tools: ToolPaths;
  readonly config: Config;
  /** Results of earlier runs; default: the per-user cache. */
  readonly cache?: RenderCache;
  /** Tool processes at the same time; default: the number of cores. */
  readonly concurrency?: number;
  /** Key of the fingerprints of secrets; default: the one kept with the cache. */
  readonly redactKey?: Uint8Array;
}

/**
 * The render stage. Each distinct input (chart, values, capabilities, tool version) is rendered once per run and kept
 * between runs; a target that does not render is a result, not an exception.
 */
export function createRenderer(options: RendererOptions): Renderer {
  const cache = options.cache ?? createRenderCache();
  const workspace = createWorkspace();
  const counters = { helmRuns: 0, kustomizeRuns: 0, cacheHits: 0 };
  const toolsUsed = new Map<string, string>();
  const notes = new Set<string>();
  const running = new Map<string, Promise<Rendered>>();
  const memo = new Map<string, readonly Manifest[]>();
  const origins = createOrigins();
  let context: Promise<RenderContext> | undefined;
  const open = (): Promise<RenderContext> => {
    context ??= (async () => ({
      exec: options.exec,
      tools: options.tools,
      config: options.config,
      redactKey: options.redactKey ?? (await cache.redactKey()),
      limited: createLimit(options.concurrency ?? availableParallelism()),
      workspace,
      counters,
      toolsUsed,
      notes,
    }))();
    return context;
  };
  let shared: Promise<Shared> | undefined;
  const share = (): Promise<Shared> => {
    shared ??= open().then((opened) => {
      const fetcher = createChartFetcher(opened, cache.folder);
      // Fingerprints differ by key, so results of another key are other results.
      const keyId = digestOf(Buffer.from(opened.redactKey).toString('hex')).slice(0, 16);
      return { context: opened, fetcher, charts: createChartSource(opened, fetcher), keyId };
    });
    return shared;
  };

  /** One run per key: from this run, from the cache, or anew. */
  const rendered = (job: Job, keyId: string): Promise<Rendered> => {
    const key = digestOf([job.key, keyId]);
    let result = running.get(key);
    if (result === undefined) {
      result = renderOnce(job, key, cache, counters);
      running.set(key, result);
    } else {
      counters.cacheHits++;
    }
    return result;
  };

  const renderTarget = async (target: Target, tree: Tree, limits?: RenderLimits): Promise<RenderResult> => {
    const opened = limits === undefined ? await share() : limited(await share(), limits);
    const manifests: Manifest[] = [];
    const warnings: string[] = [];
    for (const source of target.sources) {
      const job = await prepareJob(source, target, tree, opened, memo, origins);
      const result = job.locate(await rendered(job, opened.keyId));
      manifests.push(...hooksOfEngine(result.manifests, target.engine, source.type));
      warnings.push(...result.warnings);
    }
    const after = applyAfterRender(manifests, target.afterRender, target.engine);
    const said = [...new Set([...warnings, ...after.warnings])];
    const { redactKey } = opened.context;
    return {
      ok: true,
      target,
      manifests: after.manifests,
      warnings: said.map((warning) => redactCredentials(warning, redactKey)),
    };
  };

  return {
    async render(target, tree, limits) {
      try {
        return await renderTarget(target, tree, limits);
      } catch (error) {
        const { redactKey } = await open();
        return { ok: false, target, problem: redacted(withOrigin(problemOf(error), target), redactKey) };
      }
    },
    get statistics() {
      return { ...counters };
    },
    get toolsUsed() {
      return [...toolsUsed]
        .map(([key, version]) => ({ name: key.split(' ')[0] ?? key, version }))
        .toSorted((left, right) => (left.name + left.version < right.name + right.version ? -1 : 1));
    },
    get notes() {
      return [...notes, ...(cache.problem === undefined ? [] : [cache.problem])];
    },
    async close() {
      await workspace.close();
      await cache.trim();
    },
  };
}

interface Shared {
  readonly context: RenderContext;
  readonly fetcher: ReturnType<typeof createChartFetcher>;
  readonly charts: ReturnType<typeof createChartSource>;
  readonly keyId: string;
}

/** The same with less time for each process. */
function limited(shared: Shared, limits: RenderLimits): Shared {
  const { exec } = shared.context;
  const run: Exec['run'] = (request) => {
    const left = Math.max(1, limits.msLeft());
    return exec.run({ ...request, timeoutMs: Math.min(request.timeoutMs ?? left, left) });
  };
  return { ...shared, context: { ...shared.context, exec: { run } } };
}

async function renderOnce(
  job: Job,
  key: string,
  cache: RenderCache,
  counters: RenderContext['counters'],
): Promise<Rendered> {
  if (!job.persistent) return job.run();
  const known = await cache.get(key);
  if (known !== undefined) {
    counters.cacheHits++;
    return known;
  }
  const result = await job.run();
  await cache.put(key, result);
  return result;
}

function prepareJob(
  source: RenderSource,
  target: Target,
  tree: Tree,
  { context, fetcher, charts }: Shared,
  memo: Map<string, readonly Manifest[]>,
  origins: ReturnType<typeof createOrigins>,
): Promise<Job> | Job {
  const settings = settingsOf(target, context.config);
  switch (source.type) {
    case 'helm':
      return prepareHelm(source, settings, tree, context, charts, memo);
    case 'kustomize': {
      const substitute = createSubstitution(target.afterRender.substitute);
      const identity = substitute === undefined ? '' : target.afterRender.substitute;
      return prepareKustomize(source, settings, tree, { context, fetcher, memo, origins, substitute, identity });
    }
    case 'manifests': {
      const substitute = createSubstitution(target.afterRender.substitute);
      return prepareManifests(
        source,
        tree,
        context,
        substitute,
        substitute === undefined ? '' : target.afterRender.substitute,
      );
    }
    case 'unsupported':
      return fail({
        kind: 'unsupported',
        message: source.reason,
        ...(source.next === undefined ? {} : { next: source.next }),
      });
  }
}

/** Tool versions: the target's, else gate.yaml's, else those of the Argo CD or Flux version named there. */
function settingsOf(target: Target, config: Config): SourceSettings {
  const shipped =
    target.engine === 'argocd' && config.argocd.versionNamed === true
      ? argocdTools(config.argocd.version)
      : target.engine === 'flux' && config.flux.versionNamed === true
        ? fluxTools(config.flux.version)
        : undefined;
  const wish = (tool: 'helm' | 'kustomize'): ToolWish => {
    const chosen = target.tools?.[tool] ?? config.tools[tool];
    return { version: chosen ?? shipped?.[tool].used, chosen: chosen !== undefined };
  };
  return {
    engine: target.engine,
    helm: wish('helm'),
    kustomize: wish('kustomize'),
    kubeVersion: target.kubeVersion ?? config.kubernetesVersion ?? assumedKubernetesVersion,
    apiVersions: target.apiVersions ?? config.apiVersions,
  };
}

/** helm and kustomize quote values and lines of the input in their messages. */
function redacted(problem: RenderProblem, key: Uint8Array): RenderProblem {
  return { ...problem, message: redactCredentials(problem.message, key) };
}

/** A problem without a place of its own is shown where the target is declared. */
function withOrigin<Problem extends { readonly location?: unknown }>(problem: Problem, target: Target): Problem {
  return problem.location === undefined ? { ...problem, location: target.origin } : problem;
}

import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import semver from 'semver';
import { digestOf, exists, runTool, useTool, writeAtomically } from './context.ts';
import type { RenderContext } from './context.ts';
import { fail } from './failure.ts';
import { withoutEndSlash } from './tree-path.ts';

/** A chart of a repository (`oci` absent) or of an OCI registry (`url` is the whole address of the chart, without tag). */
export interface RemoteChart {
  readonly kind: 'repository' | 'oci';
  readonly url: string;
  readonly name: string;
  /** Exact, a semver range, or '' for the newest. */
  readonly version: string;
  readonly digest?: string;
}

/** A chart on this machine. */
export interface FetchedChart {
  /** Archive or folder. */
  readonly path: string;
  /** Content identity. */
  readonly digest: string;
}

export interface ChartFetcher {
  /** Ends the rendering with `missing-input` when the chart cannot be had. */
  fetch(chart: RemoteChart): Promise<FetchedChart>;
}

const timeoutMs = 30_000;
/** How long the answer to "which version does this range mean now" is believed. */
const rangeLifetimeMs = 10 * 60 * 1000;
const unreachable =
  /no such host|connection refused|i\/o timeout|network is unreachable|no route to host|TLS handshake timeout|deadline exceeded|server misbehaving|proxyconnect|EOF$/im;

/**
 * Fetches charts with `helm pull` into a content-addressed store in the cache folder. Archives of exact versions are
 * kept for good. A host that could not be reached is not asked again in this run.
 */
export function createChartFetcher(context: RenderContext, cacheFolder: string): ChartFetcher {
  const memo = new Map<string, Promise<FetchedChart>>();
  const deadHosts = new Map<string, string>();
  return {
    fetch(chart) {
      const key = JSON.stringify([chart.kind, chart.url, chart.name, chart.version, chart.digest ?? '']);
      let answer = memo.get(key);
      if (answer === undefined) {
        answer = fetchChart(chart, context, join(cacheFolder, 'charts'), deadHosts);
        memo.set(key, answer);
      }
      return answer;
    },
  };
}

async function fetchChart(
  chart: RemoteChart,
  context: RenderContext,
  store: string,
  deadHosts: Map<string, string>,
): Promise<FetchedChart> {
  const mapped = mapUrl(chart, context.config.chartRepositories);
  const folder = localFolder(mapped.url);
  if (folder !== undefined) return findInFolder(folder, chart);
  const request = digestOf([mapped.kind, mapped.url, mapped.name, chart.version, chart.digest ?? '']);
  const pointer = join(store, 'requests', request);
  const known = await readPointer(pointer, store, isExact(chart));
  if (known !== undefined) return known;
  const host = hostOf(mapped.url);
  const dead = deadHosts.get(host);
  if (dead !== undefined) unavailable(chart, dead);
  const pulled = await pull(mapped, chart, context);
  if ('error' in pulled) {
    if (unreachable.test(pulled.error)) deadHosts.set(host, pulled.error);
    unavailable(chart, pulled.error);
  }
  const digest = createHash('sha256').update(pulled.archive).digest('hex');
  const path = join(store, 'sha256', `${digest}.tgz`);
  try {
    await writeAtomically(path, pulled.archive);
    await writeAtomically(pointer, digest);
    return { path, digest };
  } catch {
    // A full disk or a read-only cache: the copy of this run is as good.
    return { path: pulled.path, digest };
  }
}

function isExact(chart: RemoteChart): boolean {
  return chart.digest !== undefined || semver.valid(chart.version) !== null;
}

async function readPointer(pointer: string, store: string, exact: boolean): Promise<FetchedChart | undefined> {
  try {
    const { mtimeMs } = await stat(pointer);
    if (!exact && Date.now() - mtimeMs > rangeLifetimeMs) return undefined;
    const digest = (await readFile(pointer, 'utf8')).trim();
    const path = join(store, 'sha256', `${digest}.tgz`);
    return /^[0-9a-f]{64}$/.test(digest) && (await exists(path)) ? { path, digest } : undefined;
  } catch {
    return undefined;
  }
}

function unavailable(chart: RemoteChart, reason: string): never {
  const what = chart.kind === 'oci' ? chart.url : `${chart.name} of ${chart.url}`;
  return fail({
    kind: 'missing-input',
    ...(unreachable.test(reason) ? { unreachable: true as const } : {}),
    message: `The chart ${what}${chart.version === '' ? '' : ` ${chart.version}`} could not be fetched: ${shorten(reason)}`,
    next: `Make the repository reachable, or name a mirror or a folder in gate.yaml: chartRepositories: {"${withoutEndSlash(chart.url)}": ...}.`,
  });
}

function shorten(text: string): string {
  const line =
    text
      .trim()
      .split('\n')
      .findLast((candidate) => candidate.trim() !== '') ?? 'no reason given';
  return line.replace(/^Error:\s*/, '').slice(0, 400);
}

// ---------------------------------------------------------------------------------------------
// Mirrors and folders of the operator
// ---------------------------------------------------------------------------------------------

/** Applies `chartRepositories`: the longest configured URL that is this one or a folder above it. */
function mapUrl(chart: RemoteChart, repositories: Readonly<Record<string, string>>): RemoteChart {
  const url = withoutEndSlash(chart.url);
  let best: { readonly from: string; readonly to: string } | undefined;
  for (const [configured, to] of Object.entries(repositories)) {
    const from = withoutEndSlash(configured);
    const fits = url === from || url.startsWith(`${from}/`);
    if (fits && (best === undefined || from.length > best.from.length)) best = { from, to };
  }
  if (best === undefined) {
    // A manifest may name any folder of this machine; only the operator may have it read.
    if (localFolder(url) !== undefined)
      return unavailable(chart, 'a folder outside the repository is only read when gate.yaml names it');
    return { ...chart, url };
  }
  const rest = url.slice(best.from.length);
  const target = withoutEndSlash(best.to);
  if (localFolder(target) !== undefined) return { ...chart, url: target };
  const mirror = `${target}${rest}`;
  // A repository may be mirrored by a registry and the other way round.
  if (mirror.startsWith('oci://') && chart.kind === 'repository')
    return { ...chart, kind: 'oci', url: `${mirror}/${chart.name}` };
  if (!mirror.startsWith('oci://') && chart.kind === 'oci') return { ...chart, kind: 'repository', url: target };
  return { ...chart, url: mirror };
}

function localFolder(url: string): string | undefined {
  if (url.startsWith('file://')) return fileURLToPath(url);
  return isAbsolute(url) ? url : undefined;
}

/** The best match in a folder that holds charts as `name-version.tgz`, `name/` or `name-version/`. */
async function findInFolder(folder: string, chart: RemoteChart): Promise<FetchedChart> {
  const found: { readonly version: string; readonly path: string }[] = [];
  for (const entry of await readdir(folder).catch(() => [] as string[])) {
    const path = join(folder, entry);
    if (entry.startsWith(`${chart.name}-`) && entry.endsWith('.tgz')) {
      const version = semver.valid(entry.slice(chart.name.length + 1, -'.tgz'.length));
      if (version !== null) found.push({ version, path });
    } else if (entry === chart.name || entry.startsWith(`${chart.name}-`)) {
      const metadata = await readFile(join(path, 'Chart.yaml'), 'utf8').catch(() => '');
      const name = /^name:\s*["']?([^\s"'#]+)/m.exec(metadata)?.[1];
      const version = semver.valid(/^version:\s*["']?([^\s"'#]+)/m.exec(metadata)?.[1] ?? '');
      if (name === chart.name && version !== null) found.push({ version, path });
    }
  }
  const range = chart.version === '' ? '*' : chart.version;
  const best = semver.maxSatisfying(
    found.map((entry) => entry.version),
    range,
    { includePrerelease: semver.valid(range) !== null },
  );
  const hit = found.find((entry) => entry.version === best);
  if (hit === undefined) {
    const versions = found.map((entry) => entry.version).join(', ');
    return unavailable(chart, `the folder ${folder} has ${versions === '' ? 'no such chart' : `only ${versions}`}`);
  }
  return { path: hit.path, digest: await digestOfPath(hit.path) };
}

/** SHA-256 of a file, or of the names and contents of all files below a folder. */
export async function digestOfPath(path: string): Promise<string> {
  const hash = createHash('sha256');
  if ((await stat(path)).isFile()) return hash.update(await readFile(path)).digest('hex');
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.toSorted()) {
    hash.update(`${file.slice(path.length)}\0`);
    hash.update(await readFile(file));
  }
  return hash.digest('hex');
}

// ---------------------------------------------------------------------------------------------
// helm pull
// ---------------------------------------------------------------------------------------------

function hostOf(url: string): string {
  return /^[a-z]+:\/\/(?:[^/@]*@)?([^/]+)/i.exec(url)?.[1] ?? url;
}

function isLoopback(url: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/.test(hostOf(url));
}

type Pulled = { readonly path: string; readonly archive: Uint8Array } | { readonly error: string };

async function pull(mapped: RemoteChart, chart: RemoteChart, context: RenderContext): Promise<Pulled> {
  if (!/^(?:https?|oci):\/\//.test(mapped.url)) return { error: `"${mapped.url}" is no https:// or oci:// address` };
  const helm = await useTool(context, 'helm', { version: context.config.tools.helm, chosen: true });
  const folder = await context.workspace.newFolder();
  const version = chart.version === '' || chart.digest !== undefined ? [] : [`--version=${chart.version}`];
  const address =
    mapped.kind === 'oci'
      ? [
          `${mapped.url}${chart.digest === undefined ? '' : `@${chart.digest}`}`,
          ...(isLoopback(mapped.url) ? ['--plain-http'] : []),
        ]
      : [mapped.name, `--repo=${mapped.url}`];
  if (address[0]?.startsWith('-')) return { error: `"${address[0]}" is no name of a chart` };
  await mkdir(folder, { recursive: true });
  const args = ['pull', ...address, ...version, `--destination=${folder}`];
  const result = await runTool(context, 'helm', {
    file: helm.path,
    args,
    timeoutMs,
    maxOutputBytes: 4 * 1024 * 1024,
  }).catch((error: unknown) => ({
    exitCode: 1,
    stderr: `deadline exceeded: ${String(error)}`,
  }));
  if (result.exitCode !== 0) return { error: result.stderr };
  const name = (await readdir(folder)).find((entry) => entry.endsWith('.tgz'));
  if (name === undefined) return { error: 'helm pull left no archive' };
  const path = join(folder, name);
  return { path, archive: await readFile(path) };
}

import { execFile } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { constants } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import envPaths from 'env-paths';

const run = promisify(execFile);

export type ToolName =
  | 'helm'
  | 'kustomize'
  | 'actionlint'
  | 'etcd'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kubectl';

export interface PinnedTool {
  readonly name: ToolName;
  readonly version: string;
  readonly line: 'default' | 'second' | 'cluster' | 'cluster-second';
}

const versionArguments: Partial<Record<ToolName, readonly string[]>> = {
  helm: ['version', '--template', '{{.Version}}'],
  kustomize: ['version'],
  kubectl: ['version', '--client'],
};

/** The tools that the set-up script provides, from `scripts/tools.json`. */
export async function pinnedTools(): Promise<readonly PinnedTool[]> {
  const file = new URL('../../scripts/tools.json', import.meta.url);
  const parsed = JSON.parse(await readFile(file, 'utf8')) as { tools: PinnedTool[] };
  return parsed.tools;
}

/** Folder that holds `<tool>-<version>/<tool>`. */
export function toolCache(): string {
  const chosen = process.env['GATE_TOOL_CACHE'];
  return chosen ? resolve(chosen) : join(envPaths('gitops-gate', { suffix: '' }).cache, 'tools');
}

async function isProgram(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function onPath(tool: ToolName, version: string): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const file = join(folder, tool);
    if (!isAbsolute(folder) || !(await isProgram(file))) continue;
    const { stdout } = await run(file, [...(versionArguments[tool] ?? ['--version'])]);
    // `v3.19.5+g...`, `Kubernetes v1.34.3`, `Client Version: v1.34.3`, `etcd Version: 3.6.5`
    const found = /^(?:Kubernetes |Client Version: |etcd Version: )?v?([^\s+]+)/.exec(stdout.trim())?.[1];
    return found === version ? file : undefined;
  }
  return undefined;
}

/**
 * Absolute path of a tool in exactly that version (default: the version of the default line).
 * @throws Error when it is missing and `CI` is set. Elsewhere the error says how to get it: see {@link hasTool}.
 */
export async function toolPath(tool: ToolName, version?: string): Promise<string> {
  // The first pin of a name is its default line.
  const pin = (await pinnedTools()).find(({ name }) => name === tool);
  if (pin === undefined) throw new Error(`scripts/tools.json names no ${tool}`);
  const wanted = version ?? pin.version;
  const cached = join(toolCache(), `${tool}-${wanted}`, process.platform === 'win32' ? `${tool}.exe` : tool);
  if (await isProgram(cached)) return cached;
  const found = await onPath(tool, wanted);
  if (found !== undefined) return found;
  throw new Error(
    `${tool} ${wanted} is missing; run: node scripts/setup.mjs ${pin.line.startsWith('cluster') ? '--cluster' : '--all'}`,
  );
}

/** For `it.skipIf(!(await hasTool('helm')))`. With `CI` set a missing tool fails instead of skipping. */
export async function hasTool(tool: ToolName, version?: string): Promise<boolean> {
  try {
    await toolPath(tool, version);
    return true;
  } catch (error) {
    if (process.env['CI']) throw error;
    process.stderr.write(`skipped: ${(error as Error).message}\n`);
    return false;
  }
}

import { access, constants, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { GateError } from '../core/errors.ts';
import type { Exec, ToolPaths } from '../core/ports.ts';
import { defaultVersions } from './engine-versions.ts';
import { toolCacheFolder, userCacheFolder } from './folders.ts';

type Tool = 'helm' | 'kustomize';
interface Found {
  readonly path: string;
  readonly version: string;
}

const goPackages: Readonly<Record<string, string>> = {
  helm3: 'helm.sh/helm/v3/cmd/helm',
  helm4: 'helm.sh/helm/v4/cmd/helm',
  kustomize5: 'sigs.k8s.io/kustomize/kustomize/v5',
};

/**
 * Finds helm and kustomize: first `<tool cache>/<tool>-<version>/<tool>`, then PATH. A tool on PATH of the same minor
 * line is accepted and its own version reported.
 * @param options.exec runs `<tool> version` for tools on PATH, once per file and modification time
 * @param options.answersFile where those answers are remembered between runs
 * @throws GateError `tool.missing` from `find`, with the way to get the tool
 */
export function createToolPaths(options: {
  readonly exec: Exec;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly answersFile?: string;
}): ToolPaths {
  const environment = options.environment ?? process.env;
  const answersFile = options.answersFile ?? join(userCacheFolder(), 'tool-versions.json');
  const memo = new Map<string, Promise<Found>>();
  return {
    find(tool, version) {
      const wanted = (version ?? defaultVersions[tool]).replace(/^v/, '');
      const key = `${tool}-${wanted}`;
      let answer = memo.get(key);
      if (answer === undefined) {
        answer = locate(tool, wanted, options.exec, environment, answersFile);
        memo.set(key, answer);
      }
      return answer;
    },
  };
}

async function locate(
  tool: Tool,
  wanted: string,
  exec: Exec,
  environment: Readonly<Record<string, string | undefined>>,
  answersFile: string,
): Promise<Found> {
  if (!/^\d+\.\d+(\.\d+)?([-+][\w.+-]+)?$/.test(wanted)) {
    throw new GateError({
      code: 'tool.bad-version',
      message: `"${wanted}" is not a version of ${tool}`,
      fault: 'user',
      next: `Write an exact version in gate.yaml, for example tools: {${tool}: ${defaultVersions[tool]}}.`,
    });
  }
  const folder = toolCacheFolder(environment);
  const cached = join(folder, `${tool}-${wanted}`, tool);
  if (await isExecutable(cached)) return { path: cached, version: wanted };

  const seen: string[] = [];
  for (const directory of (environment['PATH'] ?? '').split(delimiter)) {
    if (!isAbsolute(directory)) continue;
    const path = join(directory, tool);
    if (!(await isExecutable(path))) continue;
    const version = await versionOf(tool, path, exec, answersFile);
    if (version !== undefined && minorLine(version) === minorLine(wanted)) return { path, version };
    seen.push(`${path} is ${version ?? 'of an unknown version'}`);
  }
  const goPackage = goPackages[`${tool}${wanted.split('.')[0]}`];
  throw new GateError({
    code: 'tool.missing',
    message: `${tool} ${wanted} is needed and was not found${seen.length === 0 ? '' : ` (${seen.join('; ')})`}`,
    fault: 'user',
    next:
      `Install ${tool} ${minorLine(wanted)}.x on PATH, or put it at ${cached}` +
      (goPackage === undefined
        ? '.'
        : `, for example with: GOBIN=${dirname(cached)} go install ${goPackage}@v${wanted}`),
  });
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

function minorLine(version: string): string {
  return version.split('.').slice(0, 2).join('.');
}

/** Asks the tool, or remembers what the same file answered before. Undefined: it does not say. */
async function versionOf(tool: Tool, path: string, exec: Exec, answersFile: string): Promise<string | undefined> {
  const { mtimeMs, size } = await stat(path);
  const key = `${path}:${mtimeMs}:${size}`;
  const answers = await readAnswers(answersFile);
  const known = answers[key];
  if (typeof known === 'string') return known;
  const result = await exec.run({
    file: path,
    args: tool === 'helm' ? ['version', '--short'] : ['version'],
    timeoutMs: 20_000,
  });
  const version = parseToolVersion(result.stdout);
  if (version !== undefined) await writeAnswers(answersFile, { ...answers, [key]: version });
  return version;
}

/**
 * The version in the output of `helm version --short` or `kustomize version`: `v3.19.5+g1234567`, `v5.8.1`, also
 * `v3.19` as a helm built with `go install` says, and the older `{kustomize/v4.5.7 ...}`.
 */
export function parseToolVersion(output: string): string | undefined {
  return /(?:^|[\s/{:"])v?(\d+\.\d+(?:\.\d+)?(?:-[0-9A-Za-z.]+)?)/.exec(output)?.[1];
}

async function readAnswers(file: string): Promise<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(await readFile(file, 'utf8'));
    return typeof parsed === 'object' && parsed !== null ? Object.assign(Object.create(null), parsed) : {};
  } catch {
    return {};
  }
}

/** Remembering is an optimisation: a read-only cache folder is no error. */
async function writeAnswers(file: string, answers: Readonly<Record<string, unknown>>): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    const temporary = `${file}.${process.pid}`;
    await writeFile(temporary, JSON.stringify(answers));
    await rename(temporary, file);
  } catch {
    // The next run asks again.
  }
}

import picomatch from 'picomatch';
import type { Config } from '../core/config.ts';

export interface EnvironmentEvidence {
  readonly config: Config;
  readonly id: string;
  readonly name: string;
  /** Tree paths that belong to it: the file that declares it, source paths, value files. */
  readonly paths: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Name of the destination cluster, when known. */
  readonly cluster?: string | undefined;
}

/** Names that say one environment, and such that only hint at one (`test/` and `live/` are also plain folder names). */
const strong = new Set([
  'prod',
  'production',
  'prd',
  'preprod',
  'stage',
  'staging',
  'stg',
  'uat',
  'qa',
  'dev',
  'development',
  'sandbox',
]);
const weak = new Set(['live', 'test', 'preview']);
/** Written with a separator these would be read as what they are not. */
const compound = /(?:^|[-_.])((?:pre|non)[-_.](?:prod|production|prd))(?=$|[-_.])/i;

/**
 * The environment of a target, spelled as the repository spells it (`prod` stays `prod`), or as gate.yaml names it
 * when the spelling differs only in case.
 *
 * In this order: `environments[].match` of gate.yaml (globs on id, name and paths); the environment of its cluster
 * in gate.yaml; the labels `environment`, `env`, `stage`; the cluster's name; path segments from the root down;
 * the target's own name.
 * @returns undefined when nothing tells
 */
export function environmentOf(evidence: EnvironmentEvidence): string | undefined {
  const { config, id, name, paths, labels, cluster } = evidence;
  for (const environment of config.environments) {
    if (matchesAny(environment.match, [id, name, ...paths])) return environment.name;
  }
  const configured = config.clusters.find((item) => item.name === cluster)?.environment;
  if (configured !== undefined) return configured;
  const words = new Set(config.environments.map((environment) => environment.name.toLowerCase()));
  const found =
    ['environment', 'env', 'stage', 'app.kubernetes.io/environment']
      .map((label) => (Object.hasOwn(labels, label) ? labels[label] : undefined))
      .find((value) => value !== undefined && value !== '') ??
    inSegments(cluster === undefined ? [] : [cluster], words) ??
    inPaths(paths, words) ??
    inSegments([name], words);
  if (found === undefined) return undefined;
  return (
    config.environments.find((environment) => environment.name.toLowerCase() === found.toLowerCase())?.name ?? found
  );
}

function matchesAny(globs: readonly string[], values: readonly string[]): boolean {
  return globs.some((glob) => {
    const matches = picomatch(glob, { dot: true });
    return values.some((value) => matches(value));
  });
}

function inPaths(paths: readonly string[], words: ReadonlySet<string>): string | undefined {
  for (const path of paths) {
    const segments = path.split('/').filter((segment) => segment !== '');
    const found = inSegments(segments, words);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The outermost segment that says it clearly wins; a hint counts only when no segment does. */
function inSegments(segments: readonly string[], words: ReadonlySet<string>): string | undefined {
  const whole = segments.find((segment) => words.has(segment.toLowerCase()) || strong.has(segment.toLowerCase()));
  if (whole !== undefined) return whole;
  for (const known of [strong, weak]) {
    for (const segment of segments) {
      const found = inTokens(segment, known, words);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function inTokens(segment: string, known: ReadonlySet<string>, words: ReadonlySet<string>): string | undefined {
  const both = compound.exec(segment)?.[1];
  if (both !== undefined) return both;
  return segment.split(/[-_.]/).find((token) => known.has(token.toLowerCase()) || words.has(token.toLowerCase()));
}

import picomatch from 'picomatch';
import type { Config } from '../core/config.ts';
import type { Target } from '../core/model.ts';
import type { Tree } from '../core/ports.ts';
import { environmentOf } from './environment.ts';
import { directoryInput } from './tree-paths.ts';

/** Folders whose content is never deployed from here. Examples and tests are listed as a note, not judged. */
const neverDeployed =
  /(?:^|\/)(?:\.[^/]+|node_modules|vendor|docs?|examples?|samples?|starters|tests?|testdata|test-fixtures|fixtures|__tests__|e2e|hack|third_party)\//iu;

/** Is this path in a folder that convention keeps out of deployments (`.github`, `docs`, `examples`, `vendor`, …)? */
export function isOutside(path: string): boolean {
  return neverDeployed.test(path);
}

/** Which files some target reads already. */
export interface Coverage {
  covers(path: string): boolean;
}

/** Coverage by the inputs and origins of targets; where the inputs are unknown, by the paths of their sources. */
export function coverageOf(targets: readonly Target[]): Coverage {
  const files = new Set<string>();
  const folders = new Set<string>();
  for (const target of targets) {
    files.add(target.origin.file);
    for (const input of target.inputs === 'unknown' ? sourcePaths(target) : target.inputs) {
      if (input.endsWith('/')) folders.add(input);
      else files.add(input);
    }
  }
  return {
    covers(path) {
      if (files.has(path) || folders.has('./')) return true;
      for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
        if (folders.has(path.slice(0, slash + 1))) return true;
      }
      return false;
    },
  };
}

function sourcePaths(target: Target): readonly string[] {
  return target.sources.flatMap((source) => {
    if (source.type === 'kustomize' || source.type === 'manifests') return [directoryInput(source.path)];
    return source.type === 'helm' && source.chart.from === 'tree' ? [directoryInput(source.chart.path)] : [];
  });
}

/** What the detectors share. */
export interface DetectContext {
  readonly tree: Tree;
  readonly config: Config;
  readonly covered: Coverage;
}

/**
 * The environment that a name in the layout says (`prod` of `values-prod.yaml`): globs of gate.yaml first, then the
 * name itself, in the spelling of gate.yaml.
 */
export function environmentNamed(config: Config, word: string, evidence: readonly string[]): string {
  for (const environment of config.environments) {
    if (environment.match.some((glob) => evidence.some((value) => picomatch(glob, { dot: true })(value))))
      return environment.name;
  }
  return environmentOf({ config, id: word, name: word, paths: [word], labels: {} }) ?? word;
}

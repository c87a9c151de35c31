import { readsPath } from '../core/inputs.ts';
import type { Finding, Target } from '../core/model.ts';

/** More than this says nothing: the whole repository changed. */
const maximum = 5;

/**
 * Adds to each finding the changed files that its target reads, when the finding does not already point at one of
 * them: a chart's template is rarely what the author of the change has edited, the values file is.
 * @param targets targets of both sides by id, the new side first
 */
export function withChangedFiles(
  findings: readonly Finding[],
  targets: (id: string) => readonly Target[],
  changed: readonly string[],
): readonly Finding[] {
  const byTarget = new Map<string, readonly string[]>();
  return findings.map((finding) => {
    let files = byTarget.get(finding.target);
    if (files === undefined) {
      const sides = targets(finding.target);
      files = changed.filter((path) => sides.some((target) => readsPath(target, path) === true));
      byTarget.set(finding.target, files);
    }
    if (files.length === 0 || files.length > maximum) return finding;
    if (finding.location !== undefined && files.includes(finding.location.file)) return finding;
    return { ...finding, changedIn: files };
  });
}

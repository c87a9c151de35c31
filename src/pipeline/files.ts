import type { BuildFile } from '../core/model.ts';
import type { TreePair } from '../core/ports.ts';
import type { ChangedYaml, RuleContext } from '../core/rule.ts';
import { collectDockerfiles } from '../sources/docker.ts';
import { collectPythonFiles } from '../sources/python.ts';
import { readQuietly } from './read-quietly.ts';

const buildFilePath =
  /(^|\/)([^/]*dockerfile[^/]*|[^/]*containerfile[^/]*|[^/]*requirements[^/]*\.txt|requirements\/[^/]*\.txt|constraints[^/]*\.txt|pyproject\.toml|setup\.(cfg|py)|(poetry|uv|pdm)\.lock|pipfile\.lock|\.python-version|[^/]*\.py)$/i;

/** Both sides' Dockerfiles and Python dependency files; nothing when the change touches none of them. */
export function collectBuildFiles(trees: TreePair): RuleContext['buildFiles'] {
  if (!trees.changed.some((path) => buildFilePath.test(path))) return { before: [], after: [] };
  const collect = (tree: TreePair['before']): BuildFile[] => [...collectDockerfiles(tree), ...collectPythonFiles(tree)];
  return { before: collect(trees.before), after: collect(trees.after) };
}

/** Changed YAML files of both sides. Helm templates are not YAML; unreadable files are reported by the tree. */
export function changedYaml(trees: TreePair): ChangedYaml[] {
  const result: ChangedYaml[] = [];
  for (const path of trees.changed) {
    if (!/\.ya?ml$/.test(path) || /(^|\/)templates\//.test(path)) continue;
    const before = readQuietly(trees.before, path);
    const after = readQuietly(trees.after, path);
    result.push({ path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) });
  }
  return result;
}

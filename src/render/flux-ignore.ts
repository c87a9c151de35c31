import { posix } from 'node:path';
import ignore from 'ignore';
import type { Tree } from '../core/ports.ts';

// fluxcd/pkg/sourceignore: what source-controller leaves out of an artifact.
const vcs = ['.git/', '.gitignore', '.gitmodules', '.gitattributes'];
// oxfmt-ignore
const defaults = [
  '*.jpg', '*.jpeg', '*.gif', '*.png', '*.wmv', '*.flv', '*.tar.gz', '*.zip',
  '.github/', '.circleci/', '.travis.yml', '.gitlab-ci.yml', 'appveyor.yml', '.drone.yml', 'cloudbuild.yaml',
  'codeship-services.yml', 'codeship-steps.yml', '**/.goreleaser.yml', '**/.sops.yaml', '**/.flux.yaml',
];

/**
 * Which files of a Git source Flux does not see: its defaults or `spec.ignore`, and every `.sourceignore` of the tree.
 * @param specIgnore `spec.ignore` of the source; it replaces the defaults
 */
export function createFluxIgnore(tree: Tree, specIgnore: string | undefined): (path: string) => boolean {
  const root = ignore()
    .add(vcs)
    .add(specIgnore === undefined ? defaults : specIgnore);
  const nested: { readonly folder: string; readonly rules: ReturnType<typeof ignore> }[] = [];
  for (const path of tree.files.keys()) {
    if (posix.basename(path) !== '.sourceignore') continue;
    const text = tree.readText(path) ?? '';
    const folder = posix.dirname(path);
    if (folder === '.') root.add(text);
    else nested.push({ folder: `${folder}/`, rules: ignore().add(text) });
  }
  return (path) => {
    if (path === '' || path.startsWith('../')) return false;
    if (root.ignores(path)) return true;
    return nested.some(
      ({ folder, rules }) =>
        path.startsWith(folder) && path.length > folder.length && rules.ignores(path.slice(folder.length)),
    );
  };
}

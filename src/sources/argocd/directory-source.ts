import type { JsonObject, ManifestsSource, UnsupportedSource } from '../../core/model.ts';
import type { Tree } from '../../core/ports.ts';
import { directoryInput } from '../tree-paths.ts';
import { filesIn } from './source-type.ts';
import type { BuiltSource } from './source.ts';
import { asObject, get, text } from './values.ts';

/** A directory of manifests (repository.go findManifests). Jsonnet is listed apart: it is not rendered here. */
export function buildDirectorySources(source: JsonObject, path: string, tree: Tree): readonly BuiltSource[] {
  const directory = asObject(get(source, 'directory'));
  const recurse = get(directory, 'recurse') === true;
  const include = text(get(directory, 'include'));
  const exclude = text(get(directory, 'exclude'));
  const built: ManifestsSource = {
    type: 'manifests',
    path: path === '' ? '.' : path,
    recurse,
    ...(include === undefined ? {} : { include }),
    ...(exclude === undefined ? {} : { exclude }),
    rules: 'argocd',
  };
  const files = recurse ? tree.list(path) : filesIn(tree, path);
  // Without recursion nothing below is read: a root Application must not stand for the whole repository.
  const inputs = recurse ? [directoryInput(path)] : files;
  const sources: BuiltSource[] = [{ source: built, inputs, inlineText: '' }];
  const jsonnet = files.find((file) => file.endsWith('.jsonnet'));
  if (jsonnet !== undefined) {
    const unsupported: UnsupportedSource = {
      type: 'unsupported',
      reason: `${jsonnet} is Jsonnet, which gate does not evaluate`,
      next: 'Render the Jsonnet in CI and commit the manifests, or exclude it with directory.exclude.',
    };
    sources.push({ source: unsupported, inputs, inlineText: '' });
  }
  return sources;
}

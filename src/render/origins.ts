import { posix } from 'node:path';
import type { Tree } from '../core/ports.ts';
import { readDocuments } from '../core/yaml/read.ts';
import type { Rendered } from './cache.ts';
import type { KustomizeClosure } from './kustomize-closure.ts';
import { isObject } from '../core/json.ts';

interface Origin {
  readonly kind: string;
  readonly name: string;
  readonly file: string;
  readonly line: number;
}

/**
 * Tells which file of a kustomization declares a built object: same kind, and the same name or, with prefixes and
 * suffixes, the longest declared name inside of it. Files are read once per side.
 */
export function createOrigins(): { locate(rendered: Rendered, closure: KustomizeClosure, tree: Tree): Rendered } {
  const memo = new WeakMap<Tree, Map<string, readonly Origin[]>>();
  const inFile = (tree: Tree, file: string): readonly Origin[] => {
    let known = memo.get(tree);
    if (known === undefined) {
      known = new Map();
      memo.set(tree, known);
    }
    let origins = known.get(file);
    if (origins === undefined) {
      origins = readOrigins(tree, file);
      known.set(file, origins);
    }
    return origins;
  };
  return {
    locate(rendered, closure, tree) {
      const byKind = new Map<string, Origin[]>();
      for (const [path, hash] of closure.inputs) {
        if (hash === undefined || !/\.(?:ya?ml|json)$/.test(path)) continue;
        for (const origin of inFile(tree, path)) {
          const list = byKind.get(origin.kind);
          if (list === undefined) byKind.set(origin.kind, [origin]);
          else list.push(origin);
        }
      }
      const manifests = rendered.manifests.map((manifest) => {
        const origin = bestOrigin(byKind.get(manifest.ref.kind) ?? [], manifest.ref.name);
        if (origin === undefined) return manifest;
        return { ...manifest, provenance: { ...manifest.provenance, file: origin.file, line: origin.line } };
      });
      return { ...rendered, manifests };
    },
  };
}

function bestOrigin(origins: readonly Origin[], name: string): Origin | undefined {
  let best: Origin | undefined;
  for (const origin of origins) {
    if (origin.name === name) return origin;
    if (origin.name !== '' && name.includes(origin.name) && origin.name.length > (best?.name.length ?? 0))
      best = origin;
  }
  return best;
}

function readOrigins(tree: Tree, file: string): readonly Origin[] {
  if (/^kustomization\.ya?ml$/i.test(posix.basename(file))) return [];
  try {
    return readDocuments(tree.readText(file) ?? '').flatMap(({ value, line }) => {
      if (!isObject(value) || typeof value['kind'] !== 'string') return [];
      const metadata = value['metadata'];
      const name = isObject(metadata) && typeof metadata['name'] === 'string' ? metadata['name'] : '';
      return [{ kind: value['kind'], name, file, line }];
    });
  } catch {
    // A patch or a file that only kustomize understands.
    return [];
  }
}

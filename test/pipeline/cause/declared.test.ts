import { describe, expect, it } from 'vitest';
import type { Target } from '../../../src/core/model.ts';
import type { Tree, TreeOverlay } from '../../../src/core/ports.ts';
import { openDirectories } from '../../../src/git/directories.ts';
import { copyTree } from '../../../src/git/overlay.ts';
import { declaresTarget, openDeclaration } from '../../../src/pipeline/cause/declared.ts';
import { tempTree } from '../../kit/tmp.ts';

const target = (over: Partial<Target> = {}): Target => ({
  id: 'argocd:argocd/web',
  name: 'web',
  engine: 'argocd',
  scope: 'production',
  origin: { file: 'apps/web.yaml' },
  parents: [],
  sources: [],
  afterRender: {},
  apply: { mode: 'client-side', prune: true, automated: true },
  inputs: ['charts/web/'],
  rendersTargets: false,
  ...over,
});

const files = { 'apps/web.yaml': 'a', 'charts/web/Chart.yaml': 'b', 'settings.yaml': 'c' };

/** @param needs file without which the target is found otherwise, or not at all */
async function open(needs: string, limits = { msLeft: () => 1000 }) {
  const root = tempTree(files);
  const copies: TreeOverlay[] = [];
  const declared = await openDeclaration({
    target: target(),
    targets: new Map(),
    copy: (paths) => {
      const copy = copyTree(openDirectories(root, root).after, paths, { files: 10, bytes: 1000 });
      if (copy !== undefined) copies.push(copy);
      return copy;
    },
    rediscover: (tree: Tree) => {
      if (needs === 'apps') return Promise.reject(new Error('no'));
      const found = tree.isFile(needs) ? target() : target({ scope: 'other' });
      return Promise.resolve(new Map([[found.id, found]]));
    },
    limits,
  });
  await declared?.overlay.close();
  return { paths: declared && [...declared.overlay.tree.files.keys()], copies: copies.length };
}

describe('openDeclaration', () => {
  it('copies the declaration and what the target reads', async () => {
    expect(await open('apps/web.yaml')).toStrictEqual({
      paths: ['apps/web.yaml', 'charts/web/Chart.yaml'],
      copies: 1,
    });
  });

  it('copies everything when the target is another one without the rest', async () => {
    expect(await open('settings.yaml')).toStrictEqual({ paths: Object.keys(files).toSorted(), copies: 2 });
  });

  it('gives up when the target cannot be found as it was, fails, or the time is over', async () => {
    expect(await open('missing.yaml')).toStrictEqual({ paths: undefined, copies: 2 });
    expect(await open('apps')).toStrictEqual({ paths: undefined, copies: 2 });
    expect(await open('apps/web.yaml', { msLeft: () => 0 })).toStrictEqual({ paths: undefined, copies: 0 });
  });
});

describe('declaresTarget', () => {
  it('takes the file of the declaration, and what its parents read', () => {
    const parent = target({ id: 'argocd:argocd/root', inputs: ['root/'] });
    const child = target({ parents: [parent.id], origin: { file: 'root.yaml' } });
    const declares = declaresTarget(child, new Map([[parent.id, parent]]));
    expect(['root.yaml', 'root/values.yaml', 'charts/web/values.yaml'].map(declares)).toStrictEqual([
      true,
      true,
      false,
    ]);
  });
});

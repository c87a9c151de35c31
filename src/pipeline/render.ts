import type { RenderResult } from '../core/model.ts';
import type { Progress, Renderer, TreePair } from '../core/ports.ts';
import { targetOf, type Selected } from './selection.ts';

export interface SelectionResults {
  readonly before: ReadonlyMap<string, RenderResult>;
  readonly after: ReadonlyMap<string, RenderResult>;
}

/** Renders both sides of the selected targets; the renderer runs them in parallel and shares equal work. */
export async function renderSelection(
  selection: readonly Selected[],
  ports: { readonly renderer: Renderer; readonly trees: TreePair; readonly progress: Progress },
): Promise<SelectionResults> {
  const before = new Map<string, RenderResult>();
  const after = new Map<string, RenderResult>();
  if (selection.length === 0) return { before, after };
  ports.progress.start('Rendering', selection.length);
  await Promise.all(
    selection.map(async (selected) => {
      const [old, current] = await Promise.all([
        selected.before === undefined ? undefined : ports.renderer.render(selected.before, ports.trees.before),
        selected.after === undefined ? undefined : ports.renderer.render(selected.after, ports.trees.after),
      ]);
      if (old !== undefined) before.set(selected.id, old);
      if (current !== undefined) after.set(selected.id, current);
      ports.progress.advance(targetOf(selected).name);
    }),
  );
  ports.progress.done();
  return { before, after };
}

import type { RenderSource } from '../../core/model.ts';

/** One source of an Application, ready to render. */
export interface BuiltSource {
  readonly source: RenderSource;
  /** Tree paths that it reads, directories with a trailing `/`. */
  readonly inputs: readonly string[] | 'unknown';
  /** Inline text that may declare targets (values). */
  readonly inlineText: string;
}

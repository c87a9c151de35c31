import type { Finding } from './model.ts';

/** Only new or worsened findings count, and only while nobody answers for them: no waiver is in force, no approval. */
export function counts({ waived, approved, novelty }: Finding): boolean {
  return waived === undefined && approved === undefined && (novelty === 'introduced' || novelty === 'worsened');
}

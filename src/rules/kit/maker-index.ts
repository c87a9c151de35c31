import type { PodMaker } from './cluster-view.ts';
import { getOrMake } from './memo.ts';
import { matchesLabels } from './select.ts';

/** Pod makers by one label each, so that many selectors over many workloads stay linear. */
export interface MakerIndex {
  /** Makers whose pods carry all these labels; none for an empty selector. */
  matching(selector: Readonly<Record<string, string>>): readonly PodMaker[];
}

/** Indexes the pod makers of one namespace by label. */
export function indexMakers(makers: readonly PodMaker[]): MakerIndex {
  const byLabel = new Map<string, PodMaker[]>();
  for (const maker of makers)
    for (const [key, value] of Object.entries(maker.template.labels))
      getOrMake(byLabel, `${key}=${value}`, () => []).push(maker);
  return {
    matching(selector) {
      let smallest: readonly PodMaker[] | undefined;
      for (const [key, value] of Object.entries(selector)) {
        const bucket = byLabel.get(`${key}=${value}`) ?? [];
        if (smallest === undefined || bucket.length < smallest.length) smallest = bucket;
      }
      return (smallest ?? []).filter((maker) => matchesLabels(selector, maker.template.labels));
    },
  };
}

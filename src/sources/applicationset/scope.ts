import type { SourceLocation } from '../../core/errors.ts';
import type { ArgoContext } from '../argocd/context.ts';
import type { ArgoCluster } from '../argocd/clusters.ts';
import type { Ownership } from '../argocd/ownership.ts';
import type { Templating } from './templating.ts';

/** What the generators of one ApplicationSet work with. */
export interface GeneratorScope {
  readonly context: ArgoContext;
  readonly clusters: readonly ArgoCluster[];
  readonly ownership: Ownership;
  readonly templating: Templating;
  readonly location: SourceLocation;
  /** Tells that the result depends on the list of clusters. */
  usesClusters(): void;
  /** An element that is left out; the others go on. Argo CD itself stops the whole set. */
  report(reason: string, next?: string, location?: SourceLocation): void;
}

/** More Applications than any Argo CD carries: a matrix that multiplies without end. */
export const maximumElements = 5000;

import type { Sample } from './ask.ts';
import { sourceLabel } from './queries.ts';

/** A row with the labels that say what it is about. */
export interface Row {
  readonly value: number;
  readonly cluster: string | undefined;
  /** A label; where the exporter's own label of that name is in the way, what the exporter said. */
  label(name: string): string | undefined;
}

/**
 * Reads labels past `exported_*`. An ingress controller counts requests to no Service (its default backend) without
 * labels; where its others have `exported_service`, the `service` of such a row is that of the controller itself.
 */
export function rowsOf(samples: readonly Sample[]): Row[] {
  const exporting = new Set<string | undefined>();
  for (const { labels } of samples) if (labels.has('exported_service')) exporting.add(labels.get(sourceLabel));
  return samples.map(({ labels, value }) => ({
    value,
    cluster: labels.get('cluster'),
    label(name) {
      const own = labels.get(`exported_${name}`);
      if (own !== undefined) return own;
      return name === 'service' && exporting.has(labels.get(sourceLabel)) ? undefined : labels.get(name);
    },
  }));
}

/** A name of a Kubernetes object: anything else is not what gate can know, whoever wrote it. */
export function isName(text: string | undefined): text is string {
  return text !== undefined && text.length <= 253 && /^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/i.test(text);
}

/** The rows of one cluster, or why it is not known which they are. */
export interface OfCluster {
  readonly keeps: (row: Row) => boolean;
  /** The clusters that the rows name, sorted, when none of them can be taken for this one. */
  readonly ambiguous?: readonly string[];
}

/**
 * A Thanos, Mimir or federated Prometheus holds several clusters, told apart by `cluster`. More than one value: only the
 * one that is called like the cluster counts, and without it none does.
 * @param several the same Prometheus is asked for other clusters as well, so that rows must name theirs
 */
export function ofCluster(rows: Iterable<Row>, name: string | undefined, several: boolean): OfCluster {
  const seen = new Set<string>();
  let any = false;
  for (const { cluster } of rows) {
    any = true;
    if (cluster !== undefined) seen.add(cluster);
  }
  if (!any || (seen.size <= 1 && !several)) return { keeps: () => true };
  if (name === undefined || !seen.has(name)) return { keeps: () => false, ambiguous: [...seen].toSorted() };
  return { keeps: (row) => row.cluster === name };
}

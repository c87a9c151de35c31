import type { ChartRef } from '../../core/model.ts';
import { withoutTrailingSlashes } from './values.ts';

/** A repository URL without scheme, or `oci://`, is an OCI registry (util/helm/client.go; docs/user-guide/helm.md). */
export function chartReference(url: string, chart: string, version: string): ChartRef {
  const oci = /^oci:\/\//i.test(url) || !url.includes('://');
  if (!oci) return { from: 'repository', url, name: chart, version };
  const full = `oci://${withoutTrailingSlashes(url.replace(/^oci:\/\//i, ''))}/${chart.replace(/^\/+/, '')}`;
  return /^sha\d+:/.test(version)
    ? { from: 'oci', url: full, version: '', digest: version }
    : { from: 'oci', url: full, version };
}

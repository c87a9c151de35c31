import type { ChartRef } from '../../core/model.ts';

/** A repository URL without scheme, or `oci://`, is an OCI registry (util/helm/client.go; docs/user-guide/helm.md). */
export function chartReference(url: string, chart: string, version: string): ChartRef {
  const oci = /^oci:\/\//i.test(url) || !url.includes('://');
  if (!oci) return { from: 'repository', url, name: chart, version };
  const full = `oci://${url.replace(/^oci:\/\//i, '').replace(/\/+$/, '')}/${chart.replace(/^\/+/, '')}`;
  return /^sha\d+:/.test(version)
    ? { from: 'oci', url: full, version: '', digest: version }
    : { from: 'oci', url: full, version };
}

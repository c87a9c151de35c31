import { mkdir, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { extract } from 'tar';
import type { Tree } from '../core/ports.ts';
import type { ChartFetcher, FetchedChart } from './chart-fetch.ts';
import { copyInto } from './context.ts';
import { fail } from './failure.ts';
import type { HelmInflation, KustomizeClosure } from './kustomize-closure.ts';
import { withoutEndSlash } from './tree-path.ts';

/** Charts that have to be in place before kustomize runs, so that it fetches nothing itself. */
export interface Inflation {
  readonly identity: unknown;
  place(copy: string): Promise<void>;
}

/** Fetches the charts of `helmCharts` that are not in the chart home of the tree. */
export async function inflateCharts(closure: KustomizeClosure, tree: Tree, fetcher: ChartFetcher): Promise<Inflation> {
  const fetched: (readonly [HelmInflation, FetchedChart])[] = [];
  for (const chart of closure.helmCharts) {
    if (isThere(tree, chart)) continue;
    if (chart.repo === '') {
      fail({
        kind: 'render',
        message: `The chart ${chart.name} is not in ${chart.chartHome} and the kustomization names no repo for it`,
      });
    }
    const oci = chart.repo.startsWith('oci://');
    const url = oci ? `${withoutEndSlash(chart.repo)}/${chart.name}` : chart.repo;
    fetched.push([
      chart,
      await fetcher.fetch({ kind: oci ? 'oci' : 'repository', url, name: chart.name, version: chart.version }),
    ]);
  }
  return {
    identity: fetched.map(([chart, archive]) => [chart.folder, chart.name, archive.digest]),
    async place(copy) {
      for (const [chart, archive] of fetched) {
        const target = join(copy, folderOf(chart));
        await mkdir(target, { recursive: true });
        if ((await stat(archive.path)).isFile()) await extract({ file: archive.path, cwd: target, strict: true });
        else await copyInto(archive.path, join(target, chart.name));
      }
    },
  };
}

/** kustomize HelmChartInflationGenerator absChartHome: `<home>/<name>-<version>/<name>`, without a version `<home>/<name>`. */
function folderOf(chart: HelmInflation): string {
  return chart.version === '' || chart.repo === ''
    ? chart.chartHome
    : posix.join(chart.chartHome, `${chart.name}-${chart.version}`);
}

function isThere(tree: Tree, chart: HelmInflation): boolean {
  return tree.isFile(posix.join(folderOf(chart), chart.name, 'Chart.yaml'));
}

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { groupOf } from '../../src/core/json.ts';
import type { WantedKind } from '../../src/core/cluster.ts';
import type { KubeObject } from '../../src/core/model.ts';
import type { Cluster } from '../../src/core/ports.ts';
import { runScenario } from './run-scenario.ts';

const root = new URL('../../fixtures/scenarios/', import.meta.url).pathname;
const withSnapshot = readdirSync(root).filter((name) => existsSync(join(root, name, 'snapshot.yaml')));

/** A snapshot that gives, as a live cluster does, only what it is asked for. What it says to have read stays as it is. */
function onlyWhatIsAsked(cluster: Cluster): Cluster {
  return {
    ...cluster,
    async read(wanted) {
      const asked = new Map(wanted.map((kind) => [kind.kind, kind]));
      const state = await cluster.read(wanted);
      return {
        ...state,
        objects: state.objects.filter((object) =>
          isAsked(object, asked.get(`${groupOf(object.apiVersion)}/${object.kind}`)),
        ),
        pods: asked.has('/Pod') ? state.pods : [],
        helmReleases: asked.has('helm/Release') ? state.helmReleases : [],
      };
    },
  };
}

function isAsked({ metadata }: KubeObject, wanted: WantedKind | undefined): boolean {
  if (wanted === undefined) return false;
  return (
    wanted.namespaces === undefined ||
    metadata.namespace === undefined ||
    wanted.namespaces.includes(metadata.namespace)
  );
}

test.each(withSnapshot)('%s: the same from a cluster that gives only what is asked for', async (name) => {
  const folder = join(root, name);
  const all = await runScenario(folder);
  const asked = await runScenario(folder, (ports) => ({
    ...ports,
    createClusters: (config) => ports.createClusters(config).map(onlyWhatIsAsked),
  }));
  expect(asked).toEqual(all);
});

import { join } from 'node:path';
import envPaths from 'env-paths';
import type { ClusterDescription } from '../core/cluster.ts';
import type { Cluster } from '../core/ports.ts';
import type { ApiServer } from './api-server.ts';
import type { ConnectOptions } from './connection/connect.ts';
import { createDiskCache, type DiskCache } from './reading/disk-cache.ts';
import { discover, type Discovery } from './reading/discovery.ts';
import { createDryRun } from './dry-run.ts';
import { createOpenApi } from './reading/open-api.ts';
import { readCluster } from './reading/read-cluster.ts';
import { schemasInstead } from './reading/schemas.ts';

export interface LiveClusterOptions extends ConnectOptions {
  /** Key of the fingerprints of Secrets, 32 bytes. */
  readonly redactKey: Uint8Array;
  /** For discovery and OpenAPI documents; default in the user's cache folder. `false`: nothing is kept. */
  readonly cacheFolder?: string | false;
  /** Default: the clock of the machine. */
  readonly now?: () => Date;
}

/** A connection that knows what its server serves. */
export interface OpenServer {
  readonly api: ApiServer;
  readonly discovery: Discovery;
  readonly cache: DiskCache | undefined;
}

/**
 * Connects and asks what the server serves.
 * @throws GateError kubeconfig.* for a mistake in the configuration, cluster.* when the server does not answer
 */
export async function openServer(options: Omit<LiveClusterOptions, 'redactKey'>): Promise<OpenServer> {
  // Loads Node's HTTP and TLS: a run with a snapshot or without a cluster does not pay for them.
  const { connect } = await import('./connection/connect.ts');
  const api = await connect(options);
  const folder = options.cacheFolder ?? join(envPaths('gitops-gate', { suffix: '' }).cache, 'api-servers');
  const cache = folder === false ? undefined : createDiskCache(folder);
  try {
    return { api, discovery: await discover(api, cache), cache };
  } catch (error) {
    await api.close();
    throw error;
  }
}

/**
 * The cluster of a kubeconfig's context. Nothing is asked before the first call; all calls share one deadline, which
 * runs only while one of them waits.
 */
export function createLiveCluster(options: LiveClusterOptions): Cluster {
  const { redactKey, now = () => new Date() } = options;
  let opened: Promise<OpenServer> | undefined;
  const open = (): Promise<OpenServer> => (opened ??= openServer(options));
  return {
    live: true,
    describe: async () => descriptionOf(await open()),
    async read(wanted) {
      const server = await open();
      const takenAt = now()
        .toISOString()
        .replace(/\.\d+Z$/, 'Z');
      const { api, discovery, cache } = server;
      const state = await readCluster(api, discovery, wanted, redactKey);
      const schemas = await schemasInstead(wanted, state.unread, discovery, createOpenApi(api, cache));
      return { ...descriptionOf(server), takenAt, ...state, schemas, metrics: [], services: [] };
    },
    async dryRun(requests) {
      const { api, discovery } = await open();
      return createDryRun(api, discovery.kinds, { redactKey })(requests);
    },
    async close() {
      const server = await opened?.catch(() => undefined);
      await server?.api.close();
    },
  };
}

function descriptionOf({ api, discovery }: OpenServer): ClusterDescription {
  return {
    name: api.name,
    ...(api.named ? { named: true } : {}),
    server: api.url,
    kubernetesVersion: discovery.kubernetesVersion,
    apiVersions: discovery.apiVersions,
  };
}

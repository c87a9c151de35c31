import type { ConnectOptions } from '../connection/connect.ts';
import { openServer } from '../kubernetes.ts';
import type { Resource } from './resources.ts';

/**
 * Every kind that a cluster serves (`group/Kind`) and how its URLs call it.
 * @throws GateError kubeconfig.*, cluster.*
 */
export async function servedResources(options: ConnectOptions): Promise<ReadonlyMap<string, Resource>> {
  const { api, discovery } = await openServer(options);
  try {
    return new Map(
      discovery.kinds
        .filter(({ verbs }) => verbs.includes('list'))
        .map(({ group, kind, plural, namespaced }) => [`${group}/${kind}`, { plural, namespaced }]),
    );
  } finally {
    await api.close();
  }
}

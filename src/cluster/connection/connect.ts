import type { Exec } from '../../core/ports.ts';
import type { ApiServer } from '../api-server.ts';
import { createBudget } from './budget.ts';
import { createCredentials } from './credentials.ts';
import { createHttp } from './http.ts';
import { readKubeconfig } from './kubeconfig.ts';
import { createRateLimit } from './rate-limit.ts';

export interface ConnectOptions {
  /** Starts credential plugins. */
  readonly exec: Exec;
  /** `--kubeconfig`. Absent: `$KUBECONFIG`, `~/.kube/config`, the service account of the pod. */
  readonly kubeconfig?: string;
  readonly context?: string;
  /** `--cluster-name`: wins over gate.yaml and the context. */
  readonly clusterName?: string;
  /** Clusters of gate.yaml; the one with this server's URL names it. */
  readonly knownClusters?: readonly { readonly name: string; readonly server?: string }[];
  /** For all waiting together; default 60,000. */
  readonly deadlineMs?: number;
  readonly userAgent?: string;
  /** Default: that of the process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly serviceAccountFolder?: string;
  /** As client-go's: requests per second and how many at once after a pause. Default 50 and 100. */
  readonly qps?: number;
  readonly burst?: number;
  /** Requests under way at one time; default 8. */
  readonly concurrency?: number;
  /** Longest silence of the server during one request; default a third of the deadline, at most 20,000. */
  readonly silenceMs?: number;
  /** Largest answer, decompressed; default 256 MiB. */
  readonly maxAnswerBytes?: number;
}

/**
 * Reads the kubeconfig and prepares a connection; the first request opens it.
 * @throws GateError kubeconfig.none, kubeconfig.missing, kubeconfig.bad, kubeconfig.unknown-context
 */
export async function connect(options: ConnectOptions): Promise<ApiServer> {
  const environment = options.environment ?? process.env;
  const { exec, concurrency = 8 } = options;
  const config = readKubeconfig({ ...options, environment });
  const budget = createBudget(options.deadlineMs ?? 60_000);
  const silenceMs = options.silenceMs ?? Math.min(20_000, budget.totalMs / 3);
  const limit = createRateLimit({
    qps: options.qps ?? 50,
    burst: options.burst ?? 100,
    concurrency,
    signal: budget.signal,
  });
  // Leaves time to ask the server with what the plugin gave.
  const timeoutMs = (): number => Math.max(100, Math.min(30_000, budget.remainingMs() * 0.75));
  const { request, close } = createHttp({
    config,
    credentials: createCredentials(config, { exec, environment, timeoutMs }),
    budget,
    limit,
    concurrency,
    environment,
    userAgent: options.userAgent ?? 'gitops-gate',
    silenceMs,
    maxAnswerBytes: options.maxAnswerBytes ?? 256 * 1024 * 1024,
  });
  const known = options.knownClusters?.find(({ server }) => server !== undefined && sameUrl(server, config.server));
  const chosen = options.clusterName ?? known?.name;
  return { name: chosen ?? config.context, named: chosen !== undefined, url: config.server, request, close };
}

/** The same server: letter case of the host, a default port and a trailing slash make no difference. */
export function sameUrl(left: string, right: string): boolean {
  const normal = (text: string): string => (URL.canParse(text) ? new URL(text).href.replace(/\/+$/, '') : text);
  return normal(left) === normal(right);
}

import http from 'node:http';
import https from 'node:https';
import { isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import type { ConnectionConfig } from './kubeconfig-entry.ts';
import { openTunnel } from './tunnel.ts';

/** Certificate and key of the client, PEM. */
export interface ClientCertificate {
  readonly cert: Buffer | string;
  readonly key: Buffer | string;
}

/**
 * The pool of connections to one server, kept open between requests.
 * @param options.proxy every connection goes through it
 */
export function createAgent(
  config: ConnectionConfig,
  options: {
    readonly certificate: ClientCertificate | undefined;
    readonly proxy: URL | undefined;
    readonly sockets: number;
    readonly signal: AbortSignal;
  },
): http.Agent {
  const { certificate, proxy, sockets, signal } = options;
  const pool = { keepAlive: true, maxSockets: sockets, keepAliveMsecs: 30_000, scheduling: 'lifo' as const };
  const url = new URL(config.server);
  if (url.protocol === 'http:') {
    const agent = new http.Agent(pool);
    return proxy === undefined ? agent : through(agent, proxy, signal, (socket) => socket);
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const serverName = config.tlsServerName ?? (isIP(host) === 0 ? host : undefined);
  const tlsOptions: tls.ConnectionOptions = {
    ...(config.insecure ? { rejectUnauthorized: false } : { ca: config.ca ?? systemAuthorities() }),
    ...(certificate === undefined ? {} : certificate),
    ...(serverName === undefined ? {} : { servername: serverName }),
    // Without a name to ask for, Node checks the certificate against `host`, which a tunnel does not know.
    ...(proxy !== undefined && serverName === undefined
      ? { checkServerIdentity: (_name: string, peer: tls.PeerCertificate) => tls.checkServerIdentity(host, peer) }
      : {}),
  };
  const agent = new https.Agent({ ...pool, ...tlsOptions });
  if (proxy === undefined) return agent;
  return through(agent, proxy, signal, (socket) => tls.connect({ ...tlsOptions, socket }));
}

/** As Go: without a configured authority those of the system count. Node's own list is added for images without one. */
function systemAuthorities(): string[] {
  return [...new Set([...tls.getCACertificates('system'), ...tls.getCACertificates('default')])];
}

type Done = (error: Error | null, stream: Duplex) => void;

interface Destination {
  readonly host?: string | null;
  readonly port?: number | string | null;
}

function through(agent: http.Agent, proxy: URL, signal: AbortSignal, wrap: (socket: Socket) => Duplex): http.Agent {
  const open = async (target: Destination, done: Done): Promise<void> => {
    let stream: Duplex;
    try {
      stream = wrap(await openTunnel(proxy, target.host ?? '', Number(target.port), signal));
    } catch (error) {
      done(error as Error, undefined as never);
      return;
    }
    done(null, stream);
  };
  return Object.assign(agent, {
    createConnection(target: Destination, done: Done): undefined {
      void open(target, done);
    },
  });
}

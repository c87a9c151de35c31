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
  const pool = {
    keepAlive: true,
    maxSockets: sockets,
    scheduling: 'lifo' as const,
    // An idle connection is given up before a load balancer drops it without a word: rendering may lie between requests.
    timeout: 20_000,
  };
  const url = new URL(config.server);
  if (url.protocol === 'http:') {
    const agent = new http.Agent(pool);
    return proxy === undefined ? agent : through(agent, proxy, signal, (socket) => socket);
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const name = config.tlsServerName ?? host;
  const tlsOptions: tls.ConnectionOptions = {
    ...(config.insecure
      ? { rejectUnauthorized: false }
      : {
          ca: config.ca ?? systemAuthorities(),
          checkServerIdentity: (_name: string, peer: tls.PeerCertificate) => tls.checkServerIdentity(name, peer),
        }),
    ...certificate,
    // An address is no name that may be asked for (RFC 6066).
    ...(isIP(name) === 0 ? { servername: name } : {}),
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

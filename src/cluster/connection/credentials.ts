import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { GateError, messageOf } from '../../core/errors.ts';
import type { Exec } from '../../core/ports.ts';
import type { ClientCertificate } from './agent.ts';
import { runExecPlugin, type PluginCredential } from './exec-plugin.ts';
import type { ConnectionConfig } from './kubeconfig-entry.ts';

/** What a request carries to prove who asks. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly certificate: ClientCertificate | undefined;
}

export interface CredentialSource {
  /** @throws GateError cluster.unauthorized when a plugin or token file gives nothing */
  get(): Promise<Credentials>;
  /** After a 401: asks the plugin or reads the token file again. False: there is nothing newer to be had. */
  renew(used: Credentials): Promise<boolean>;
  /** A clause that says why the server may have refused: "the token expired at ...". */
  explain(used: Credentials): string;
}

/** The credentials of a context, in client-go's order: token, password, certificate, and a plugin when none of them is given. */
export function createCredentials(
  config: ConnectionConfig,
  options: {
    readonly exec: Exec;
    readonly environment: Readonly<Record<string, string | undefined>>;
    /** Longest run of a plugin. */
    readonly timeoutMs: () => number;
  },
): CredentialSource {
  const { user } = config;
  if (isOpenNetwork(config.server)) return nothing;
  const plugin = user.token || user.tokenFile || user.basic || user.cert ? undefined : user.exec;
  let current: Promise<Loaded> | undefined;
  const load = (): Promise<Loaded> => {
    if (plugin === undefined) return Promise.resolve().then(() => fixed(config));
    return runExecPlugin(plugin, config, { ...options, timeoutMs: options.timeoutMs() }).then((found) =>
      ofPlugin(config, found),
    );
  };
  const get = async (): Promise<Loaded> => {
    const known = current;
    if (known === undefined) return (current = load());
    const { expires } = await known;
    if (expires === undefined || expires > Date.now()) return known;
    // Another request may have renewed it meanwhile.
    return current === undefined || current === known ? (current = load()) : current;
  };
  return {
    get,
    async renew(used) {
      const known = current;
      if (known === undefined || (await known) !== used || current !== known) return true;
      if (plugin === undefined && user.tokenFile === undefined) return false;
      const renewed = await (current = load());
      return plugin !== undefined || renewed.token !== (used as Loaded).token;
    },
    explain: (used) => explanation(config, used as Loaded),
  };
}

/** As client-go (clientcmd ClientConfig, IsConfigTransportTLS): nobody on the way shall read a token. */
function isOpenNetwork(server: string): boolean {
  const { protocol, hostname } = new URL(server);
  return protocol === 'http:' && !/^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
}

const nothing: CredentialSource = {
  get: async () => ({ headers: {}, certificate: undefined }),
  renew: async () => false,
  explain: () => 'none are sent without TLS (http:)',
};

interface Loaded extends Credentials {
  readonly token?: string;
  readonly expires?: number;
}

function fixed(config: ConnectionConfig): Loaded {
  const { user } = config;
  const token =
    user.tokenFile === undefined ? (user.token ?? user.authProvider?.token) : readToken(config, user.tokenFile);
  const headers: Record<string, string | readonly string[]> = { ...user.impersonate };
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
  else if (user.basic !== undefined) {
    const { username, password } = user.basic;
    headers['authorization'] = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  }
  return {
    headers,
    certificate: user.cert === undefined || user.key === undefined ? undefined : { cert: user.cert, key: user.key },
    ...(token === undefined ? {} : { token }),
  };
}

function readToken(config: ConnectionConfig, file: string): string {
  let token = '';
  let cause: unknown;
  try {
    token = readFileSync(file, 'utf8').trim();
  } catch (error) {
    cause = error;
  }
  if (token !== '') return token;
  throw new GateError({
    code: 'cluster.unauthorized',
    message: `The token file ${file} of context ${config.context} ${cause === undefined ? 'is empty' : `cannot be read: ${messageOf(cause)}`}`,
    fault: 'user',
    next: 'Check tokenFile in the kubeconfig, or the service account of the pod.',
    cause,
  });
}

function ofPlugin(config: ConnectionConfig, found: PluginCredential): Loaded {
  const { token, cert, key, expires } = found;
  return {
    headers: { ...config.user.impersonate, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    certificate: cert === undefined || key === undefined ? undefined : { cert, key },
    ...(token === undefined ? {} : { token }),
    ...(expires === undefined ? {} : { expires }),
  };
}

function explanation(config: ConnectionConfig, used: Loaded): string {
  const { user } = config;
  const expired = used.certificate === undefined ? undefined : endOfCertificate(used.certificate);
  if (used.token !== undefined) {
    const end = endOfToken(used.token);
    if (end !== undefined && end < Date.now()) return `the token expired at ${new Date(end).toISOString()}`;
    if (user.exec !== undefined && user.token === undefined)
      return `the token of the plugin ${user.exec.command} was refused`;
    return 'the token was refused';
  }
  if (expired !== undefined && expired < Date.now()) {
    return `the client certificate expired at ${new Date(expired).toISOString()}`;
  }
  if (user.basic !== undefined) return 'user name and password were refused (Kubernetes dropped them in 1.19)';
  if (user.authProvider !== undefined) {
    return `the auth-provider ${user.authProvider.name} holds no token, and gate does not log in itself`;
  }
  return used.certificate === undefined ? 'the user has none' : 'the client certificate was refused';
}

function endOfCertificate({ cert }: ClientCertificate): number | undefined {
  try {
    return Date.parse(new X509Certificate(cert).validTo);
  } catch {
    return undefined;
  }
}

/** `exp` of a JSON web token, in milliseconds. */
function endOfToken(token: string): number | undefined {
  try {
    const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as {
      exp?: unknown;
    };
    return typeof payload.exp === 'number' ? payload.exp * 1000 : undefined;
  } catch {
    return undefined;
  }
}

import { isIPv4, BlockList, isIP } from 'node:net';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for a server as kubectl chooses it: `proxy-url` of the kubeconfig, else the environment as Go reads it
 * (golang.org/x/net/http/httpproxy): HTTPS_PROXY or HTTP_PROXY, NO_PROXY, and never for loopback.
 * @returns undefined for a direct connection
 */
export function proxyFor(server: URL, configured: string | undefined, environment: Environment): URL | undefined {
  if (configured !== undefined) return asUrl(configured);
  const scheme = server.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const value = environment[scheme] || environment[scheme.toLowerCase()];
  if (!value) return undefined;
  const host = server.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))) return undefined;
  const exceptions = environment['NO_PROXY'] || environment['no_proxy'] || '';
  const port = server.port || (server.protocol === 'https:' ? '443' : '80');
  const direct = exceptions.split(',').some((entry) => excepts(entry.trim().toLowerCase(), host, port));
  return direct ? undefined : asUrl(value);
}

function asUrl(text: string): URL | undefined {
  const full = text.includes('://') ? text : `http://${text}`;
  return URL.canParse(full) ? new URL(full) : undefined;
}

function excepts(entry: string, host: string, port: string): boolean {
  if (entry === '') return false;
  if (entry === '*') return true;
  if (entry.includes('/')) return inNetwork(entry, host);
  const [name = '', only] = isIP(entry) === 6 ? [entry] : entry.split(':');
  if (only !== undefined && only !== port) return false;
  if (name.startsWith('*.') || name.startsWith('.')) return host.endsWith(name.replace(/^\*?/, ''));
  return host === name || (isIP(name) === 0 && host.endsWith(`.${name}`));
}

function inNetwork(entry: string, host: string): boolean {
  const [address = '', bits = ''] = entry.split('/');
  const family = isIP(address);
  if (family === 0 || isIP(host) !== family || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128)) {
    return false;
  }
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(address, Number(bits), type);
  return list.check(host, type);
}

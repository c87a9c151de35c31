import { messageOf } from '../../core/errors.ts';

/** Where to ask, and how to show it. */
export interface Address {
  /** Without credentials, query and a slash at the end: what may be printed. */
  readonly shown: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Why nothing can be asked. One sentence without credentials. */
export class AddressError extends Error {}

/**
 * Address and credentials. User and password in the URL (from a command line) become a header and are never shown.
 * From the environment: `GATE_PROMETHEUS_TOKEN` (bearer), `GATE_PROMETHEUS_USER` and `GATE_PROMETHEUS_PASSWORD` (basic),
 * `GATE_PROMETHEUS_HEADERS` (`Name: value`, one per line; `X-Scope-OrgID` is how Mimir, Cortex and Loki name the tenant).
 * @throws AddressError
 */
export function readAddress(url: string, environment: Readonly<Record<string, string | undefined>>): Address {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol))
    throw new AddressError('its address is no http or https URL');
  const headers: Record<string, string> = { accept: 'application/json', 'user-agent': 'gitops-gate' };
  const user = environment['GATE_PROMETHEUS_USER'];
  const token = environment['GATE_PROMETHEUS_TOKEN']?.trim();
  if (parsed.username !== '' || parsed.password !== '')
    headers['authorization'] = basic(decode(parsed.username), decode(parsed.password));
  if (user !== undefined && user !== '')
    headers['authorization'] = basic(user, environment['GATE_PROMETHEUS_PASSWORD'] ?? '');
  if (token !== undefined && token !== '') headers['authorization'] = `Bearer ${token}`;
  for (const line of (environment['GATE_PROMETHEUS_HEADERS'] ?? '').split('\n')) {
    if (line.trim() === '') continue;
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trim().toLowerCase();
    if (!/^[a-z0-9-]+$/.test(name))
      throw new AddressError('GATE_PROMETHEUS_HEADERS has a line that is not `Name: value`');
    headers[name] = line.slice(colon + 1).trim();
  }
  try {
    new Headers(headers);
  } catch {
    // The message of the platform repeats the value.
    throw new AddressError('a credential in the environment has characters that no HTTP header may have');
  }
  return { shown: (parsed.origin + parsed.pathname).replace(/\/+$/, ''), headers };
}

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`;

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Text of a server for one line of a report. */
export function oneLine(text: string, length = 200): string {
  // oxlint-disable-next-line no-control-regex
  const clean = text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
  return clean.length > length ? `${clean.slice(0, length - 3)}...` : clean;
}

const sentences: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses the connection',
  ECONNRESET: 'closed the connection',
  UND_ERR_SOCKET: 'closed the connection',
  ENOTFOUND: 'has a name that does not resolve',
  EAI_AGAIN: 'has a name that does not resolve',
  EHOSTUNREACH: 'is not reachable',
  ENETUNREACH: 'is not reachable',
  ETIMEDOUT: 'is not reachable',
  UND_ERR_CONNECT_TIMEOUT: 'is not reachable',
};

/** What the platform says of a failed request, without the URL. */
export function connectionReason(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const inner = (cause as { errors?: readonly unknown[] }).errors?.[0] ?? cause;
  const code = String((inner as { code?: unknown }).code ?? '');
  const known = Object.hasOwn(sentences, code) ? sentences[code] : undefined;
  if (known !== undefined) return known;
  if (/CERT|TLS|SSL|SIGNATURE|SELF_SIGNED/.test(code))
    return `has a certificate that is not trusted (${oneLine(code)})`;
  return `cannot be asked (${oneLine(code === '' ? messageOf(inner) : code)})`;
}

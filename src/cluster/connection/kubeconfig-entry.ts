import { readFileSync } from 'node:fs';
import { join, isAbsolute } from 'node:path';
import { messageOf, type GateError } from '../../core/errors.ts';
import { isObject } from '../../core/json.ts';
import type { Json, JsonObject } from '../../core/model.ts';

/** One context of a kubeconfig, resolved: files are read, relative paths are absolute. */
export interface ConnectionConfig {
  readonly context: string;
  /** URL as configured, without trailing slash; may have a path. */
  readonly server: string;
  readonly insecure: boolean;
  /** PEM. Absent: the certificate authorities of the system. */
  readonly ca?: Buffer;
  readonly tlsServerName?: string;
  readonly proxyUrl?: string;
  readonly disableCompression?: true;
  readonly user: UserConfig;
}

export interface UserConfig {
  /** PEM. */
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly basic?: { readonly username: string; readonly password: string };
  /** Headers: `Impersonate-User` and the like. */
  readonly impersonate: Readonly<Record<string, string | readonly string[]>>;
  readonly exec?: ExecPlugin;
  /** `auth-provider`, the predecessor of plugins; only its stored token can be used. */
  readonly authProvider?: { readonly name: string; readonly token?: string };
}

/** `users[].user.exec` (client.authentication.k8s.io). */
export interface ExecPlugin {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly installHint?: string;
  readonly provideClusterInfo: boolean;
  readonly interactiveMode?: string;
  /** Folder of the kubeconfig: relative commands start there. */
  readonly folder: string;
}

type Fail = (why: string) => GateError;

/**
 * `clusters[].cluster` (client-go tools/clientcmd/api/v1/types.go).
 * @param folder of the kubeconfig; relative files start there
 * @throws what `fail` makes
 */
export function readCluster(
  cluster: JsonObject,
  folder: string,
  fail: Fail,
): Omit<ConnectionConfig, 'context' | 'user'> {
  const server = text(cluster, 'server', fail);
  if (server === undefined || server === '') throw fail('the cluster has no server');
  const insecure = cluster['insecure-skip-tls-verify'] === true;
  const ca = pem(cluster, 'certificate-authority', folder, fail);
  const serverName = text(cluster, 'tls-server-name', fail);
  const proxyUrl = text(cluster, 'proxy-url', fail);
  return {
    // client-go rest.DefaultServerURL: without a scheme it is https as soon as TLS is configured.
    server: withScheme(server, insecure || ca !== undefined, fail),
    insecure,
    ...(ca === undefined ? {} : { ca }),
    ...(serverName ? { tlsServerName: serverName } : {}),
    ...(proxyUrl ? { proxyUrl } : {}),
    ...(cluster['disable-compression'] === true ? { disableCompression: true as const } : {}),
  };
}

function withScheme(server: string, tls: boolean, fail: Fail): string {
  const full = server.includes('://') ? server : `${tls ? 'https' : 'http'}://${server}`;
  if (!URL.canParse(full) || !/^https?:/i.test(full)) throw fail(`${JSON.stringify(server)} is no URL of a server`);
  const { username, password } = new URL(full);
  if (username !== '' || password !== '')
    throw fail('the URL of the server holds a password, which belongs to the user');
  return full.replace(/\/+$/, '');
}

/**
 * `users[].user`. Data wins over a file of the same name, `tokenFile` over `token`.
 * @throws what `fail` makes
 */
export function readUser(user: JsonObject, folder: string, fail: Fail): UserConfig {
  const cert = pem(user, 'client-certificate', folder, fail);
  const key = pem(user, 'client-key', folder, fail);
  if ((cert === undefined) !== (key === undefined)) throw fail('a client certificate needs both certificate and key');
  const token = text(user, 'token', fail);
  const tokenFile = text(user, 'tokenFile', fail);
  const username = text(user, 'username', fail);
  const exec = user['exec'];
  const provider = user['auth-provider'];
  return {
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    ...(token ? { token } : {}),
    ...(tokenFile ? { tokenFile: absolute(tokenFile, folder) } : {}),
    ...(username ? { basic: { username, password: text(user, 'password', fail) ?? '' } } : {}),
    impersonate: impersonation(user, fail),
    ...(isObject(exec) ? { exec: readExec(exec, folder, fail) } : {}),
    ...(isObject(provider) ? { authProvider: readProvider(provider) } : {}),
  };
}

function readExec(exec: JsonObject, folder: string, fail: Fail): ExecPlugin {
  const command = text(exec, 'command', fail);
  if (!command) throw fail('the credential plugin has no command');
  const env: Record<string, string> = {};
  for (const entry of list(exec['env'])) {
    if (isObject(entry) && typeof entry['name'] === 'string') env[entry['name']] = String(entry['value'] ?? '');
  }
  const installHint = text(exec, 'installHint', fail);
  const mode = text(exec, 'interactiveMode', fail);
  return {
    apiVersion: text(exec, 'apiVersion', fail) ?? '',
    // As client-go: with a separator it is a path from the kubeconfig's folder, else it is looked up on PATH.
    command: command.includes('/') ? absolute(command, folder) : command,
    args: list(exec['args']).map(String),
    env,
    ...(installHint ? { installHint } : {}),
    provideClusterInfo: exec['provideClusterInfo'] === true,
    ...(mode ? { interactiveMode: mode } : {}),
    folder,
  };
}

function readProvider(provider: JsonObject): NonNullable<UserConfig['authProvider']> {
  const config = isObject(provider['config']) ? provider['config'] : {};
  const token = config['id-token'] ?? config['access-token'];
  return { name: String(provider['name'] ?? ''), ...(typeof token === 'string' && token !== '' ? { token } : {}) };
}

/** client-go transport.impersonatingRoundTripper. */
function impersonation(user: JsonObject, fail: Fail): UserConfig['impersonate'] {
  const headers: Record<string, string | readonly string[]> = {};
  const as = text(user, 'as', fail);
  const uid = text(user, 'as-uid', fail);
  const groups = list(user['as-groups']).map(String);
  if (as) headers['Impersonate-User'] = as;
  if (uid) headers['Impersonate-Uid'] = uid;
  if (groups.length > 0) headers['Impersonate-Group'] = groups;
  const extra = user['as-user-extra'];
  for (const [name, values] of Object.entries(isObject(extra) ? extra : {})) {
    headers[`Impersonate-Extra-${encodeURIComponent(name)}`] = list(values).map(String);
  }
  return headers;
}

/** `<name>-data` (base64) or `<name>` (a file). */
function pem(object: JsonObject, name: string, folder: string, fail: Fail): Buffer | undefined {
  const data = text(object, `${name}-data`, fail);
  const file = text(object, name, fail);
  if (data) return checked(Buffer.from(data, 'base64'), `${name}-data`, fail);
  if (!file) return undefined;
  const path = absolute(file, folder);
  try {
    return checked(readFileSync(path), path, fail);
  } catch (cause) {
    throw fail(`${name} ${path} cannot be read: ${messageOf(cause)}`);
  }
}

function checked(value: Buffer, where: string, fail: Fail): Buffer {
  if (!value.includes('-----BEGIN ')) throw fail(`${where} is not in PEM form`);
  return value;
}

function absolute(path: string, folder: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}

function text(object: JsonObject, name: string, fail: Fail): string | undefined {
  const value = object[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw fail(`${name} is no text`);
  return value;
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

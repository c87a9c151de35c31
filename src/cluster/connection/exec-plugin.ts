import { GateError } from '../../core/errors.ts';
import { isObject } from '../../core/json.ts';
import type { JsonObject } from '../../core/model.ts';
import type { Exec } from '../../core/ports.ts';
import { redactCredentials } from '../../core/redact.ts';
import type { ConnectionConfig, ExecPlugin } from './kubeconfig-entry.ts';

/** What a credential plugin gave. */
export interface PluginCredential {
  readonly token?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Milliseconds since 1970; absent: as long as the server takes it. */
  readonly expires?: number;
}

/**
 * Runs a credential plugin as client-go does (plugin/pkg/client/auth/exec): `KUBERNETES_EXEC_INFO` in, an ExecCredential
 * on stdout. It has the environment of gate, since it finds the login of the user there, but runs in the folder of the
 * kubeconfig: version managers and cloud tools read configuration from the working directory, which is the repository
 * under judgement. It is never interactive.
 * @throws GateError cluster.unauthorized, with the end of what the plugin wrote to stderr
 */
export async function runExecPlugin(
  plugin: ExecPlugin,
  config: ConnectionConfig,
  run: {
    readonly exec: Exec;
    readonly environment: Readonly<Record<string, string | undefined>>;
    readonly timeoutMs: number;
  },
): Promise<PluginCredential> {
  const fail = (why: string, next: string, cause?: unknown): GateError =>
    new GateError({
      code: 'cluster.unauthorized',
      message: `The credential plugin ${plugin.command} of context ${config.context} ${why}`,
      fault: 'user',
      next,
      cause,
    });
  const check = 'Run `kubectl get --raw /version` with the same context; it uses the same plugin.';
  if (!/^client\.authentication\.k8s\.io\/v1(?:beta1)?$/.test(plugin.apiVersion)) {
    throw fail(
      `has the apiVersion ${JSON.stringify(plugin.apiVersion)}, which is no longer supported`,
      'Use client.authentication.k8s.io/v1.',
    );
  }
  if (plugin.interactiveMode === 'Always') {
    throw fail('wants a terminal (interactiveMode: Always)', 'Log in beforehand, or use a service account.');
  }
  const result = await run.exec.run({
    file: plugin.command,
    args: plugin.args,
    cwd: plugin.folder,
    env: {
      ...defined(run.environment),
      ...plugin.env,
      KUBERNETES_EXEC_INFO: JSON.stringify(execInfo(plugin, config)),
    },
    timeoutMs: run.timeoutMs,
    maxOutputBytes: 4 * 1024 * 1024,
  });
  if (result.spawnError !== undefined) {
    throw fail(
      'cannot be started',
      plugin.installHint?.trim() ?? 'Install it, or check its path in the kubeconfig.',
      result.spawnError,
    );
  }
  if (result.stopped === 'timeout') {
    throw fail(
      `did not finish within ${Math.round(run.timeoutMs / 1000)} s${said(result.stderr)}`,
      'It may wait for a login in a browser: log in first.',
    );
  }
  if (result.stopped !== undefined) {
    throw fail(result.stopped === 'interrupted' ? 'was interrupted' : 'was stopped: it printed too much', check);
  }
  if (result.exitCode !== 0) {
    throw fail(
      `failed with ${result.exitCode === undefined ? `signal ${result.signal}` : `exit code ${result.exitCode}`}${said(result.stderr)}`,
      check,
    );
  }
  return credential(result.stdout, plugin, (why, cause) => fail(why, check, cause));
}

function execInfo(plugin: ExecPlugin, config: ConnectionConfig): JsonObject {
  const cluster: JsonObject = {
    server: config.server,
    ...(config.tlsServerName === undefined ? {} : { 'tls-server-name': config.tlsServerName }),
    ...(config.insecure ? { 'insecure-skip-tls-verify': true } : {}),
    ...(config.ca === undefined ? {} : { 'certificate-authority-data': config.ca.toString('base64') }),
    ...(config.proxyUrl === undefined ? {} : { 'proxy-url': config.proxyUrl }),
  };
  return {
    kind: 'ExecCredential',
    apiVersion: plugin.apiVersion,
    spec: { interactive: false, ...(plugin.provideClusterInfo ? { cluster } : {}) },
  };
}

function credential(
  stdout: string,
  plugin: ExecPlugin,
  fail: (why: string, cause?: unknown) => GateError,
): PluginCredential {
  let value: unknown;
  try {
    value = JSON.parse(stdout);
  } catch (cause) {
    throw fail(`printed no ExecCredential but ${stdout.length === 0 ? 'nothing' : 'something that is no JSON'}`, cause);
  }
  const object = value as JsonObject;
  if (!isObject(object) || object['kind'] !== 'ExecCredential') throw fail('printed no ExecCredential');
  if (object['apiVersion'] !== plugin.apiVersion) {
    throw fail(`printed a credential of ${String(object['apiVersion'])}, the kubeconfig asks for ${plugin.apiVersion}`);
  }
  const status = isObject(object['status']) ? object['status'] : {};
  const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp } = status;
  const hasToken = typeof token === 'string' && token !== '';
  const hasPair = typeof cert === 'string' && cert !== '' && typeof key === 'string' && key !== '';
  if (!hasToken && !hasPair) throw fail('printed an ExecCredential without token and without certificate and key');
  const expires = typeof expirationTimestamp === 'string' ? Date.parse(expirationTimestamp) : Number.NaN;
  return {
    ...(hasToken ? { token } : {}),
    ...(hasPair ? { cert, key } : {}),
    ...(Number.isNaN(expires) ? {} : { expires }),
  };
}

const noKey = new Uint8Array(32);

/** The last line that says something, on one line, for the sentence. */
function said(stderr: string): string {
  const line = stderr
    .split('\n')
    .map((text) => text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').trim())
    .findLast((text) => text !== '');
  return line === undefined ? '' : `: ${redactCredentials(line, noKey).slice(0, 300)}`;
}

function defined(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

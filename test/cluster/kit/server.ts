import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toolPath } from '../../kit/tools.ts';
import { clientOf, type Client } from './client.ts';
import { freePort } from './ports.ts';
import { startProcesses, type Processes, type Started } from './processes.ts';

export interface ServerOptions {
  /** Of kube-apiserver; default 1.34.3. The other one that is built is 1.31.4. */
  readonly version?: string;
  /** Further users besides `admin` (system:masters) and `nobody` (no rights), with their groups. */
  readonly users?: Readonly<Record<string, readonly string[]>>;
  /** More flags of kube-apiserver: `--feature-gates=...`, `--enable-admission-plugins=...`. A flag given here wins. */
  readonly flags?: readonly string[];
  /** Admission plugins that are off; default ServiceAccount, so that pods need no account that a controller creates. */
  readonly disableAdmission?: readonly string[];
  /** Controllers of kube-controller-manager, which runs only then: `['job-controller']`. */
  readonly controllers?: readonly string[];
}

/** A running API server with its etcd. */
export interface Server {
  readonly version: string;
  readonly url: string;
  /** PEM. */
  readonly ca: string;
  /** A folder for the test's own files, removed with the server. */
  readonly folder: string;
  /** Audit log, one JSON event a line: every request at level Metadata. */
  readonly auditLog: string;
  readonly tokens: Readonly<Record<string, string>>;
  readonly processes: { readonly etcd: Started; readonly apiServer: Started; readonly controllerManager?: Started };
  /** Kills the servers and removes the folder. */
  stop(): Promise<void>;
}

const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata' }],
};

/**
 * Starts etcd and kube-apiserver on loopback, and kube-controller-manager when controllers are asked for.
 * @throws Error with the end of the log of what did not start
 */
export async function startServer(options: ServerOptions = {}): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    const processes = startProcesses('cluster');
    try {
      return await start(processes, options);
    } catch (error) {
      await processes.stop();
      // Another test file was quicker to take a port.
      if (attempt >= 3 || !/address already in use/.test(String(error))) throw error;
    }
  }
}

async function start(processes: Processes, options: ServerOptions): Promise<Server> {
  const [etcdFile, apiServerFile] = await Promise.all([toolPath('etcd'), toolPath('kube-apiserver', options.version)]);
  const etcdPort = await freePort();
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const etcd = processes.start('etcd', etcdFile, [
    `--data-dir=${join(processes.folder, 'etcd')}`,
    `--listen-client-urls=${etcdUrl}`,
    `--advertise-client-urls=${etcdUrl}`,
    '--listen-peer-urls=http://127.0.0.1:0',
    '--unsafe-no-fsync',
    '--log-level=warn',
  ]);
  const { flags, tokens, certificates, accountKey } = apiServerSettings(processes.folder, etcdUrl, options);
  const port = await freePort();
  const url = `https://127.0.0.1:${port}`;
  const apiServer = processes.start('kube-apiserver', apiServerFile, [...flags, `--secure-port=${port}`]);
  const admin = { url, token: tokens['admin'] ?? '' };
  // The server makes its certificate when it starts; the file holds it and then the authority that signed it.
  const ca = await until('kube-apiserver', [etcd, apiServer], async () => {
    const file = readFileSync(join(certificates, 'apiserver.crt'), 'utf8');
    const authority = file.slice(file.lastIndexOf('-----BEGIN CERTIFICATE-----'));
    const client = clientOf({ ...admin, ca: authority });
    try {
      return (await isReady(client)) ? authority : undefined;
    } finally {
      client.close();
    }
  });
  const server = {
    version: options.version ?? '1.34.3',
    url,
    ca,
    folder: processes.folder,
    auditLog: join(processes.folder, 'audit.log'),
    tokens,
    stop: () => processes.stop(),
  };
  if (options.controllers === undefined) return { ...server, processes: { etcd, apiServer } };
  const controllerManager = await startControllerManager(processes, server, options.controllers, accountKey);
  return { ...server, processes: { etcd, apiServer, controllerManager } };
}

async function isReady(client: Client): Promise<boolean> {
  if ((await client.request('GET', '/readyz')).status !== 200) return false;
  // Made by a start hook that /readyz does not wait for.
  return (await client.request('GET', '/api/v1/namespaces/default')).status === 200;
}

function apiServerSettings(folder: string, etcdUrl: string, options: ServerOptions) {
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const groups: Record<string, readonly string[]> = { admin: ['system:masters'], nobody: [], ...options.users };
  const tokens = Object.fromEntries(Object.keys(groups).map((name) => [name, randomBytes(24).toString('hex')]));
  const tokenLines = Object.entries(groups).map(
    ([name, of]) => `${tokens[name]},${name},uid-${name}${of.length === 0 ? '' : `,"${of.join(',')}"`}`,
  );
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const accountKey = file('account.key', key.privateKey.export({ type: 'sec1', format: 'pem' }).toString());
  const publicKey = file('account.pub', key.publicKey.export({ type: 'spki', format: 'pem' }).toString());
  const certificates = join(folder, 'certificates');
  mkdirSync(certificates);
  const own = [
    `--etcd-servers=${etcdUrl}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    // Loopback may not be an endpoint of the `kubernetes` Service.
    '--endpoint-reconciler-type=none',
    `--cert-dir=${certificates}`,
    '--service-cluster-ip-range=10.0.0.0/20',
    '--allow-privileged=true',
    '--authorization-mode=RBAC',
    `--token-auth-file=${file('tokens.csv', `${tokenLines.join('\n')}\n`)}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${publicKey}`,
    `--service-account-signing-key-file=${accountKey}`,
    `--disable-admission-plugins=${(options.disableAdmission ?? ['ServiceAccount']).join(',')}`,
    `--audit-policy-file=${file('audit-policy.json', JSON.stringify(auditPolicy))}`,
    `--audit-log-path=${join(folder, 'audit.log')}`,
    '--profiling=false',
  ].filter((flag) => !flag.endsWith('='));
  return { flags: [...own, ...(options.flags ?? [])], tokens, certificates, accountKey };
}

async function startControllerManager(
  processes: Processes,
  server: Pick<Server, 'url' | 'ca' | 'tokens' | 'folder'>,
  controllers: readonly string[],
  accountKey: string,
): Promise<Started> {
  const port = await freePort();
  const kubeconfig = writeKubeconfig(server, 'admin', 'controller-manager.kubeconfig');
  const started = processes.start('kube-controller-manager', await toolPath('kube-controller-manager'), [
    `--kubeconfig=${kubeconfig}`,
    `--controllers=${controllers.join(',')}`,
    `--service-account-private-key-file=${accountKey}`,
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--cert-dir=${join(processes.folder, 'controller-certificates')}`,
    '--authentication-skip-lookup=true',
  ]);
  const client = clientOf({ url: `https://127.0.0.1:${port}` });
  await until('kube-controller-manager', [started], async () =>
    (await client.request('GET', '/healthz')).status === 200 ? true : undefined,
  );
  client.close();
  return started;
}

/** Polls until there is an answer. @throws Error when a process ended, or after a minute */
async function until<T>(what: string, needed: readonly Started[], probe: () => Promise<T | undefined>): Promise<T> {
  const began = Date.now();
  for (;;) {
    const answer = await probe().catch(() => undefined);
    if (answer !== undefined) return answer;
    const ended = needed.find((process) => !process.isRunning());
    if (ended !== undefined) throw new Error(`${what} does not start:\n${ended.log()}`);
    if (Date.now() - began > 60_000) {
      throw new Error(`${what} is not ready after a minute:\n${needed.map((process) => process.log()).join('\n')}`);
    }
    await new Promise((next) => setTimeout(next, 100));
  }
}

/**
 * Writes a kubeconfig for one user, with one context `test`.
 * @param file name in the server's folder
 * @returns its path
 */
export function writeKubeconfig(
  server: Pick<Server, 'url' | 'ca' | 'tokens' | 'folder'>,
  user: string,
  file = `${user}.kubeconfig`,
): string {
  const token = server.tokens[user];
  if (token === undefined) throw new Error(`the server has no user ${user}`);
  const path = join(server.folder, file);
  const content = kubeconfig({ url: server.url, ca: server.ca, token });
  writeFileSync(path, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  return path;
}

/** A kubeconfig (JSON is YAML) with one context, `test`. */
export function kubeconfig(to: { readonly url: string; readonly ca: string; readonly token: string }): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'test',
        cluster: { server: to.url, 'certificate-authority-data': Buffer.from(to.ca).toString('base64') },
      },
    ],
    users: [{ name: 'test', user: { token: to.token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  };
}

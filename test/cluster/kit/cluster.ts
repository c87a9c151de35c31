import { execFile } from 'node:child_process';
import { afterAll, beforeAll } from 'vitest';
import { hasTool, toolPath, type ToolName } from '../../kit/tools.ts';
import { readAudit, type AuditEvent } from './audit.ts';
import { clientOf, type Answer, type Client, type RequestOptions } from './client.ts';
import { objectsOf, pathOf, type TestObject } from './objects.ts';
import { startServer, writeKubeconfig, type Server, type ServerOptions } from './server.ts';

/** A running server as tests use it. Everything acts as `admin` unless another user is named. */
export interface TestCluster extends Server {
  /** Path of a kubeconfig with one context, `test`, for one of the server's users. */
  kubeconfigFor(user: string): string;
  request(method: string, path: string, body?: unknown, options?: RequestOptions & AsUser): Promise<Answer>;
  /** Server-side apply of objects, or of YAML documents; gives them as the server answers. @throws Error with its message */
  apply(what: string | TestObject | readonly TestObject[], options?: ApplyOptions): Promise<readonly TestObject[]>;
  /** POST. @throws Error with the server's message */
  create(what: string | TestObject | readonly TestObject[], options?: AsUser): Promise<readonly TestObject[]>;
  /** PATCH of the status subresource (merge patch). @throws Error with the server's message */
  setStatus(object: TestObject, status: object): Promise<void>;
  /** The object as it is now, or undefined. */
  get(object: TestObject): Promise<TestObject | undefined>;
  /** Deletes without grace; what is not there is fine. */
  remove(what: string | TestObject | readonly TestObject[]): Promise<void>;
  /** Runs the real kubectl. Never throws for its exit code. */
  kubectl(args: readonly string[], options?: AsUser & { readonly input?: string }): Promise<Ended>;
  /** All requests so far, in the order in which they were answered. */
  audit(): Promise<readonly AuditEvent[]>;
  /** A token of a ServiceAccount that exists. */
  accountToken(namespace: string, name: string): Promise<string>;
}

export interface AsUser {
  readonly user?: string;
}

export interface ApplyOptions extends AsUser {
  /** Default `test`. */
  readonly fieldManager?: string;
  /** Default true. */
  readonly force?: boolean;
  /** For objects that name none; default `default`. */
  readonly namespace?: string;
}

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Are the programs there? With `CI` set a missing one fails instead of skipping. For `describe.skipIf(!...)`. */
export async function hasCluster(options: ServerOptions = {}): Promise<boolean> {
  const needed: (readonly [ToolName, string?])[] = [
    ['etcd'],
    ['kube-apiserver', options.version ?? '1.34.3'],
    ['kubectl'],
  ];
  if (options.controllers !== undefined) needed.push(['kube-controller-manager']);
  for (const [name, version] of needed) if (!(await hasTool(name, version))) return false;
  return true;
}

/**
 * Starts a server before the tests of the surrounding `describe` (or file) and stops it after them.
 * @returns to be called inside tests and hooks
 */
export function useCluster(options: ServerOptions = {}): () => TestCluster {
  let cluster: TestCluster | undefined;
  beforeAll(async () => {
    cluster = await startCluster(options);
  }, 120_000);
  afterAll(async () => {
    await cluster?.stop();
  });
  return () => {
    if (cluster === undefined) throw new Error('the server runs only inside tests and hooks');
    return cluster;
  };
}

/** As {@link startServer}, with the helpers. The caller stops it. */
export async function startCluster(options: ServerOptions = {}): Promise<TestCluster> {
  const server = await startServer(options);
  const kubectlFile = await toolPath('kubectl');
  const clients = new Map<string, Client>();
  const client = (user = 'admin'): Client => {
    let known = clients.get(user);
    if (known === undefined) {
      const token = server.tokens[user];
      if (token === undefined) throw new Error(`the server has no user ${user}`);
      clients.set(user, (known = clientOf({ url: server.url, ca: server.ca, token })));
    }
    return known;
  };
  const request: TestCluster['request'] = (method, path, body, sent) =>
    client(sent?.user).request(method, path, body, sent);
  const url = (object: TestObject, part?: 'collection') => pathOf(request, object, part);
  const demand = (answer: Answer, what: string): TestObject => {
    if (answer.status >= 300)
      throw new Error(`${what}: ${answer.status} ${String(answer.body?.message ?? answer.body)}`);
    return answer.body as TestObject;
  };
  const nameOf = (object: TestObject) => `${object.kind} ${object.metadata.name}`;

  return {
    ...server,
    request,
    kubeconfigFor: (user) => writeKubeconfig(server, user),
    async apply(what, { user, fieldManager = 'test', force = true, namespace } = {}) {
      const applied: TestObject[] = [];
      for (const object of objectsOf(what, namespace)) {
        const path = `${await url(object)}?fieldManager=${encodeURIComponent(fieldManager)}&force=${force}`;
        const answer = await request('PATCH', path, object, {
          contentType: 'application/apply-patch+yaml',
          ...(user === undefined ? {} : { user }),
        });
        applied.push(demand(answer, `apply of ${nameOf(object)}`));
      }
      return applied;
    },
    async create(what, sent) {
      const created: TestObject[] = [];
      for (const object of objectsOf(what)) {
        const answer = await request('POST', await url(object, 'collection'), object, sent);
        created.push(demand(answer, `creation of ${nameOf(object)}`));
      }
      return created;
    },
    async setStatus(object, status) {
      const contentType = 'application/merge-patch+json';
      const answer = await request('PATCH', `${await url(object)}/status`, { status }, { contentType });
      demand(answer, `status of ${nameOf(object)}`);
    },
    async get(object) {
      const answer = await request('GET', await url(object));
      return answer.status === 404 ? undefined : demand(answer, nameOf(object));
    },
    async remove(what) {
      for (const object of objectsOf(what)) {
        const answer = await request('DELETE', await url(object), { gracePeriodSeconds: 0 });
        if (answer.status !== 404) demand(answer, `deletion of ${nameOf(object)}`);
      }
    },
    kubectl: (args, { user = 'admin', input } = {}) =>
      new Promise((resolve) => {
        const config = writeKubeconfig(server, user);
        const all = [`--kubeconfig=${config}`, `--cache-dir=${server.folder}/kubectl-cache`, ...args];
        const child = execFile(kubectlFile, all, { maxBuffer: 1 << 30 }, (error, stdout, stderr) =>
          resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, stdout, stderr }),
        );
        child.stdin?.end(input ?? '');
      }),
    audit: () => readAudit(server.auditLog, request),
    async accountToken(namespace, name) {
      const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
      const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
      const answer = await request('POST', path, body);
      if (answer.status >= 300) throw new Error(`token of ${namespace}/${name}: ${String(answer.body?.message)}`);
      return String(answer.body.status.token);
    },
    async stop() {
      for (const open of clients.values()) open.close();
      await server.stop();
    },
  };
}

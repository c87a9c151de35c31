import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { GateError, messageOf } from '../../core/errors.ts';
import { isObject } from '../../core/json.ts';
import type { Json, JsonObject } from '../../core/model.ts';
import { closest } from '../../core/suggest.ts';
import { readDocuments } from '../../core/yaml/read.ts';
import { readCluster, readUser, type ConnectionConfig } from './kubeconfig-entry.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where a connection may come from. */
export interface KubeconfigChoice {
  /** `--kubeconfig`. Absent: `$KUBECONFIG`, else `~/.kube/config`, else the service account of the pod. */
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly environment: Environment;
  /** Default: where Kubernetes mounts it, `/var/run/secrets/kubernetes.io/serviceaccount`. */
  readonly serviceAccountFolder?: string;
}

/**
 * Finds and reads the kubeconfig as kubectl does (client-go tools/clientcmd/loader.go): the files of `$KUBECONFIG` are
 * merged, the first that names a context, cluster or user wins, and files that do not exist are passed over. Nothing in
 * the working directory is looked at: a repository under judgement must not choose the cluster.
 * @throws GateError kubeconfig.none, kubeconfig.missing, kubeconfig.bad, kubeconfig.unknown-context
 */
export function readKubeconfig(choice: KubeconfigChoice): ConnectionConfig {
  const { files, origin } = candidates(choice);
  const present = files.filter((file) => existsSync(file));
  if (choice.kubeconfig !== undefined && present.length === 0) throw missing(choice.kubeconfig);
  const merged = merge(present.map((file) => ({ file, value: parse(file) })));
  if (merged.contexts.size > 0) return select(merged, choice.context, origin);
  const inCluster = readServiceAccount(choice);
  if (inCluster === undefined) throw nothingFound(files, origin);
  if (choice.context !== undefined) throw unknownContext(choice.context, [], origin);
  return inCluster;
}

function candidates(choice: KubeconfigChoice): { readonly files: readonly string[]; readonly origin: string } {
  const { kubeconfig, environment } = choice;
  if (kubeconfig !== undefined) return { files: [resolve(kubeconfig)], origin: kubeconfig };
  const list = (environment['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
  if (list.length > 0) return { files: list.map((file) => resolve(file)), origin: '$KUBECONFIG' };
  const home = environment['HOME'] || homedir();
  return { files: [join(home, '.kube', 'config')], origin: '~/.kube/config' };
}

interface Entry {
  readonly file: string;
  readonly value: JsonObject;
}

interface Merged {
  readonly contexts: ReadonlyMap<string, Entry>;
  readonly clusters: ReadonlyMap<string, Entry>;
  readonly users: ReadonlyMap<string, Entry>;
  readonly current: string | undefined;
}

function merge(files: readonly Entry[]): Merged {
  const named = (list: string, member: string): Map<string, Entry> => {
    const found = new Map<string, Entry>();
    for (const { file, value } of files) {
      const items = value[list];
      for (const item of Array.isArray(items) ? items : []) {
        if (!isObject(item) || typeof item['name'] !== 'string') throw bad(file, `an entry of ${list} has no name`);
        const inner = item[member];
        if (!found.has(item['name'])) found.set(item['name'], { file, value: isObject(inner) ? inner : {} });
      }
    }
    return found;
  };
  const current = files
    .map(({ value }) => value['current-context'])
    .find((name) => typeof name === 'string' && name !== '');
  return {
    contexts: named('contexts', 'context'),
    clusters: named('clusters', 'cluster'),
    users: named('users', 'user'),
    current: current as string | undefined,
  };
}

function parse(file: string): JsonObject {
  let documents: { readonly value: Json }[];
  try {
    documents = readDocuments(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw bad(file, messageOf(cause), cause);
  }
  const [first] = documents;
  if (first === undefined || first.value === null) return {};
  if (documents.length > 1 || !isObject(first.value)) throw bad(file, 'it is no single YAML mapping');
  return first.value;
}

function select(merged: Merged, wanted: string | undefined, origin: string): ConnectionConfig {
  const names = [...merged.contexts.keys()];
  const contextName = wanted ?? merged.current;
  if (contextName === undefined) {
    throw new GateError({
      code: 'kubeconfig.unknown-context',
      message: `The kubeconfig (${origin}) has no current context`,
      fault: 'user',
      next: `Name one with --context: ${names.join(', ')}.`,
    });
  }
  const context = merged.contexts.get(contextName);
  if (context === undefined) throw unknownContext(contextName, names, origin);
  const clusterName = context.value['cluster'];
  const cluster = typeof clusterName === 'string' ? merged.clusters.get(clusterName) : undefined;
  if (cluster === undefined) {
    throw bad(
      context.file,
      `the context ${contextName} names the cluster ${JSON.stringify(clusterName ?? '')}, which is not defined`,
    );
  }
  const userName = context.value['user'];
  const user = typeof userName === 'string' ? merged.users.get(userName) : undefined;
  if (user === undefined && typeof userName === 'string' && userName !== '') {
    throw bad(
      context.file,
      `the context ${contextName} names the user ${JSON.stringify(userName)}, which is not defined`,
    );
  }
  return {
    context: contextName,
    ...readCluster(cluster.value, dirname(cluster.file), (why) => bad(cluster.file, why)),
    user:
      user === undefined ? { impersonate: {} } : readUser(user.value, dirname(user.file), (why) => bad(user.file, why)),
  };
}

/** In a pod: client-go rest.InClusterConfig. */
function readServiceAccount(choice: KubeconfigChoice): ConnectionConfig | undefined {
  const folder = choice.serviceAccountFolder ?? '/var/run/secrets/kubernetes.io/serviceaccount';
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = choice.environment;
  const tokenFile = join(folder, 'token');
  if (!host || !port || !existsSync(tokenFile)) return undefined;
  const ca = join(folder, 'ca.crt');
  return {
    context: 'in-cluster',
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    insecure: false,
    ...(existsSync(ca) ? { ca: readFileSync(ca) } : {}),
    user: { tokenFile, impersonate: {} },
  };
}

function missing(file: string): GateError {
  return new GateError({
    code: 'kubeconfig.missing',
    message: `There is no kubeconfig ${file}`,
    fault: 'user',
    next: 'Check the path given with --kubeconfig.',
  });
}

function nothingFound(files: readonly string[], origin: string): GateError {
  const where = origin === '$KUBECONFIG' ? `$KUBECONFIG (${files.join(', ')})` : origin;
  return new GateError({
    code: 'kubeconfig.none',
    message: `No cluster is configured: ${where} names none, and this is no pod with a service account`,
    fault: 'user',
    next: 'Set KUBECONFIG or name the file with --kubeconfig; without access to a cluster, use --snapshot.',
  });
}

function unknownContext(name: string, known: readonly string[], origin: string): GateError {
  const near = closest(name, known);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  return new GateError({
    code: 'kubeconfig.unknown-context',
    message: `The kubeconfig (${origin}) has no context ${name}${hint}`,
    fault: 'user',
    next:
      known.length === 0
        ? 'Leave out --context to use the service account of the pod.'
        : `It has: ${known.join(', ')}.`,
  });
}

function bad(file: string, why: string, cause?: unknown): GateError {
  return new GateError({
    code: 'kubeconfig.bad',
    message: `The kubeconfig ${file} cannot be used: ${why}`,
    fault: 'user',
    next: 'Check it with `kubectl config view`.',
    cause,
  });
}

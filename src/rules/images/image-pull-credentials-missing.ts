import { Type } from 'typebox';
import type { Confidence, Severity } from '../../core/model.ts';
import { defineRule, type LiveWorld, type Problem, type RuleContext, type World } from '../../core/rule.ts';
import { viewOf, type ClusterView } from '../kit/cluster-view.ts';
import { parseImage } from '../kit/image-reference.ts';
import { declarationKinds } from '../kit/live-kinds.ts';
import { getOrMake, memo } from '../kit/memo.ts';
import { containersOf, listAt, workloads, type WorkloadEntry } from '../kit/pods.ts';
import { escapePointer } from '../../core/json.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import {
  accountOf,
  attachedSecrets,
  coversHost,
  hasNodeCredentials,
  isPublicHost,
  secretState,
  type AttachedSecret,
  type SecretState,
} from '../kit/pull-secrets.ts';
import { counterpart } from '../kit/touched.ts';
import { unseenFact } from '../kit/unseen.ts';
import { examples } from './examples/image-pull-credentials-missing.ts';

/** A registry host that the containers of a workload pull from, and the first container that does. */
type Hosts = ReadonlyMap<string, string>;

interface Attached extends AttachedSecret {
  readonly state: SecretState;
}

function hostsOf({ template }: WorkloadEntry): Hosts {
  const hosts = new Map<string, string>();
  for (const { container, path } of containersOf(template)) {
    const host = typeof container.image === 'string' ? parseImage(container.image)?.host : undefined;
    if (host !== undefined && !hosts.has(host)) hosts.set(host, `${path}/image`);
  }
  return hosts;
}

function* check(context: RuleContext): Iterable<Problem> {
  const before = new Map(workloads(context.before).map((item) => [item.entry, item]));
  for (const workload of workloads(context.after)) {
    const { entry } = workload;
    const scope = entry.target.scope;
    const namespace = entry.ref.namespace ?? 'default';
    const previousEntry = counterpart(context.before, entry);
    const previous = previousEntry === undefined ? undefined : before.get(previousEntry);
    const hosts = hostsOf(workload);
    // Nothing to judge without credentials on either side for registries that anybody may pull from.
    const after = attach(viewOf(context, 'after', scope), scope, namespace, workload);
    const old = previous === undefined ? [] : attach(viewOf(context, 'before', scope), scope, namespace, previous);
    yield* lostSecrets(context, workload, hosts, after, old, previous);
    yield* uncoveredHosts(context, workload, hosts, after, old, previous);
  }
}

function attach(view: ClusterView, scope: string, namespace: string, { template }: WorkloadEntry): readonly Attached[] {
  return attachedSecrets(view, namespace, template).map((secret) => ({
    ...secret,
    state: secretState(view, scope, namespace, secret.name),
  }));
}

const isUsable = ({ state }: Attached) => state.kind === 'present' || state.kind === 'unknown';

/** A secret that is still named is removed, absent or of a type that the kubelet does not read. */
function* lostSecrets(
  context: RuleContext,
  workload: WorkloadEntry,
  hosts: Hosts,
  after: readonly Attached[],
  old: readonly Attached[],
  previous: WorkloadEntry | undefined,
): Iterable<Problem> {
  const usable = after.filter(isUsable);
  for (const secret of after) {
    if (isUsable(secret)) continue;
    const was = old.find(({ name }) => name === secret.name);
    if (was !== undefined && !isUsable(was)) continue;
    const needing = [...hosts.keys()].filter(
      (host) =>
        !usable.some(
          ({ state }) =>
            state.kind === 'unknown' ||
            (state.kind === 'present' && (state.hosts === undefined || coversHost(state.hosts, host))),
        ),
    );
    if (needing.length === 0) continue;
    if (needing.every((host) => pulledWithout(context, workload.entry.target.scope, host))) continue;
    const { entry, template } = workload;
    const onlyPublic = needing.every(isPublicHost);
    const judged = lossOf(secret.state);
    yield problemAt(
      entry,
      secret.from === 'pod'
        ? `${template.path}/imagePullSecrets/${escapePointer(secret.name)}`
        : `${template.path}/serviceAccountName`,
      {
        message: `${formatRef(entry.ref)} pulls from ${needing.join(', ')} with Secret ${secret.name}${secret.from === 'ServiceAccount' ? ` of ServiceAccount ${accountOf(template)}` : ''}, which ${judged.text}: new pods pull without credentials${onlyPublic ? '' : ' and stay in ImagePullBackOff'}.`,
        severity: severityOf(onlyPublic),
        confidence: onlyPublic && judged.confidence === 'determined' ? 'likely' : judged.confidence,
        novelty: previous === undefined || was === undefined ? 'introduced' : 'worsened',
        rootCause: `pull-secret:${entry.target.scope}:${entry.ref.namespace ?? 'default'}/${secret.name}`,
        fix: judged.fix(secret.name, entry.ref.namespace ?? 'default'),
        evidence: { after: needing, facts: [...judged.facts, ...considered(after), ...cacheFact(context, workload)] },
      },
    );
  }
}

function severityOf(onlyPublic: boolean): Severity {
  return onlyPublic ? 'medium' : 'high';
}

function lossOf(state: SecretState): {
  text: string;
  confidence: Confidence;
  facts: readonly string[];
  fix: (name: string, namespace: string) => string;
} {
  if (state.kind === 'removed') {
    return {
      text: 'this change removes',
      confidence: state.sure ? 'determined' : 'likely',
      facts: [state.why],
      fix: (name, namespace) =>
        `Keep Secret ${namespace}/${name} until no pod names it, or name the secret that replaces it in imagePullSecrets.`,
    };
  }
  if (state.kind === 'wrong-type') {
    return {
      text: `has type ${state.type}, which the kubelet does not read as registry credentials`,
      confidence: 'determined',
      facts: ['the kubelet reads kubernetes.io/dockerconfigjson and kubernetes.io/dockercfg only'],
      fix: (name, namespace) =>
        `Create Secret ${namespace}/${name} with type kubernetes.io/dockerconfigjson (the type of an existing Secret cannot be changed).`,
    };
  }
  return {
    text: 'does not exist in the namespace',
    confidence: 'proven',
    facts: ['it is neither in Git nor in the cluster'],
    fix: (name, namespace) =>
      `Create Secret ${namespace}/${name} of type kubernetes.io/dockerconfigjson, or name an existing one.`,
  };
}

/** A registry that needs credentials is new to the workload, or its credentials are no longer attached. */
function* uncoveredHosts(
  context: RuleContext,
  workload: WorkloadEntry,
  hosts: Hosts,
  after: readonly Attached[],
  old: readonly Attached[],
  previous: WorkloadEntry | undefined,
): Iterable<Problem> {
  const { entry, template } = workload;
  const scope = entry.target.scope;
  if (after.some(({ state }) => !isUsable({ name: '', from: 'pod', state }))) return;
  const oldHosts = previous === undefined ? new Map<string, string>() : hostsOf(previous);
  for (const [host, path] of hosts) {
    if (isPublicHost(host) || isCovered(after, host) || pulledWithout(context, scope, host)) continue;
    const isNew = !oldHosts.has(host);
    const lost = !isNew && isCovered(old, host);
    if (!isNew && !lost) continue;
    const custom = usersWithSecrets(context.before).get(`${scope}\u0000${host}`);
    if (isNew && hasNodeCredentials(host) && custom === undefined) continue;
    // A first deployment into a cluster that Git shows nothing else of: there is nothing to learn from.
    if (isNew && custom === undefined && previous === undefined && !usage(context.before).scopes.has(scope)) continue;
    const confidence: Confidence = lost || custom !== undefined || after.length > 0 ? 'likely' : 'hint';
    const unseen = unseenFact(context.after, scope, entry.ref.namespace);
    const account = accountOf(template);
    yield problemAt(entry, lost ? `${template.path}/imagePullSecrets` : path, {
      message: lost
        ? `${formatRef(entry.ref)} pulls from ${host} and no pull secret is attached any more (it was ${old.map(({ name }) => name).join(', ')}): new pods stay in ImagePullBackOff unless the nodes have credentials.`
        : `${formatRef(entry.ref)} pulls from ${host}${previous === undefined ? '' : ', which is new for it,'} and ${after.length === 0 ? 'has no pull secret' : `its pull secrets (${after.map(({ name }) => name).join(', ')}) do not cover that host`}: ${confidence === 'hint' ? 'if that registry is private, pods stay in ImagePullBackOff' : 'pods stay in ImagePullBackOff unless the nodes have credentials'}.`,
      confidence,
      fix: `Attach a Secret of type kubernetes.io/dockerconfigjson for ${host} to ${formatRef(entry.ref)} (imagePullSecrets) or to ServiceAccount ${account}${custom === undefined ? '' : `, as ${custom} does`}.`,
      evidence: {
        before: lost ? old.map(({ name }) => name) : [...oldHosts.keys()],
        after: lost ? [] : host,
        facts: [
          ...considered(after),
          ...(custom === undefined ? [] : [`${custom} pulls from ${host} with a pull secret`]),
          ...(viewOf(context, 'after', scope).get('', 'ServiceAccount', entry.ref.namespace ?? 'default', account) ===
          undefined
            ? [`ServiceAccount ${account} is in no manifest; it may have pull secrets of its own`]
            : []),
          ...(unseen === undefined ? [] : [unseen]),
          ...cacheFact(context, workload),
        ],
        wouldChange: 'With live pods: one that pulls from this host without a secret clears it.',
      },
    });
  }
}

function isCovered(attached: readonly Attached[], host: string): boolean {
  return attached.some(
    ({ state }) =>
      state.kind === 'unknown' ||
      (state.kind === 'present' && (state.hosts === undefined || coversHost(state.hosts, host))),
  );
}

function considered(attached: readonly Attached[]): readonly string[] {
  return attached.map(({ name, from, state }) => {
    const hosts =
      state.kind === 'present'
        ? state.hosts === undefined
          ? 'hosts not readable'
          : `covers ${state.hosts.join(', ')}`
        : state.kind;
    return `Secret ${name} (from the ${from}): ${hosts}`;
  });
}

function cacheFact(context: RuleContext, { entry }: WorkloadEntry): readonly string[] {
  const version = /^v?(\d+)\.(\d+)/.exec(context.kubernetesVersion(entry.target) ?? '');
  const recent = version !== null && (Number(version[1]) > 1 || Number(version[2]) >= 35);
  return recent
    ? [
        'from Kubernetes 1.35 on the kubelet checks credentials for images on the node as well (KubeletEnsureSecretPulledImages)',
      ]
    : [];
}

/** Hosts that workloads of a side pull from without any secret (by scope), and workloads that use one (first of each host). */
const usage = memo((world: World) => {
  const without = new Set<string>();
  const scopes = new Set<string>();
  const withSecret = new Map<string, string>();
  for (const workload of workloads(world)) {
    const { entry, template } = workload;
    const scope = entry.target.scope;
    scopes.add(scope);
    const account = world.get(scope, '', 'ServiceAccount', entry.ref.namespace, accountOf(template));
    const secrets =
      listAt(template.spec, 'imagePullSecrets').length + listAt(account?.effective, 'imagePullSecrets').length;
    for (const host of hostsOf(workload).keys()) {
      if (secrets === 0) without.add(`${scope}\u0000${host}`);
      else getOrMake(withSecret, `${scope}\u0000${host}`, () => formatRef(entry.ref));
    }
  }
  return { without, withSecret, scopes };
});

const usersWithSecrets = (world: World) => usage(world).withSecret;

/** Hosts that running pods pull from without any secret. */
const liveWithout = memo((live: LiveWorld) => {
  const hosts = new Set<string>();
  for (const pods of live.pods()) {
    if (pods.pullSecrets.length > 0) continue;
    for (const { images } of pods.containers) {
      for (const { image, running } of images) {
        const host = running === 0 ? undefined : parseImage(image)?.host;
        if (host !== undefined) hosts.add(host);
      }
    }
  }
  return hosts;
});

/** Something pulls from this host without a secret already: the nodes have credentials, or none are needed. */
function pulledWithout(context: RuleContext, scope: string, host: string): boolean {
  const live = context.live(scope);
  return (
    usage(context.before).without.has(`${scope}\u0000${host}`) || (live !== undefined && liveWithout(live).has(host))
  );
}

export default defineRule({
  id: 'image-pull-credentials-missing',
  since: '0.1.0',
  family: 'Images and pulls',
  title: 'Image pull credentials missing',
  severity: 'high',
  reversibility: 'instant',
  confidence: 'likely',
  needs: 'joined',
  kinds: [
    'apps/Deployment',
    'apps/StatefulSet',
    'apps/DaemonSet',
    'batch/Job',
    'batch/CronJob',
    '/Pod',
    '/ServiceAccount',
    '/Secret',
  ],
  live: ['/Pod', '/Secret', '/ServiceAccount'],
  liveOf: declarationKinds,
  summary: 'Pods pull from a private registry and no pull secret that covers it is attached, or it is being removed.',
  docs: {
    why: 'A pod pulls with the secrets in its `imagePullSecrets`, or with those of its ServiceAccount when it has none. A secret that is missing or of another type is skipped without an error; the pull is then anonymous, and the kubelet reports ImagePullBackOff only when a pod starts on a node that does not have the image. So the sync is green and the next reschedule fails. From Kubernetes 1.35 on the kubelet checks the credentials for images that are on the node, too.',
    fix: 'Attach a `kubernetes.io/dockerconfigjson` Secret for the registry to the pod or its ServiceAccount in every namespace that needs it, or give the nodes credentials through a kubelet credential provider.',
    ignoreWhen: 'The nodes have credentials for the registry, or it serves images to anybody.',
  },
  references: [
    'https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/',
    'k8s.io/kubernetes pkg/features (KubeletEnsureSecretPulledImages)',
    'Ministry of Justice Cloud Platform, incident of 2023-01-11',
  ],
  options: Type.Object({}),
  examples,
  check,
});

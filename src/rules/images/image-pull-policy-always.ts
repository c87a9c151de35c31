import { Type } from 'typebox';
import type { Confidence, Entry, KubeObject, Reversibility, Severity } from '../../core/model.ts';
import { defineRule, type LiveWorld, type Problem, type RuleContext } from '../../core/rule.ts';
import { imageOf, podChange, type ContainerPair } from '../kit/container-pairs.ts';
import { effectiveTag, formatImage } from '../kit/image-reference.ts';
import { containersOf, desiredPods, podTemplate } from '../kit/pods.ts';
import { podsOf } from '../kit/live-pods.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { scalerFor } from '../kit/scalers.ts';
import { examples } from './examples/image-pull-policy-always.ts';

interface Options {
  readonly manyPods: number;
}

/** Containers that the pod's traffic or secrets go through: without them nothing in the pod works. */
const criticalSidecars =
  /^(istio-proxy|istio-init|linkerd-proxy|linkerd-init|envoy|envoy-sidecar|consul-dataplane|daprd|vault-agent(-init)?|cloud-?sql-proxy|kuma-sidecar|oauth2?-proxy)$/;

function* check(context: RuleContext<Options>): Iterable<Problem> {
  for (const change of context.changes) {
    const pods = podChange(change);
    if (pods === undefined) continue;
    const live = context.live(pods.after.target.scope);
    const found = pods.pairs.flatMap((pair) => {
      const reason = becomesAlways(pods.before, pods.after, pair, live);
      return reason === undefined ? [] : [{ pair, ...reason }];
    });
    const [first] = found;
    if (first === undefined) continue;
    yield report(context, pods.after, found, live);
  }
}

interface Reason {
  readonly confidence: Confidence;
  /** Completes "…, because". */
  readonly because: string;
}

function becomesAlways(
  before: Entry,
  after: Entry,
  { before: old, after: now }: ContainerPair,
  live: LiveWorld | undefined,
): Reason | undefined {
  if (old.container.imagePullPolicy === 'Always' || now.container.imagePullPolicy !== 'Always') return undefined;
  if (policyAsWritten(after, now.container.name) !== undefined)
    return { confidence: 'determined', because: 'imagePullPolicy: Always is set' };
  const image = imageOf(now);
  const tag = image === undefined ? 'latest' : (effectiveTag(image) ?? 'latest');
  const because = `the tag is ${image?.tag === undefined ? 'gone' : tag}, for which the API server fills in Always`;
  if (policyAsWritten(before, old.container.name) !== undefined)
    return { confidence: 'determined', because: `imagePullPolicy is no longer set and ${because}` };
  if (after.target.apply.replace === true) return { confidence: 'determined', because };
  // The default was stored when the object was created; changing the image alone leaves it as it is.
  const stored = livePolicy(live, after, now.container.name);
  if (stored !== undefined) return stored === 'Always' ? { confidence: 'proven', because } : undefined;
  return {
    confidence: 'likely',
    because: `${because} whenever the object is created anew (the existing object keeps the policy that it was created with)`,
  };
}

/** The policy in the manifest itself, before defaults. */
function policyAsWritten(entry: Entry, name: string): string | undefined {
  const template = podTemplate(entry.object);
  return template === undefined ? undefined : policyIn(entry.object, name);
}

function policyIn(object: KubeObject, name: string): string | undefined {
  const template = podTemplate(object);
  if (template === undefined) return undefined;
  return containersOf(template).find(({ container }) => container.name === name)?.container.imagePullPolicy;
}

function livePolicy(live: LiveWorld | undefined, entry: Entry, name: string): string | undefined {
  const { group, kind, namespace } = entry.ref;
  const object = live?.get(group, kind, namespace, entry.ref.name);
  return object === undefined ? undefined : policyIn(object, name);
}

function report(
  context: RuleContext<Options>,
  after: Entry,
  found: readonly ({ readonly pair: ContainerPair } & Reason)[],
  live: LiveWorld | undefined,
): Problem {
  const first = found[0]!;
  const daemon = after.ref.kind === 'DaemonSet';
  const running = livePods(live, after);
  const nodes = live?.covers('', 'Node') === true ? live.ofKind('', 'Node').length : undefined;
  const pods =
    running?.count ?? (daemon ? nodes : (scalerFor(context.after, after)?.max ?? desiredPods(after.effective)));
  const sidecar = found.some(({ pair }) => criticalSidecars.test(pair.name));
  const severity: Severity = daemon || sidecar || (pods ?? 0) > context.options.manyPods ? 'high' : 'medium';
  const counted = running !== undefined || (daemon && nodes !== undefined);
  const confidence: Confidence = first.confidence === 'determined' && counted ? 'proven' : first.confidence;
  const reversibility: Reversibility = daemon && counted ? 'slow' : 'instant';
  const images = found.map(({ pair }) => imageOf(pair.after)).filter((image) => image !== undefined);
  const hosts = [...new Set(images.map(({ host }) => host))];
  const names = found.map(({ pair }) => pair.name);
  return problemAt(after, `${first.pair.after.path}/imagePullPolicy`, {
    message: `Container ${names.join(', ')} of ${formatRef(after.ref)} is pulled at every start from now on, because ${first.because}: each restart${pods === undefined ? '' : ` of its ${pods} pods`} then depends on ${hosts.join(', ') || 'the registry'}, so a crash during a registry outage or rate limit becomes ImagePullBackOff.`,
    severity,
    confidence,
    reversibility,
    rootCause: `pull-policy:${after.target.id}:${first.because.startsWith('imagePullPolicy: Always') ? 'set' : 'default'}`,
    fix:
      images[0] !== undefined && (effectiveTag(images[0]) ?? '') === 'latest'
        ? `Pin ${formatImage(images[0])} to a version or digest and set imagePullPolicy: IfNotPresent on container ${names[0]} of ${formatRef(after.ref)}.`
        : `Set imagePullPolicy: IfNotPresent on container ${names.join(', ')} of ${formatRef(after.ref)}; its image is pinned by ${images[0]?.digest === undefined ? 'a tag' : 'a digest'} already.`,
    evidence: {
      before: first.pair.before.container.imagePullPolicy ?? null,
      after: 'Always',
      ...(running === undefined ? {} : { live: { pods: running.count, restarts: running.restarts } }),
      facts: [
        ...images.slice(0, 3).map((image) => `image ${formatImage(image)}`),
        ...(daemon ? [`a DaemonSet starts on every node${nodes === undefined ? '' : `: ${nodes} nodes`}`] : []),
        ...(running === undefined || running.restarts === 0
          ? []
          : [`its pods restarted ${running.restarts} times so far; each restart is one more pull`]),
      ],
      ...(live === undefined
        ? {
            wouldChange:
              'With live pods, nodes and workloads: more than 50 pods make it high, a stored policy of IfNotPresent clears a flipped default.',
          }
        : {}),
    },
  });
}

function livePods(live: LiveWorld | undefined, after: Entry): { count: number; restarts: number } | undefined {
  if (live?.covers('', 'Pod', after.ref.namespace ?? 'default') !== true) return undefined;
  const found = podsOf(live, after);
  if (found.length === 0) return undefined;
  const restarts = found
    .flatMap(({ containers }) => containers)
    .reduce((sum, container) => sum + (container.init === true ? 0 : container.restarts), 0);
  const ended = found.reduce((sum, pods) => sum + (pods.phases['Succeeded'] ?? 0), 0);
  return { count: found.reduce((sum, pods) => sum + pods.total, 0) - ended, restarts };
}

export default defineRule<Options>({
  id: 'image-pull-policy-always',
  since: '0.1.0',
  family: 'Images and pulls',
  title: 'Image pull policy always',
  severity: 'medium',
  reversibility: 'instant',
  confidence: 'determined',
  needs: 'single',
  kinds: ['apps/Deployment', 'apps/StatefulSet', 'apps/DaemonSet', 'batch/CronJob', '/Pod', '/Node'],
  live: ['/Node', '/Pod'],
  summary: 'The effective imagePullPolicy becomes Always, so every restart needs the registry.',
  docs: {
    why: 'With `imagePullPolicy: Always` the kubelet asks the registry at every container start, also when the image is on the node. An out-of-memory kill, a crash or a reboot during a registry, DNS or credential outage, or above a rate limit, then leaves the pod in ImagePullBackOff although nothing else is wrong. On a DaemonSet a node pool that comes back asks for every node at once. The policy also becomes Always without being written: that is the default for the tag `latest` and for no tag at all, filled in when an object is created (`SetDefaults_Container`); a policy that is no longer written goes back to that default.',
    fix: 'Pin the image by version or digest and set `imagePullPolicy: IfNotPresent`. Use the AlwaysPullImages admission plugin only where tenants must not share pulled images.',
    ignoreWhen: 'The tag is meant to move and the newest image is needed at each start; better pin it then.',
  },
  references: [
    'https://kubernetes.io/docs/concepts/containers/images/#image-pull-policy',
    'k8s.io/kubernetes pkg/apis/core/v1/defaults.go',
    'GitHub, incident of 2020-07-13',
  ],
  options: Type.Object({
    manyPods: Type.Number({ default: 50, minimum: 1, description: 'More pods than this make the finding high.' }),
  }),
  examples,
  check,
});

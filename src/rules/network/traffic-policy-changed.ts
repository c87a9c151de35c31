import { Type } from 'typebox';
import type { Entry } from '../../core/model.ts';
import { defineRule, type Problem, type RuleContext } from '../../core/rule.ts';
import { at, desiredPods, stringAt, stringMapAt, workloadsIn } from '../kit/pods.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { matchesLabels } from '../kit/select.ts';

/** Annotations that make a cloud controller build another load balancer. */
const loadBalancerType =
  /^(service\.beta\.kubernetes\.io\/(aws-load-balancer-(type|nlb-target-type|scheme|internal)|azure-load-balancer-internal)|networking\.gke\.io\/load-balancer-type|cloud\.google\.com\/load-balancer-type)$/;
const proxyProtocol = /proxy-protocol/;

function exposed(entry: Entry): boolean {
  const type = stringAt(entry.effective, 'spec', 'type');
  return type === 'LoadBalancer' || type === 'NodePort';
}

/** Desired pods behind a Service; undefined when a DaemonSet answers or nothing is known. */
function podsBehind(context: RuleContext<unknown>, service: Entry): number | undefined {
  const selector = stringMapAt(service.effective, 'spec', 'selector');
  if (Object.keys(selector).length === 0) return undefined;
  let pods = 0;
  for (const { entry, template } of workloadsIn(context.after, service.target.scope, service.ref.namespace)) {
    if (!matchesLabels(selector, template.labels)) continue;
    const desired = desiredPods(entry.effective);
    if (desired === undefined) return undefined;
    pods += desired;
  }
  return pods === 0 ? undefined : pods;
}

/** Nodes that run one of the pods behind a Service now; undefined when pods were not read. */
function nodesWithPods(context: RuleContext<unknown>, service: Entry): number | undefined {
  const namespace = service.ref.namespace ?? 'default';
  const live = context.live(service.target.scope);
  if (live?.covers('', 'Pod', namespace) !== true) return undefined;
  const selector = stringMapAt(service.effective, 'spec', 'selector');
  const found = live.pods(namespace).filter(({ labels }) => matchesLabels(selector, labels));
  const nodes = new Set(found.flatMap((pods) => Object.keys(pods.nodes)).filter((node) => node !== ''));
  return nodes.size === 0 ? undefined : nodes.size;
}

function* externalPolicy(context: RuleContext<unknown>, before: Entry, after: Entry): Iterable<Problem> {
  const was = stringAt(before.effective, 'spec', 'externalTrafficPolicy');
  const now = stringAt(after.effective, 'spec', 'externalTrafficPolicy');
  if (was === now || was === undefined || now === undefined || !exposed(before) || !exposed(after)) return;
  if (now === 'Local') {
    const pods = podsBehind(context, after);
    const nodes = context.live(after.target.scope)?.ofKind('', 'Node').length;
    const spread = nodesWithPods(context, after);
    if (pods === undefined || (nodes !== undefined && nodes > 0 && (spread ?? pods) >= nodes)) return;
    const proven = nodes !== undefined && nodes > 0;
    yield problemAt(after, '/spec/externalTrafficPolicy', {
      message: `${formatRef(after.ref)} answers only on nodes that run one of its ${pods} pods: traffic that arrives at any other node is dropped, and draining a node drops it until the load balancer notices.`,
      ...(proven ? { confidence: 'proven' as const } : {}),
      // Live evidence moves it one step: most nodes are without an endpoint.
      ...(proven && (spread ?? pods) * 2 < nodes ? { severity: 'high' as const } : {}),
      evidence: {
        before: was,
        after: now,
        facts: proven
          ? [
              spread === undefined
                ? `${pods} pods, ${nodes} nodes: at least ${nodes - pods} nodes without an endpoint`
                : `live: ${spread} of ${nodes} nodes run one of them now`,
            ]
          : [`${pods} pods`],
        ...(proven ? {} : { wouldChange: 'as many pods as nodes, spread over them, makes it harmless' }),
      },
      fix: `Run the pods behind ${formatRef(after.ref)} as a DaemonSet or spread them over the nodes of the load balancer before switching to Local.`,
    });
    return;
  }
  yield problemAt(after, '/spec/externalTrafficPolicy', {
    message: `${formatRef(after.ref)} is routed through any node from now on: the pods see node addresses instead of client addresses, so allow-lists and rate limits by client address stop working.`,
    evidence: { before: was, after: now },
    fix: `Keep externalTrafficPolicy: Local, or use proxy protocol where the client address is needed.`,
  });
}

function* annotations(before: Entry, after: Entry): Iterable<Problem> {
  if (
    stringAt(before.effective, 'spec', 'type') !== 'LoadBalancer' ||
    stringAt(after.effective, 'spec', 'type') !== 'LoadBalancer'
  )
    return;
  const was = stringMapAt(before.object, 'metadata', 'annotations');
  const now = stringMapAt(after.object, 'metadata', 'annotations');
  for (const key of new Set([...Object.keys(was), ...Object.keys(now)])) {
    if (was[key] === now[key]) continue;
    const replaces = loadBalancerType.test(key);
    if (!replaces && !proxyProtocol.test(key)) continue;
    yield problemAt(after, `/metadata/annotations/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, {
      message: replaces
        ? `Changing ${key} makes the cloud controller build another load balancer for ${formatRef(after.ref)}: its address changes and the old one goes away.`
        : `${formatRef(after.ref)} ${now[key] === undefined ? 'stops sending' : 'starts sending'} the proxy protocol header: pods that do not expect the same refuse every connection.`,
      evidence: {
        ...(was[key] === undefined ? {} : { before: was[key] }),
        ...(now[key] === undefined ? {} : { after: now[key] }),
      },
      fix: replaces
        ? `Create a second Service with the new type, move DNS, then remove the old one.`
        : `Change the proxy protocol setting of the pods behind ${formatRef(after.ref)} in the same change.`,
    });
  }
}

const service = (policy: string, annotation = '') => `apiVersion: v1
kind: Service
metadata:
  name: ingress
  namespace: ingress
${annotation}spec:
  type: LoadBalancer
  externalTrafficPolicy: ${policy}
  selector: {app: ingress}
  ports: [{name: https, port: 443, targetPort: https}]
---
`;

const controller = (kind: string) => `apiVersion: apps/v1
kind: ${kind}
metadata: {name: ingress, namespace: ingress}
spec:
${kind === 'Deployment' ? '  replicas: 2\n' : ''}  selector: {matchLabels: {app: ingress}}
  template:
    metadata: {labels: {app: ingress}}
    spec:
      containers: [{name: proxy, image: registry.example.org/proxy:1.9.0, ports: [{name: https, containerPort: 8443}]}]
`;

const nodes = (count: number) =>
  `apiVersion: v1
kind: List
items:
${Array.from({ length: count }, (_, index) => `  - {apiVersion: v1, kind: Node, metadata: {name: node-${index}}}`).join('\n')}
`;

const podsOn = (...names: readonly string[]) =>
  names
    .map(
      (node, index) => `---
apiVersion: v1
kind: Pod
metadata: {name: ingress-${index}, namespace: ingress, labels: {app: ingress}}
spec: {nodeName: ${node}, containers: [{name: proxy, image: 'registry.example.org/proxy:1.9.0'}]}
status: {phase: Running}
`,
    )
    .join('');

export default defineRule({
  id: 'traffic-policy-changed',
  since: '0.1.0',
  family: 'Services, Ingress, Gateway API',
  title: 'Traffic policy changed',
  severity: 'medium',
  reversibility: 'instant',
  confidence: 'determined',
  needs: 'transition',
  kinds: ['/Service'],
  live: ['/Node', '/Pod'],
  summary: 'A Service drops traffic on nodes without its pods, loses client addresses, or gets another load balancer.',
  docs: {
    why: 'With `externalTrafficPolicy: Local` kube-proxy drops traffic on nodes without a local endpoint; load balancers find out only by their health checks. With `Cluster` the client address is replaced by a node address. Load-balancer type annotations are read when the load balancer is built: changing them builds a new one with a new address.',
    fix: 'Spread the pods over all nodes that receive traffic before using Local; move to another load balancer through a second Service and DNS.',
    ignoreWhen: 'The pods are spread over all nodes by other means, or the address may change.',
  },
  references: [
    'https://kubernetes.io/docs/tasks/access-application-cluster/create-external-load-balancer/#preserving-the-client-source-ip',
    'DevOps Hof 2019, ingress traffic lost on drain',
  ],
  options: Type.Object({}),
  examples: [
    {
      name: 'two ingress pods, Local: nodes without one drop traffic',
      before: service('Cluster') + controller('Deployment'),
      after: service('Local') + controller('Deployment'),
      expect: [{ resource: 'Service/ingress/ingress', path: '/spec/externalTrafficPolicy', confidence: 'determined' }],
    },
    {
      name: 'the same on ten nodes',
      before: service('Cluster') + controller('Deployment'),
      after: service('Local') + controller('Deployment'),
      live: nodes(10),
      expect: [{ severity: 'high', confidence: 'proven' }],
    },
    {
      name: 'as many pods as nodes',
      before: service('Cluster') + controller('Deployment'),
      after: service('Local') + controller('Deployment'),
      live: nodes(2),
      expect: [],
    },
    {
      name: 'as many pods as nodes, and all of them on one',
      before: service('Cluster') + controller('Deployment'),
      after: service('Local') + controller('Deployment'),
      live: `${nodes(2)}${podsOn('node-0', 'node-0')}`,
      expect: [{ confidence: 'proven', severity: 'medium' }],
    },
    {
      name: 'as many pods as nodes, one on each',
      before: service('Cluster') + controller('Deployment'),
      after: service('Local') + controller('Deployment'),
      live: `${nodes(2)}${podsOn('node-0', 'node-1')}`,
      expect: [],
    },
    {
      name: 'a DaemonSet answers on every node',
      before: service('Cluster') + controller('DaemonSet'),
      after: service('Local') + controller('DaemonSet'),
      expect: [],
    },
    {
      name: 'the client address is lost',
      before: service('Local') + controller('DaemonSet'),
      after: service('Cluster') + controller('DaemonSet'),
      expect: [{ message: 'node addresses' }],
    },
    {
      name: 'another type of load balancer',
      before: service('Cluster') + controller('Deployment'),
      after:
        service('Cluster', '  annotations: {service.beta.kubernetes.io/aws-load-balancer-type: nlb}\n') +
        controller('Deployment'),
      expect: [{ message: 'another load balancer' }],
    },
  ],
  *check(context) {
    for (const { before, after } of context.changes) {
      if (before === undefined || after === undefined || after.ref.kind !== 'Service' || after.ref.group !== '')
        continue;
      if (at(after.effective, 'spec') === undefined) continue;
      yield* externalPolicy(context, before, after);
      yield* annotations(before, after);
    }
  },
});

import { Type } from 'typebox';
import type { Confidence, Novelty, Severity } from '../../core/model.ts';
import { defineRule, type Problem, type RuleContext } from '../../core/rule.ts';
import { viewOf, type ClusterView } from '../kit/cluster-view.ts';
import { backendKinds, declarationKinds, liveKinds } from '../kit/live-kinds.ts';
import { problemAt } from '../kit/problem.ts';
import {
  backendOf,
  formatAddress,
  isRedundant,
  readyEndpoints,
  serviceAddress,
  type Backend,
} from '../kit/services.ts';
import { stepDown, weaker } from '../kit/severity.ts';
import { changesByIdentity, entryIdentity } from '../kit/touched.ts';
import { unseenFact } from '../kit/unseen.ts';
import { trustProblem, type TrustProblem } from '../kit/webhook-certificates.ts';
import { at } from '../kit/pods.ts';
import { describeRules, failsClosed, rulesOf, sameWebhook, webhooksOf, type Webhook } from '../kit/webhooks.ts';
import { examples } from './examples/webhook-fails-closed-without-backend.ts';

/** Why a fail-closed webhook gets no answer, and how sure that is. */
interface Judgement {
  readonly detail: string;
  readonly facts: readonly string[];
  readonly confidence: Confidence;
  readonly severity: Severity;
  readonly novelty: Novelty;
  readonly path: string;
  readonly fix: string;
  readonly rootCause?: string;
}

const restore =
  'Keep the backend until the webhook configuration is gone: remove the configuration in the same release or earlier';

function* check(context: RuleContext): Iterable<Problem> {
  const changes = changesByIdentity(context);
  for (const webhook of webhooksOf(context.after)) {
    const address = serviceAddress(at(webhook.fields, 'clientConfig', 'service'));
    const entry = webhook.entry;
    if (entry === undefined || address === undefined || !failsClosed(webhook) || rulesOf(webhook).length === 0)
      continue;
    const scope = entry.target.scope;
    const after = viewOf(context, 'after', scope);
    const before = viewOf(context, 'before', scope);
    const change = changes.get(entryIdentity(entry));
    const previous = sameWebhook(context.before, webhook, change?.previousRef?.name);
    const backend = backendOf(after, address);
    const touched = change?.fields.some((field) => field.path.startsWith(`${webhook.path}/`)) === true;
    const found =
      judgeBackend(webhook, backend, before, previous, after, touched) ??
      judgeTrust(webhook, backend, before, previous, after) ??
      judgeLive(webhook, backend, previous, after, changes);
    if (found === undefined) continue;
    const live = readyEndpoints(after.live, address.namespace, address.name);
    yield problemAt(entry, found.path, {
      message: `${webhook.name} refuses every matching request (${describeRules(rulesOf(webhook))}) after the sync: failurePolicy is Fail and the backend cannot answer, because ${found.detail}.`,
      severity: found.severity,
      confidence: found.confidence,
      novelty: found.novelty,
      fix: found.fix,
      ...(found.rootCause === undefined ? {} : { rootCause: found.rootCause }),
      evidence: {
        after: { failurePolicy: 'Fail', service: formatAddress(address), pods: backend.pods ?? 'one per node' },
        ...(live === undefined ? {} : { live: { readyEndpoints: live.ready, nodes: live.nodes } }),
        facts: [
          `webhook ${webhook.name} -> Service ${formatAddress(address)} -> ${backend.makers.length === 0 ? 'no pods' : backend.detail}`,
          ...found.facts,
          'webhook configurations themselves are never sent to webhooks, so deleting this one is always possible',
        ],
        ...(after.live === undefined
          ? {
              wouldChange:
                'With live Services and EndpointSlices it can be proven (no ready endpoint) or cleared (the backend runs and is not from this repository).',
            }
          : {}),
      },
    });
  }
}

/** The Service or its pods are not there. */
function judgeBackend(
  webhook: Webhook,
  backend: Backend,
  before: ClusterView,
  previous: Webhook | undefined,
  after: ClusterView,
  touched: boolean,
): Judgement | undefined {
  if (backend.status !== 'broken') return undefined;
  const old = previous === undefined ? undefined : backendOfWebhook(before, previous);
  const wasBroken =
    previous !== undefined && failsClosed(previous) && old?.status === 'broken' && old.fault === backend.fault;
  if (wasBroken && !touched) return undefined;
  const { fault, address, removed } = backend;
  const scope = webhook.entry!.target.scope;
  const unseen = unseenFact(after.world, scope, address.namespace);
  const facts: string[] = unseen === undefined ? [] : [unseen];
  facts.push(...removed.map((deletion) => deletion.why));
  let confidence: Confidence = 'determined';
  // What Git does not show may be in the cluster all the same: installed by hand, or by another repository.
  if (fault === 'service-absent' || fault === 'no-pods') {
    const pods = fault === 'service-absent' || after.live?.covers('apps', 'Deployment') === true;
    if (pods && after.live?.covers('', 'Service', backend.address.namespace) === true) {
      confidence = 'proven';
      facts.push('nothing of that name is in the cluster either');
    } else if (old?.status !== 'answers') {
      confidence = 'likely';
      facts.push('it is in no rendered object of this cluster; it may be installed from somewhere else');
    }
  }
  if (removed.some((deletion) => deletion.outcome === 'maybe')) confidence = weaker(confidence, 'likely');
  if (unseen !== undefined && confidence !== 'proven') confidence = weaker(confidence, 'likely');
  const inNewService = `${webhook.path}/clientConfig/service`;
  return {
    detail: backend.detail,
    facts,
    confidence,
    severity: 'critical',
    novelty: wasBroken ? 'touched-preexisting' : 'introduced',
    path: inNewService,
    fix: fixOf(webhook, backend),
    ...(removed.length === 0 ? {} : { rootCause: `backend-removed:${scope}:${address.namespace}/${address.name}` }),
  };
}

function fixOf(webhook: Webhook, { fault, address, makers }: Backend): string {
  const where = `${webhook.kind} ${webhook.configuration}`;
  switch (fault) {
    case 'scaled-to-zero':
      return `Set replicas of ${makers.map((maker) => `${maker.ref.kind} ${maker.ref.name}`).join(', ')} to at least 2, or delete ${where} first.`;
    case 'service-removed':
    case 'pods-removed':
      return `${restore}, for example delete ${where} one sync before Service ${address.namespace}/${address.name}.`;
    case 'port-missing':
      return `Set clientConfig.service.port of ${where} (${webhook.name}) to a port that Service ${address.namespace}/${address.name} offers.`;
    case 'no-pods':
      return `Make spec.selector of Service ${address.namespace}/${address.name} match the labels of the backend's pod template.`;
    default:
      return `Ship Service ${address.namespace}/${address.name} and its pods first (an earlier sync wave), or set failurePolicy: Ignore on ${webhook.name} in ${where} until they are ready.`;
  }
}

function backendOfWebhook(view: ClusterView, webhook: Webhook): Backend | undefined {
  const address = serviceAddress(at(webhook.fields, 'clientConfig', 'service'));
  return address === undefined ? undefined : backendOf(view, address);
}

/** The TLS handshake fails: caBundle and serving certificate do not fit. */
function judgeTrust(
  webhook: Webhook,
  backend: Backend,
  before: ClusterView,
  previous: Webhook | undefined,
  after: ClusterView,
): Judgement | undefined {
  if (backend.status !== 'answers') return undefined;
  const problem = trustProblem(webhook, backend, after);
  if (problem === undefined) return undefined;
  const old = previous === undefined ? undefined : backendOfWebhook(before, previous);
  const was =
    previous === undefined || old === undefined || !failsClosed(previous)
      ? undefined
      : trustProblem(previous, old, before);
  if (was !== undefined && (was.fault === problem.fault || was.fingerprint === problem.fingerprint)) return undefined;
  if (problem.fault === 'no-ca' && previous === undefined && isOwnRelease(webhook, backend)) return undefined;
  const live = readyEndpoints(after.live, backend.address.namespace, backend.address.name);
  const severity: Severity = isRedundant(live) && problem.fault === 'no-ca' ? stepDown('critical') : 'critical';
  return {
    detail: problem.detail,
    facts: problem.facts,
    confidence: problem.fault === 'no-ca' ? 'likely' : 'determined',
    severity,
    novelty: 'introduced',
    path: `${webhook.path}/clientConfig/caBundle`,
    fix: trustFix(webhook, backend, problem),
  };
}

/**
 * A new configuration without CA that comes with its backend: nearly always an operator that writes the CA at start
 * (Gatekeeper, Knative, Karpenter) through a role that is bound elsewhere.
 */
function isOwnRelease(webhook: Webhook, backend: Backend): boolean {
  return backend.makers.some((maker) => maker.entry?.target.id === webhook.entry?.target.id);
}

function trustFix(webhook: Webhook, { address }: Backend, { fault }: TrustProblem): string {
  const where = `webhook ${webhook.name} in ${webhook.kind} ${webhook.configuration}`;
  if (fault === 'name-not-covered')
    return `Issue the serving certificate with the DNS name ${address.name}.${address.namespace}.svc.`;
  if (fault === 'no-ca')
    return `Put the CA of the serving certificate into clientConfig.caBundle of ${where}, or let cert-manager do it (annotation cert-manager.io/inject-ca-from).`;
  return `Put the CA that issued the serving certificate into clientConfig.caBundle of ${where} (both CAs while rotating), and keep failurePolicy: Ignore until a request went through.`;
}

/** Live evidence: a backend that this change does not touch has no ready endpoint, and now the webhook starts to fail closed. */
function judgeLive(
  webhook: Webhook,
  backend: Backend,
  previous: Webhook | undefined,
  after: ClusterView,
  changes: ReturnType<typeof changesByIdentity>,
): Judgement | undefined {
  if (backend.status === 'broken' || (previous !== undefined && failsClosed(previous))) return undefined;
  const { address } = backend;
  if (after.live?.get('', 'Service', address.namespace, address.name) === undefined) return undefined;
  const endpoints = readyEndpoints(after.live, address.namespace, address.name);
  if (endpoints === undefined || endpoints.ready > 0) return undefined;
  if (backend.makers.some((maker) => maker.entry !== undefined && changes.has(entryIdentity(maker.entry))))
    return undefined;
  return {
    detail: `Service ${address.namespace}/${address.name} has no ready endpoint in the cluster and this change does not touch its pods`,
    facts: [],
    confidence: 'proven',
    severity: 'critical',
    novelty: previous === undefined ? 'introduced' : 'worsened',
    path: `${webhook.path}/failurePolicy`,
    fix: `Bring ${backend.detail} to ready first; keep failurePolicy: Ignore on ${webhook.name} until then.`,
  };
}

export default defineRule({
  id: 'webhook-fails-closed-without-backend',
  since: '0.1.0',
  family: 'Admission webhooks and policies',
  title: 'Webhook fails closed without backend',
  severity: 'critical',
  reversibility: 'hard',
  confidence: 'determined',
  needs: 'joined',
  kinds: [
    'admissionregistration.k8s.io/ValidatingWebhookConfiguration',
    'admissionregistration.k8s.io/MutatingWebhookConfiguration',
    '/Service',
    'apps/Deployment',
    '/Secret',
    'discovery.k8s.io/EndpointSlice',
  ],
  live: liveKinds(backendKinds),
  liveOf: declarationKinds,
  summary: 'A webhook with failurePolicy Fail has no backend that can answer after the sync.',
  docs: {
    why: `With \`failurePolicy: Fail\`, which is the default of \`admissionregistration.k8s.io/v1\`, the API server refuses every request that the rules match when the webhook cannot be reached or its certificate cannot be verified. That is the case when the Service or its pods are gone, scaled to 0 or not selected, when \`clientConfig.service.port\` is not a port of the Service, and when \`caBundle\` does not verify the serving certificate or that certificate does not name \`<service>.<namespace>.svc\`. Often the refused requests include those that would repair it, so a git revert alone may not bring it back.`,
    fix: 'Ship the backend before the configuration (an earlier sync wave), keep `failurePolicy: Ignore` until it is ready, and delete the configuration no later than the backend. Let one tool own both the CA and the serving certificate.',
    ignoreWhen:
      'The backend is installed by something that is not in this repository and is known to run, or an operator replaces the configuration at run time.',
  },
  references: [
    'https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/',
    'k8s.io/kubernetes pkg/apis/admissionregistration/v1/defaults.go',
    'https://github.com/kyverno/kyverno/issues/2962',
    'Ministry of Justice Cloud Platform, incident of 2020-09-07: x509 certificate signed by unknown authority',
    'Ministry of Justice Cloud Platform, incident of 2021-06-09',
  ],
  options: Type.Object({}),
  examples,
  check,
});

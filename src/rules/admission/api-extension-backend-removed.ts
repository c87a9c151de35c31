import { Type } from 'typebox';
import type { Confidence, Entry } from '../../core/model.ts';
import { defineRule, type LiveWorld, type Problem, type RuleContext, type World } from '../../core/rule.ts';
import { viewOf, type ClusterView } from '../kit/cluster-view.ts';
import { backendKinds, customKinds, declarationKinds, liveKinds } from '../kit/live-kinds.ts';
import { at, listAt, stringAt } from '../kit/pods.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { backendOf, formatAddress, serviceAddress, type Backend, type ServiceAddress } from '../kit/services.ts';
import { weaker } from '../kit/severity.ts';
import { counterpart } from '../kit/touched.ts';
import { unseenFact } from '../kit/unseen.ts';
import { examples } from './examples/api-extension-backend-removed.ts';

/** A registration that sends API requests to a Service: an APIService, or a CRD whose versions a webhook converts. */
interface Extension {
  readonly entry: Entry;
  readonly address: ServiceAddress;
  readonly path: string;
}

function apiService(entry: Entry): Extension | undefined {
  const address = serviceAddress(at(entry.effective, 'spec', 'service'));
  return address === undefined ? undefined : { entry, address, path: '/spec/service' };
}

function conversion(entry: Entry): Extension | undefined {
  if (stringAt(entry.effective, 'spec', 'conversion', 'strategy') !== 'Webhook') return undefined;
  // A single version needs no conversion: the webhook is never called.
  if (
    listAt(entry.effective, 'spec', 'versions').filter(
      (version) => at(version, 'served') !== false || at(version, 'storage') === true,
    ).length < 2
  )
    return undefined;
  const v1 = serviceAddress(at(entry.effective, 'spec', 'conversion', 'webhook', 'clientConfig', 'service'));
  const address = v1 ?? serviceAddress(at(entry.effective, 'spec', 'conversion', 'webhookClientConfig', 'service'));
  return address === undefined ? undefined : { entry, address, path: '/spec/conversion/webhook/clientConfig/service' };
}

function extensionsOf(world: World): readonly Extension[] {
  return [
    ...world.ofKind('apiregistration.k8s.io', 'APIService').map(apiService),
    ...world.ofKind('apiextensions.k8s.io', 'CustomResourceDefinition').map(conversion),
  ].filter((found) => found !== undefined);
}

function* check(context: RuleContext): Iterable<Problem> {
  for (const extension of extensionsOf(context.after)) {
    const { entry, address, path } = extension;
    const scope = entry.target.scope;
    const after = viewOf(context, 'after', scope);
    const backend = backendOf(after, address);
    if (backend.status !== 'broken') continue;
    const previousEntry = counterpart(context.before, entry);
    const previous =
      previousEntry === undefined
        ? undefined
        : entry.ref.kind === 'APIService'
          ? apiService(previousEntry)
          : conversion(previousEntry);
    const old = previous === undefined ? undefined : backendOf(viewOf(context, 'before', scope), previous.address);
    if (old?.status === 'broken') continue;
    const judged = confidenceOf(backend, old, after, scope);
    // A new registration whose backend Git does not hold: usually installed from another place, and nothing is stored yet.
    if (previousEntry === undefined && judged.confidence === 'likely' && backend.removed.length === 0) continue;
    const alreadyDown = isUnavailable(after.live, entry);
    yield problemAt(entry, path, {
      message: `${formatRef(entry.ref)} stays registered while its backend ${formatAddress(address)} cannot answer, because ${backend.detail}: ${effectOf(entry)}.`,
      confidence: judged.confidence,
      novelty: alreadyDown ? 'touched-preexisting' : 'introduced',
      fix: fixOf(entry, backend),
      ...(backend.removed.length === 0
        ? {}
        : { rootCause: `backend-removed:${scope}:${address.namespace}/${address.name}` }),
      evidence: {
        ...(old === undefined ? {} : { before: old.detail }),
        after: backend.detail,
        facts: [
          `${formatRef(entry.ref)} -> Service ${formatAddress(address)} -> ${backend.makers.length === 0 ? 'no pods' : backend.detail}`,
          ...judged.facts,
          ...storedObjects(after.live, entry),
          ...(alreadyDown ? ['the cluster says Available=False already'] : []),
        ],
        ...(after.live === undefined
          ? { wouldChange: 'With live Services and workloads it can be told whether something else answers there.' }
          : {}),
      },
    });
  }
}

function confidenceOf(
  backend: Backend,
  old: Backend | undefined,
  after: ClusterView,
  scope: string,
): { confidence: Confidence; facts: readonly string[] } {
  const facts = backend.removed.map((deletion) => deletion.why);
  const unseen = unseenFact(after.world, scope, backend.address.namespace);
  if (unseen !== undefined) facts.push(unseen);
  if (
    after.live?.covers('', 'Service', backend.address.namespace) === true &&
    (backend.fault === 'service-absent' || backend.fault === 'port-missing')
  )
    return { confidence: 'proven', facts };
  let confidence: Confidence = 'determined';
  if (backend.removed.some((deletion) => deletion.outcome === 'maybe') || unseen !== undefined)
    confidence = weaker(confidence, 'likely');
  if ((backend.fault === 'service-absent' || backend.fault === 'no-pods') && old?.status !== 'answers') {
    confidence = 'likely';
    facts.push('it is in no rendered object of this cluster; it may be installed from somewhere else');
  }
  return { confidence, facts };
}

function effectOf(entry: Entry): string {
  if (entry.ref.kind === 'CustomResourceDefinition') {
    const plural = stringAt(entry.effective, 'spec', 'names', 'plural') ?? entry.ref.name;
    return `objects of ${plural} that are stored in another version can neither be read nor written, lists of them fail, and garbage collection and namespace deletion stall`;
  }
  const group = stringAt(entry.effective, 'spec', 'group') ?? '';
  const metrics = /(^|\.)metrics\.k8s\.io$/.test(group)
    ? ', and HorizontalPodAutoscalers and kubectl top lose their metrics'
    : '';
  return `requests for ${group} fail, discovery reports errors, and namespace deletion and garbage collection stall for the whole cluster${metrics}`;
}

function fixOf(entry: Entry, backend: Backend): string {
  const { address, fault } = backend;
  if (entry.ref.kind === 'CustomResourceDefinition')
    return fault === 'service-absent' && backend.removed.length === 0
      ? `Ship Service ${address.namespace}/${address.name} before ${formatRef(entry.ref)} switches to conversion strategy Webhook.`
      : `Set spec.conversion.strategy of ${formatRef(entry.ref)} to None (after its objects are stored in one version), or keep the backend one release longer.`;
  return `Delete ${formatRef(entry.ref)} before its backend goes, or keep Service ${formatAddress(address)} and its pods one release longer.`;
}

function isUnavailable(live: LiveWorld | undefined, entry: Entry): boolean {
  if (entry.ref.kind !== 'APIService') return false;
  const conditions = listAt(
    live?.get(entry.ref.group, entry.ref.kind, undefined, entry.ref.name),
    'status',
    'conditions',
  );
  return conditions.some(
    (condition) => stringAt(condition, 'type') === 'Available' && stringAt(condition, 'status') === 'False',
  );
}

function storedObjects(live: LiveWorld | undefined, entry: Entry): readonly string[] {
  if (live === undefined || entry.ref.kind !== 'CustomResourceDefinition') return [];
  const group = stringAt(entry.effective, 'spec', 'group') ?? '';
  const kind = stringAt(entry.effective, 'spec', 'names', 'kind') ?? '';
  return live.covers(group, kind) ? [`${live.ofKind(group, kind).length} ${kind} objects in the cluster`] : [];
}

export default defineRule({
  id: 'api-extension-backend-removed',
  since: '0.1.0',
  family: 'Admission webhooks and policies',
  title: 'API extension backend removed',
  severity: 'critical',
  reversibility: 'slow',
  confidence: 'determined',
  needs: 'joined',
  kinds: [
    'apiregistration.k8s.io/APIService',
    'apiextensions.k8s.io/CustomResourceDefinition',
    '/Service',
    'apps/Deployment',
  ],
  live: liveKinds(backendKinds),
  liveOf: (change) => [...declarationKinds(change), ...customKinds(change)],
  summary: 'The backend of an APIService or of a CRD conversion webhook goes away while the registration stays.',
  docs: {
    why: 'An APIService makes the API server forward a whole API group to a Service, and a CRD with conversion strategy Webhook sends every object that is stored in another version to one. When nobody answers there, not only those objects are affected: discovery returns errors, and namespace deletion and garbage collection, which list every kind, stall in the whole cluster. For `metrics.k8s.io` HorizontalPodAutoscalers stop scaling.',
    fix: 'Remove the registration first and keep the backend one release longer; for a CRD, migrate the stored objects to one version and set the strategy to None before the webhook goes.',
    ignoreWhen: 'Another provider that is not in this repository serves the same Service name.',
  },
  references: [
    'https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/',
    'https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/',
    'k8s.io/apiextensions-apiserver pkg/apis/apiextensions/validation',
  ],
  options: Type.Object({}),
  examples,
  check,
});

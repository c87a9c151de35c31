import type { Confidence, Entry, Severity } from '../../core/model.ts';
import type { Problem, RuleContext } from '../../core/rule.ts';
import { viewOf, type PodMaker } from './cluster-view.ts';
import { deletionConfidence } from './deletions.ts';
import { podTemplate, stringAt, stringMapAt } from './pods.ts';
import { formatRef, problemAt } from './problem.ts';
import { consumersOf, type ServiceConsumer } from './routes.ts';
import { formatSelector } from './select.ts';
import { declaresPort, declaresPorts, offers, servicePorts, type ServicePort } from './service-ports.ts';
import { readyEndpoints, trafficFacts } from './services.ts';
import { stepDown, weaker } from './severity.ts';
import { counterpart } from './touched.ts';
import { unseenFact } from './unseen.ts';

/** One Service on both sides with the workloads that it selects. */
export interface ServicePair {
  readonly context: RuleContext<unknown>;
  readonly before: Entry;
  readonly after: Entry;
  readonly matched: { readonly before: readonly PodMaker[]; readonly after: readonly PodMaker[] };
}

/** `spec.selector` of a Service. */
export const selectorOf = (service: Entry) => stringMapAt(service.effective, 'spec', 'selector');
/** ExternalName: no endpoints of its own. */
export const isExternal = (service: Entry) => stringAt(service.effective, 'spec', 'type') === 'ExternalName';

/** Webhooks and APIServices have their own rules; they are named here, not counted. */
export function routesTo(pair: ServicePair): readonly ServiceConsumer[] {
  return consumersOf(pair.context.after, pair.after).filter(({ entry }) => !/Webhook|APIService/.test(entry.ref.kind));
}

/** Fact that names who routes to a Service; empty for none. */
export function consumerFacts(consumers: readonly ServiceConsumer[]): string[] {
  const names = [...new Set(consumers.map(({ entry }) => formatRef(entry.ref)))];
  return names.length === 0
    ? []
    : [`routed to by ${names.slice(0, 6).join(', ')}${names.length > 6 ? ` and ${names.length - 6} more` : ''}`];
}

/** Only scraped: losing it costs metrics, not requests. */
function onlyMetrics(ports: readonly ServicePort[]): boolean {
  return ports.length > 0 && ports.every(({ name }) => /metrics|prom/i.test(name));
}

/** Severity and confidence after the evidence. */
export interface Judged {
  readonly severity: Severity;
  readonly confidence: Confidence;
  readonly facts: readonly string[];
}

/** What the cluster and the part that was not looked at say about a loss. */
export function judge(pair: ServicePair, severity: Severity, confidence: Confidence): Judged {
  const { context, after } = pair;
  const { scope } = after.target;
  const namespace = after.ref.namespace ?? 'default';
  const facts: string[] = [];
  let level = onlyMetrics(servicePorts(after.effective)) ? stepDown(severity) : severity;
  let sure = confidence;
  const unseen = unseenFact(context.after, scope, namespace);
  if (unseen !== undefined) {
    facts.push(unseen);
    sure = weaker(sure, 'likely');
  }
  const ready = readyEndpoints(context.live(scope), namespace, after.ref.name);
  if (ready !== undefined) {
    facts.push(`live: ${ready.ready} ready endpoints on ${ready.nodes} nodes`);
    if (ready.ready === 0) level = stepDown(level);
    else if (sure === 'determined') sure = 'proven';
  }
  facts.push(...trafficFacts(context.live(scope), namespace, after.ref.name));
  return { severity: level, confidence: sure, facts };
}

/** A custom resource that this change adds in the namespace may make the pods (an operator takes over). */
function operatorFact(pair: ServicePair): string | undefined {
  const { context, after } = pair;
  const added = context.changes.find(
    ({ action, after: entry }) =>
      action === 'added' &&
      entry !== undefined &&
      entry.target.scope === after.target.scope &&
      entry.ref.namespace === after.ref.namespace &&
      entry.ref.group.includes('.') &&
      !entry.ref.group.endsWith('.k8s.io') &&
      podTemplate(entry.object) === undefined,
  );
  return added === undefined
    ? undefined
    : `${formatRef(added.ref)} is new; an operator may make pods with these labels`;
}

/** Why nothing matches any more: the first of the workloads that did. */
function lossReason({ context, before, after, matched }: ServicePair): { text: string; confidence: Confidence } {
  const [maker] = matched.before;
  const selector = formatSelector({ matchLabels: selectorOf(after) });
  if (maker === undefined) return { text: '', confidence: 'determined' };
  const now = context.after.get(
    after.target.scope,
    maker.ref.group,
    maker.ref.kind,
    maker.ref.namespace,
    maker.ref.name,
  );
  if (now === undefined) {
    const gone = viewOf(context, 'after', after.target.scope).removal(
      maker.ref.group,
      maker.ref.kind,
      maker.ref.namespace,
      maker.ref.name,
    );
    const confidence = gone === undefined ? 'determined' : weaker('determined', deletionConfidence(gone));
    return { text: `${formatRef(maker.ref)} is removed and the Service is not`, confidence };
  }
  const changed = formatSelector({ matchLabels: selectorOf(before) }) !== selector;
  const labels = formatSelector({ matchLabels: podTemplate(now.effective)?.labels ?? {} });
  return changed
    ? {
        text: `its selector becomes ${selector}, and the pods of ${formatRef(maker.ref)} have ${labels}`,
        confidence: 'determined',
      }
    : {
        text: `the pods of ${formatRef(maker.ref)} now have ${labels}, and it selects ${selector}`,
        confidence: 'determined',
      };
}

/** The Service selected pods before and selects none after the change. */
export function* checkSelector(pair: ServicePair): Iterable<Problem> {
  const { before, after, matched } = pair;
  if (matched.before.length === 0 || matched.after.length > 0) return;
  if (Object.keys(selectorOf(before)).length === 0 || isExternal(before)) return;
  // A Service without a selector keeps the endpoints that somebody makes.
  const external = isExternal(after);
  if (!external && Object.keys(selectorOf(after)).length === 0) return;
  const reason = lossReason(pair);
  const operator = operatorFact(pair);
  const judged = judge(
    pair,
    external ? 'high' : 'critical',
    operator === undefined ? reason.confidence : weaker(reason.confidence, 'likely'),
  );
  yield problemAt(after, external ? '/spec/type' : '/spec/selector', {
    message: external
      ? `${formatRef(after.ref)} becomes an alias of ${stringAt(after.effective, 'spec', 'externalName') ?? '?'} (ExternalName): it no longer has endpoints or an address of its own, and proxies that need them answer 503.`
      : `${formatRef(after.ref)} loses all its endpoints: ${reason.text}. Every request to it fails.`,
    severity: judged.severity,
    confidence: judged.confidence,
    evidence: {
      before: `${formatSelector({ matchLabels: selectorOf(before) })} -> ${matched.before.map(({ ref }) => formatRef(ref)).join(', ')}`,
      after: external ? 'ExternalName' : `${formatSelector({ matchLabels: selectorOf(after) })} -> nothing`,
      facts: [...judged.facts, ...consumerFacts(routesTo(pair)), ...(operator === undefined ? [] : [operator])],
      wouldChange: 'endpoints and pods of the cluster show pods that operators make',
    },
    fix: `Change labels and selector in two steps: first let the pods carry the old and the new labels, then change the selector of ${formatRef(after.ref)}, then drop the old labels.`,
    rootCause: `service-endpoints-lost:${after.target.scope}/${formatRef(after.ref)}`,
  });
}

/** The port of the other side that is meant: same name, else same number. */
function sameport(ports: readonly ServicePort[], wanted: ServicePort): ServicePort | undefined {
  return (
    ports.find((port) => port.name !== '' && port.name === wanted.name) ??
    ports.find((port) => port.port === wanted.port)
  );
}

/** The Service still selects pods, but they no longer have the port that it sends to. */
export function* checkTargetPorts(pair: ServicePair): Iterable<Problem> {
  const { before, after, matched } = pair;
  if (matched.before.length === 0 || matched.after.length === 0) return;
  const oldPorts = servicePorts(before.effective);
  for (const port of servicePorts(after.effective)) {
    const old = sameport(oldPorts, port);
    if (old === undefined) continue;
    if (!matched.before.some((maker) => declaresPort(maker, old.target))) continue;
    if (matched.after.some((maker) => declaresPort(maker, port.target))) continue;
    const named = typeof port.target === 'string' && !/^\d+$/.test(port.target);
    // Declaring numeric ports is optional, so only pods that declare others say something.
    if (!named && !matched.after.every(declaresPorts)) continue;
    const judged = judge(pair, named ? 'critical' : 'high', named ? 'determined' : 'likely');
    const makers = matched.after.map(({ ref }) => formatRef(ref)).join(', ');
    yield problemAt(after, `/spec/ports/${port.name === '' ? port.port : port.name}/targetPort`, {
      message: named
        ? `Port ${port.port} of ${formatRef(after.ref)} loses its endpoints: no container of ${makers} has a port named ${port.target} any more.`
        : `Port ${port.port} of ${formatRef(after.ref)} sends to container port ${port.target}, which ${makers} no longer declares: if nothing listens there, connections are refused.`,
      severity: judged.severity,
      confidence: judged.confidence,
      evidence: {
        before: `${old.port} -> ${old.target}`,
        after: `${port.port} -> ${port.target}`,
        facts: [...judged.facts, ...consumerFacts(routesTo(pair))],
      },
      fix: `Set targetPort of port ${port.port} in ${formatRef(after.ref)} and the containerPort (name and number) of ${makers} to the same, in the same change.`,
      rootCause: `service-endpoints-lost:${after.target.scope}/${formatRef(after.ref)}`,
    });
  }
}

/** Something routes to a port that the Service no longer offers. */
export function* checkPorts(pair: ServicePair): Iterable<Problem> {
  const { before, after, context } = pair;
  const old = servicePorts(before.effective);
  const now = servicePorts(after.effective);
  const broken = routesTo(pair).filter(({ entry, port, path }) => {
    if (port === undefined || offers(now, port)) return false;
    if (offers(old, port)) return true;
    // The consumer was changed to a port that is not there.
    const previous = counterpart(context.before, entry);
    const was =
      previous === undefined
        ? []
        : consumersOf(context.before, before).filter((other) => other.entry === previous && other.path === path);
    return was.some((other) => offers(old, other.port));
  });
  const byPort = Map.groupBy(broken, ({ port }) => String(port));
  for (const [port, consumers] of byPort) {
    const judged = judge(pair, 'critical', 'determined');
    const names = [...new Set(consumers.map(({ entry }) => formatRef(entry.ref)))];
    yield problemAt(after, '/spec/ports', {
      message: `${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''} ${names.length === 1 ? 'routes' : 'route'} to port ${port} of ${formatRef(after.ref)}, which does not offer it (${now.map((item) => (item.name === '' ? String(item.port) : `${item.name} ${item.port}`)).join(', ')}): these requests fail.`,
      severity: judged.severity,
      confidence: judged.confidence,
      evidence: {
        before: old.map((item) => `${item.name} ${item.port}`.trim()),
        after: now.map((item) => `${item.name} ${item.port}`.trim()),
        facts: [...judged.facts, ...consumers.slice(0, 6).map(({ entry, path }) => `${formatRef(entry.ref)} ${path}`)],
      },
      fix: `Keep port ${port} in ${formatRef(after.ref)} next to the new one until ${names.slice(0, 3).join(', ')} ${names.length === 1 ? 'is' : 'are'} moved over.`,
      rootCause: `service-endpoints-lost:${after.target.scope}/${formatRef(after.ref)}`,
    });
  }
}

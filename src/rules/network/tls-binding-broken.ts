import { Type } from 'typebox';
import type { Entry } from '../../core/model.ts';
import { defineRule, type Problem, type RuleContext } from '../../core/rule.ts';
import { numberAt, stringAt } from '../kit/pods.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import {
  certificatesOf,
  defaultCertificates,
  dnsNamesOf,
  tlsBindings,
  tlsFloor,
  type CertificateSource,
  type TlsBinding,
} from '../kit/tls.ts';
import { counterpart, entryIdentity } from '../kit/touched.ts';
import { examples } from './examples/tls-binding-broken.ts';

type Cover = 'covered' | 'uncovered' | 'unknown';

function coverOf(binding: TlsBinding, sources: readonly CertificateSource[]): Cover {
  // cert-manager's ingress-shim and gateway-shim keep a Certificate that they own in step with the hosts.
  if (sources.length === 0 || (binding.issuedForItself && binding.secrets.length > 0)) return 'unknown';
  return sources.some((source) => source.covers(binding.host)) ? 'covered' : 'uncovered';
}

function keyOf({ entry, host }: TlsBinding): string {
  return `${entryIdentity(entry)}\u0000${host}`;
}

interface Lost {
  readonly binding: TlsBinding;
  readonly source: CertificateSource;
  readonly was: Cover | undefined;
}

/** Hosts that were served with a fitting certificate, or are new, and whose certificate is for other names after the change. */
function* hostsLost(context: RuleContext<unknown>, scope: string, changed: ReadonlySet<string>): Iterable<Problem> {
  const before = new Map(
    tlsBindings(context.before, scope).map((binding) => [
      keyOf(binding),
      coverOf(binding, certificatesOf(context.before, binding)),
    ]),
  );
  const lost: Lost[] = [];
  for (const binding of tlsBindings(context.after, scope)) {
    const sources = certificatesOf(context.after, binding);
    const was = before.get(keyOf(binding));
    const [source] = sources;
    if (source === undefined || coverOf(binding, sources) !== 'uncovered' || was === 'uncovered') continue;
    // Which controller serves a host without a Secret is not known; that the default certificate fitted before tells.
    if (binding.secrets.length === 0 && was !== 'covered') continue;
    lost.push({ binding, source, was });
  }
  for (const group of Map.groupBy(lost, ({ source, binding }) =>
    changed.has(entryIdentity(source.entry)) ? entryIdentity(source.entry) : entryIdentity(binding.entry),
  ).values())
    yield lostProblem(context, scope, group, changed);
}

function lostProblem(
  context: RuleContext<unknown>,
  scope: string,
  group: readonly Lost[],
  changed: ReadonlySet<string>,
): Problem {
  const { source, binding } = group[0]!;
  const bySource = changed.has(entryIdentity(source.entry));
  const at = bySource ? source.entry : binding.entry;
  const certificate = source.entry.ref.kind === 'Certificate';
  const old = counterpart(context.before, source.entry);
  const isDefault = defaultCertificates(context.after, scope).some(
    ({ namespace, name }) =>
      namespace === (source.entry.ref.namespace ?? 'default') &&
      name === (certificate ? stringAt(source.entry.effective, 'spec', 'secretName') : source.entry.ref.name),
  );
  const namespaces = new Set(group.map((lost) => lost.binding.entry.ref.namespace));
  const hosts = group.map((lost) => lost.binding.host);
  const shown = `${hosts.slice(0, 3).join(', ')}${hosts.length > 3 ? ` and ${hosts.length - 3} more` : ''}`;
  return problemAt(at, bySource ? (certificate ? '/spec/dnsNames' : '/data/tls.crt') : binding.path, {
    message: `${formatRef(source.entry.ref)}${isDefault ? ', the default certificate of the ingress controller,' : ''} is for ${source.names.join(', ')} and does not cover ${shown}: clients refuse the connection because the certificate is for another name.`,
    evidence: {
      ...(bySource && old !== undefined && certificate ? { before: [...(dnsNamesOf(old) ?? [])] } : {}),
      after: [...source.names],
      facts: group
        .slice(0, 8)
        .map(
          (lost) =>
            `${lost.binding.host} (${formatRef(lost.binding.entry.ref)}): ${lost.was === 'covered' ? 'covered before, not after' : 'not covered'}`,
        ),
      wouldChange: 'a certificate for these hosts that is kept outside of Git clears it',
    },
    ...(isDefault
      ? { blast: { value: 0.8, reason: 'default certificate of a shared ingress controller' } }
      : namespaces.size > 1
        ? { blast: { value: 0.6, reason: `hosts of ${namespaces.size} namespaces` } }
        : {}),
    fix: `Add ${shown} (or a wildcard one level above) to the names of ${formatRef(source.entry.ref)}, or bind the hosts to a certificate that covers them.`,
  });
}

/** A Certificate gets the wildcard of another cluster of this repository. */
function* foreignNames(context: RuleContext<unknown>, reported: ReadonlySet<string>): Iterable<Problem> {
  const clusters = new Set([...context.targets.after.values()].flatMap((target) => target.cluster ?? []));
  for (const { before, after } of context.changes) {
    if (after === undefined || after.ref.kind !== 'Certificate' || after.ref.group !== 'cert-manager.io') continue;
    if (reported.has(entryIdentity(after))) continue;
    const own = after.target.cluster;
    const had = new Set(before === undefined ? [] : (dnsNamesOf(before) ?? []));
    for (const name of dnsNamesOf(after) ?? []) {
      const foreign = name.split('.').find((label) => clusters.has(label));
      if (own === undefined || foreign === undefined || foreign === own || had.has(name)) continue;
      if (name.split('.').includes(own)) continue;
      yield problemAt(after, '/spec/dnsNames', {
        message: `${formatRef(after.ref)} is applied to cluster ${own} and asks for ${name}, a name of cluster ${foreign}: ${own} would serve the certificate of another cluster.`,
        confidence: 'likely',
        evidence: {
          ...(before === undefined ? {} : { before: [...had] }),
          after: name,
          facts: [`clusters of this repository: ${[...clusters].sort().join(', ')}`],
        },
        blast: { value: 0.8, reason: `names of cluster ${own}` },
        fix: `Derive the name from the cluster's own parameter instead of ${foreign}.`,
      });
      break;
    }
  }
}

function syncWave(entry: Entry): number {
  return numberAt(entry.object, 'metadata', 'annotations', 'argocd.argoproj.io/sync-wave') ?? 0;
}

/** A host moves to a Secret that cert-manager fills only after the sync. */
function* notIssuedYet(context: RuleContext<unknown>, scope: string): Iterable<Problem> {
  const old = new Map(tlsBindings(context.before, scope).map((binding) => [keyOf(binding), binding]));
  const seen = new Set<string>();
  for (const binding of tlsBindings(context.after, scope)) {
    const [secret] = binding.secrets;
    const was = old.get(keyOf(binding));
    if (secret?.namespace === undefined || was === undefined || was.secrets.length === 0) continue;
    if (was.secrets.some(({ name }) => name === secret.name) || seen.has(`${keyOf(binding)}${secret.name}`)) continue;
    const issuing = certificatesOf(context.after, binding).find(
      ({ entry }) => entry.ref.kind === 'Certificate' && !providedBefore(context, entry, secret.name),
    );
    if (issuing === undefined) continue;
    const live = context.live(scope);
    if (live?.get('', 'Secret', secret.namespace, secret.name) !== undefined) continue;
    // Argo CD waits for a Certificate of an earlier wave to be issued (health check of cert-manager.io/Certificate).
    if (issuing.entry.target.id === binding.entry.target.id && syncWave(issuing.entry) < syncWave(binding.entry))
      continue;
    const key = `${entryIdentity(binding.entry)}\u0000${secret.name}`;
    if (seen.has(key)) continue;
    seen.add(key);
    yield problemAt(binding.entry, binding.path, {
      message: `${formatRef(binding.entry.ref)} moves ${binding.host} from Secret ${was.secrets[0]?.name} to ${secret.name}, which ${formatRef(issuing.entry.ref)} gets only after the sync: until it is issued, clients see the controller's default certificate.`,
      severity: 'medium',
      confidence: live?.covers('', 'Secret', secret.namespace) === true ? 'proven' : 'likely',
      evidence: {
        before: was.secrets[0]?.name ?? '',
        after: secret.name,
        wouldChange: 'the Secret being there already makes it harmless',
      },
      fix: `Add ${formatRef(issuing.entry.ref)} in an earlier change (or sync wave), wait until it is Ready, then move ${formatRef(binding.entry.ref)} to it.`,
    });
  }
}

function providedBefore(context: RuleContext<unknown>, certificate: Entry, secret: string): boolean {
  const old = counterpart(context.before, certificate);
  return old !== undefined && stringAt(old.effective, 'spec', 'secretName') === secret;
}

const printed = (floor: number) => `TLS 1.${floor - 10}`;

function* floorRaised(context: RuleContext<unknown>): Iterable<Problem> {
  for (const { before, after } of context.changes) {
    if (before === undefined || after === undefined) continue;
    const was = tlsFloor(before);
    // ingress-nginx accepts 1.2 and 1.3 when ssl-protocols is not set.
    const now = tlsFloor(after) ?? (after.ref.kind === 'ConfigMap' ? 12 : undefined);
    if (was === undefined || now === undefined || now <= was) continue;
    yield problemAt(after, after.ref.kind === 'ConfigMap' ? '/data/ssl-protocols' : '/spec', {
      message: `${formatRef(after.ref)} accepts ${printed(now)} at least, ${printed(was)} before: older clients (devices, old JVMs) can no longer connect.`,
      severity: 'medium',
      confidence: 'likely',
      evidence: { before: printed(was), after: printed(now), wouldChange: 'the TLS versions in the access logs' },
      fix: `Look at the TLS versions of current clients first, or keep ${printed(was)} for the hosts that need it.`,
    });
  }
}

/** Let's Encrypt: 50 new certificates per registered domain in 7 days; the same set of names again is a renewal. */
function* issuedAtOnce(context: RuleContext<unknown>): Iterable<Problem> {
  const limit = (context.options as { issuedAtOnce: number }).issuedAtOnce;
  const fresh = context.changes.flatMap(({ before, after }) => {
    if (after === undefined || after.ref.kind !== 'Certificate' || after.ref.group !== 'cert-manager.io') return [];
    const names = dnsNamesOf(after) ?? [];
    const had = before === undefined ? [] : (dnsNamesOf(before) ?? []);
    return names.length === 0 || [...names].sort().join() === [...had].sort().join() ? [] : [{ after, names }];
  });
  const domains = Map.groupBy(fresh, ({ names }) => names[0]!.split('.').slice(-2).join('.'));
  for (const [domain, group] of domains) {
    const first = group[0]!.after;
    if (group.length <= limit) continue;
    yield problemAt(first, '/spec/dnsNames', {
      message: `${group.length} Certificates below ${domain} are ordered at once: an ACME issuer allows about 50 per registered domain and week, so later ones, and renewals of new names, wait for days.`,
      severity: 'medium',
      confidence: 'likely',
      evidence: { after: group.length, facts: group.slice(0, 8).map(({ after }) => formatRef(after.ref)) },
      rootCause: `tls-binding-broken:orders:${domain}`,
      fix: 'Order them in several changes over days, or use one wildcard certificate.',
    });
  }
}

export default defineRule({
  id: 'tls-binding-broken',
  since: '0.1.0',
  family: 'Services, Ingress, Gateway API',
  title: 'TLS binding broken',
  severity: 'high',
  reversibility: 'instant',
  confidence: 'determined',
  needs: 'joined',
  kinds: [
    'networking.k8s.io/Ingress',
    'gateway.networking.k8s.io/Gateway',
    'networking.istio.io/Gateway',
    'cert-manager.io/Certificate',
    '/Secret',
  ],
  live: ['/Secret'],
  summary: 'A host is served with a certificate for another name, or with one that is not issued yet.',
  docs: {
    why: 'A server sends the certificate of the Secret that its Ingress or Gateway names, else the default certificate of the controller. When the names of that certificate no longer include the host, every client refuses the connection, at once after the certificate is issued. The Secret of a new Certificate object is empty until the issuer has answered.',
    fix: 'Issue the new certificate first, under a new Secret name, and move the hosts to it when it is Ready. Derive wildcard names from one parameter of the cluster.',
    ignoreWhen: 'Something in front (a CDN, a load balancer) ends TLS with another certificate.',
  },
  references: [
    'https://cert-manager.io/docs/usage/certificate/',
    'https://letsencrypt.org/docs/rate-limits/',
    'Ministry of Justice Cloud Platform incidents 2021-07-12 and 2022-03-10 (default certificate of another cluster)',
  ],
  options: Type.Object({
    issuedAtOnce: Type.Number({
      default: 40,
      description: 'Certificates of one registered domain that one change may order.',
    }),
  }),
  examples,
  *check(context) {
    const scopes = new Set(context.changes.flatMap((change) => (change.after ?? change.before)?.target.scope ?? []));
    const changed = new Set(
      context.changes.flatMap((change) => (change.after === undefined ? [] : [entryIdentity(change.after)])),
    );
    const reported = new Set<string>();
    for (const scope of scopes) {
      for (const problem of hostsLost(context, scope, changed)) {
        const { group, kind, namespace, name } = problem.resource;
        const entry = context.after.get(scope, group, kind, namespace, name);
        if (entry !== undefined) reported.add(entryIdentity(entry));
        yield problem;
      }
      yield* notIssuedYet(context, scope);
    }
    yield* foreignNames(context, reported);
    yield* floorRaised(context);
    yield* issuedAtOnce(context);
  },
});

import type { X509Certificate } from 'node:crypto';
import type { World } from '../../core/rule.ts';
import { commonName, coversName, isTrusted, readCertificates, readEncodedCertificates } from './certificates.ts';
import { memo } from './memo.ts';
import { at, listAt, stringAt, stringMapAt } from './pods.ts';
import { podReferences } from './references.ts';
import type { Backend } from './services.ts';
import type { Webhook } from './webhooks.ts';
import type { ClusterView } from './cluster-view.ts';

export type TrustFault = 'untrusted' | 'name-not-covered' | 'no-ca';

export interface TrustProblem {
  readonly fault: TrustFault;
  /** One clause. */
  readonly detail: string;
  readonly facts: readonly string[];
  /** What the comparison depends on; equal on both sides: nothing changed. */
  readonly fingerprint: string;
}

/** Does somebody write the CA into the configuration at run time, by annotation? */
export function caInjector(webhook: Webhook): string | undefined {
  const metadata = webhook.entry?.effective.metadata;
  for (const key of Object.keys(stringMapAt(metadata, 'annotations')))
    if (/inject-(?:apiserver-)?ca|inject-cabundle|ca-inject/i.test(key)) return `annotation ${key}`;
  if (stringMapAt(metadata, 'labels')['external-secrets.io/component'] === 'webhook')
    return 'the external-secrets cert-controller';
  return undefined;
}

/** Scopes in which some role may patch webhook configurations: operators that write their own CA, certificate jobs. */
const caPatchers = memo((world: World) => {
  const scopes = new Set<string>();
  const hooks = world.hooks ?? [];
  for (const entry of [...world.ofKind('rbac.authorization.k8s.io', 'ClusterRole'), ...hooks]) {
    if (entry.ref.kind === 'ClusterRole' && listAt(entry.effective, 'rules').some(mayPatchWebhooks))
      scopes.add(entry.target.scope);
  }
  return scopes;
});

function mayPatchWebhooks(rule: unknown): boolean {
  const verbs = listAt<unknown>(rule, 'verbs');
  const resources = listAt<unknown>(rule, 'resources');
  return (
    ['*', 'update', 'patch'].some((verb) => verbs.includes(verb)) &&
    ['*', 'validatingwebhookconfigurations', 'mutatingwebhookconfigurations'].some((name) => resources.includes(name))
  );
}

/**
 * Compares `caBundle` with the serving certificates that the backend mounts and that are part of the same render.
 * Undefined: they fit, or there is nothing to compare (certificates made at run time, masked or redacted values).
 */
export function trustProblem(webhook: Webhook, backend: Backend, view: ClusterView): TrustProblem | undefined {
  if (webhook.entry === undefined || caInjector(webhook) !== undefined) return undefined;
  const bundle = stringAt(webhook.fields, 'clientConfig', 'caBundle') ?? '';
  if (bundle === '') return caPatchers(view.world).has(webhook.entry.target.scope) ? undefined : noCa(webhook);
  const roots = readEncodedCertificates(bundle);
  if (roots === undefined) return undefined;
  const serving = servingCertificates(backend, view);
  if (serving.length === 0) return undefined;
  const { namespace, name } = backend.address;
  const host = `${name}.${namespace}.svc`;
  const trusted = serving.filter(({ chain }) => isTrusted(chain, roots));
  const fingerprint = [bundle, ...serving.map(({ chain }) => chain[0]!.fingerprint256)].join('\n');
  if (trusted.length === 0) {
    const [first] = serving;
    return {
      fault: 'untrusted',
      detail: `its caBundle does not verify the certificate in Secret ${first!.secret}`,
      facts: [
        `caBundle holds ${roots.map((root) => commonName(root.subject)).join(', ')}`,
        ...serving.map(
          ({ secret, chain }) =>
            `Secret ${secret} serves ${commonName(chain[0]!.subject)}, issued by ${commonName(chain[0]!.issuer)}`,
        ),
      ],
      fingerprint,
    };
  }
  if (trusted.some(({ chain }) => coversName(chain[0]!, host))) return undefined;
  const [first] = trusted;
  return {
    fault: 'name-not-covered',
    detail: `the certificate in Secret ${first!.secret} is not valid for ${host}`,
    facts: [
      `the API server asks for ${host}; the certificate names ${first!.chain[0]!.subjectAltName ?? 'nothing (no subjectAltName)'}`,
    ],
    fingerprint,
  };
}

function noCa(webhook: Webhook): TrustProblem {
  return {
    fault: 'no-ca',
    detail: 'its caBundle is empty and nothing in the render fills it in',
    facts: [
      'without caBundle the API server verifies the certificate with its own trust roots, which do not know a private CA',
      `no injector annotation on ${webhook.kind} ${webhook.configuration}, and no ClusterRole of this cluster may patch webhook configurations`,
    ],
    fingerprint: 'no-ca',
  };
}

interface ServingCertificate {
  readonly secret: string;
  readonly chain: readonly X509Certificate[];
}

/** Certificates in rendered Secrets that the backend's pods mount. */
function servingCertificates(backend: Backend, view: ClusterView): readonly ServingCertificate[] {
  const { namespace } = backend.address;
  const names = new Set(
    backend.makers.flatMap((maker) =>
      podReferences(maker.template)
        .filter((reference) => reference.kind === 'Secret' && reference.use === 'volume')
        .map(({ name }) => name),
    ),
  );
  const result: ServingCertificate[] = [];
  for (const name of [...names].sort()) {
    const secret = view.get('', 'Secret', namespace, name);
    if (secret?.entry === undefined) continue;
    const encoded = stringAt(secret.object, 'data', 'tls.crt');
    const plain = at(secret.object, 'stringData', 'tls.crt');
    const chain =
      typeof plain === 'string'
        ? readCertificates(plain)
        : encoded === undefined
          ? undefined
          : readEncodedCertificates(encoded);
    if (chain !== undefined && chain.length > 0) result.push({ secret: `${namespace}/${name}`, chain });
  }
  return result;
}

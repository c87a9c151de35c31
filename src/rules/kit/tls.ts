import type { Entry } from '../../core/model.ts';
import type { World } from '../../core/rule.ts';
import { coversName, readCertificates, readEncodedCertificates } from './certificates.ts';
import { getOrMake, memo } from './memo.ts';
import { at, containersOf, listAt, stringAt, stringMapAt, workloads } from './pods.ts';

/** A host that something serves with TLS, and the Secrets that hold its certificate. */
export interface TlsBinding {
  /** Ingress, Gateway API Gateway or Istio Gateway. */
  readonly entry: Entry;
  /** Pointer to the entry of `tls`, the listener or the server. */
  readonly path: string;
  readonly host: string;
  /** Empty: the default certificate of the ingress controller. An Istio credential has no namespace: it lies beside the gateway's pods. */
  readonly secrets: readonly { readonly namespace?: string; readonly name: string }[];
  /** cert-manager makes the Certificate from this object, with its own hosts. */
  readonly issuedForItself: boolean;
}

/** What a Secret will hold: a cert-manager Certificate, or a certificate in the tree. */
export interface CertificateSource {
  readonly entry: Entry;
  /** For people. */
  readonly names: readonly string[];
  covers(host: string): boolean;
}

const issuerAnnotations = ['cert-manager.io/cluster-issuer', 'cert-manager.io/issuer', 'kubernetes.io/tls-acme'];

function issuesForItself(entry: Entry): boolean {
  const annotations = stringMapAt(entry.object, 'metadata', 'annotations');
  return issuerAnnotations.some((key) => Object.hasOwn(annotations, key));
}

/** Every host that Ingresses and Gateways of a scope serve with TLS. */
export function tlsBindings(world: World, scope: string): readonly TlsBinding[] {
  return [
    ...world.ofKind('networking.k8s.io', 'Ingress', scope).flatMap(ingressBindings),
    ...world.ofKind('gateway.networking.k8s.io', 'Gateway', scope).flatMap(gatewayBindings),
    ...world.ofKind('networking.istio.io', 'Gateway', scope).flatMap(istioBindings),
  ];
}

function ingressBindings(entry: Entry): readonly TlsBinding[] {
  const namespace = entry.ref.namespace ?? 'default';
  const ruleHosts = listAt(entry.effective, 'spec', 'rules').flatMap((rule) => stringAt(rule, 'host') ?? []);
  return listAt(entry.effective, 'spec', 'tls').flatMap((tls, index) => {
    const written = listAt<string>(tls, 'hosts').filter((host) => typeof host === 'string');
    const name = stringAt(tls, 'secretName') ?? '';
    return [...new Set(written.length > 0 ? written : ruleHosts)].map((host) => ({
      entry,
      path: `/spec/tls/${index}`,
      host,
      secrets: name === '' ? [] : [{ namespace, name }],
      issuedForItself: issuesForItself(entry),
    }));
  });
}

function gatewayBindings(entry: Entry): readonly TlsBinding[] {
  return listAt(entry.effective, 'spec', 'listeners').flatMap((listener) => {
    const host = stringAt(listener, 'hostname') ?? '';
    const secrets = listAt(listener, 'tls', 'certificateRefs').flatMap((ref) => {
      const name = stringAt(ref, 'name');
      if (name === undefined || (stringAt(ref, 'kind') ?? 'Secret') !== 'Secret') return [];
      return [{ namespace: stringAt(ref, 'namespace') ?? entry.ref.namespace ?? 'default', name }];
    });
    if (host === '' || secrets.length === 0) return [];
    const path = `/spec/listeners/${stringAt(listener, 'name') ?? ''}`;
    return [{ entry, path, host, secrets, issuedForItself: issuesForItself(entry) }];
  });
}

/** Hosts may carry a namespace: `shop/www.example.org`. `*` serves every host. */
function istioBindings(entry: Entry): readonly TlsBinding[] {
  return listAt(entry.effective, 'spec', 'servers').flatMap((server, index) => {
    const name = stringAt(server, 'tls', 'credentialName');
    if (name === undefined) return [];
    return listAt<string>(server, 'hosts').flatMap((text) => {
      const host = typeof text === 'string' ? text.slice(text.indexOf('/') + 1) : '*';
      if (host === '*') return [];
      return [{ entry, path: `/spec/servers/${index}`, host, secrets: [{ name }], issuedForItself: false }];
    });
  });
}

function sourceKey(scope: string, namespace: string | undefined, name: string): string {
  return [scope, namespace ?? '', name].join('\u0000');
}

const sourcesOf = memo((world: World) => {
  const index = new Map<string, CertificateSource[]>();
  const add = (source: CertificateSource, name: string) => {
    const { target, ref } = source.entry;
    for (const namespace of [ref.namespace ?? 'default', undefined])
      getOrMake(index, sourceKey(target.scope, namespace, name), () => []).push(source);
  };
  for (const entry of world.ofKind('cert-manager.io', 'Certificate')) {
    const source = certificateSource(entry);
    const name = stringAt(entry.effective, 'spec', 'secretName');
    if (source !== undefined && name !== undefined) add(source, name);
  }
  for (const entry of world.ofKind('', 'Secret')) {
    const source = secretSource(entry);
    if (source !== undefined) add(source, entry.ref.name);
  }
  return index;
});

/** Names of a Certificate object; undefined when it names no host (only URIs or addresses). */
export function dnsNamesOf(entry: Entry): readonly string[] | undefined {
  const listed = listAt<string>(entry.effective, 'spec', 'dnsNames').filter((name) => typeof name === 'string');
  const common = stringAt(entry.effective, 'spec', 'commonName');
  const names = [...new Set(common === undefined ? listed : [...listed, common])];
  return names.length === 0 ? undefined : names;
}

function certificateSource(entry: Entry): CertificateSource | undefined {
  const names = dnsNamesOf(entry);
  return names === undefined ? undefined : { entry, names, covers: (host) => coversHost(names, host) };
}

function secretSource(entry: Entry): CertificateSource | undefined {
  const encoded = stringAt(entry.object, 'data', 'tls.crt');
  const plain = stringAt(entry.object, 'stringData', 'tls.crt');
  const chain =
    plain !== undefined
      ? readCertificates(plain)
      : encoded === undefined
        ? undefined
        : readEncodedCertificates(encoded);
  const leaf = chain?.[0];
  if (leaf === undefined) return undefined;
  const names = (leaf.subjectAltName ?? '').split(', ').map((name) => name.replace(/^DNS:/, ''));
  return { entry, names, covers: (host) => names.includes(host) || coversName(leaf, host) };
}

/** RFC 6125: a wildcard stands for exactly one label. A wildcard host is covered by the same wildcard only. */
export function coversHost(names: readonly string[], host: string): boolean {
  const wanted = host.toLowerCase();
  const rest = wanted.slice(wanted.indexOf('.'));
  return names.some((name) => {
    const have = name.toLowerCase();
    return have === wanted || (have.startsWith('*.') && wanted.includes('.') && have.slice(1) === rest);
  });
}

/** Certificates behind a binding; [] when nothing in the tree says what the Secrets hold. */
export function certificatesOf(world: World, binding: TlsBinding): readonly CertificateSource[] {
  const { scope } = binding.entry.target;
  const secrets = binding.secrets.length > 0 ? binding.secrets : defaultCertificates(world, scope);
  return secrets.flatMap(({ namespace, name }) => sourcesOf(world).get(sourceKey(scope, namespace, name)) ?? []);
}

/** The certificate that an ingress controller serves when an Ingress names none: ingress-nginx by argument, Traefik by TLSStore. */
export function defaultCertificates(
  world: World,
  scope: string,
): readonly { readonly namespace: string; readonly name: string }[] {
  const result: { namespace: string; name: string }[] = [];
  for (const { template } of workloads(world, scope)) {
    for (const { container } of containersOf(template)) {
      for (const argument of listAt<unknown>(container, 'args')) {
        const found =
          typeof argument === 'string' && argument.length < 600
            ? /^--default-ssl-certificate=([^/\s]+)\/(\S+)$/.exec(argument)
            : null;
        if (found?.[1] !== undefined && found[2] !== undefined) result.push({ namespace: found[1], name: found[2] });
      }
    }
  }
  for (const group of ['traefik.io', 'traefik.containo.us']) {
    for (const entry of world.ofKind(group, 'TLSStore', scope)) {
      const name = stringAt(entry.effective, 'spec', 'defaultCertificate', 'secretName');
      if (entry.ref.name === 'default' && name !== undefined)
        result.push({ namespace: entry.ref.namespace ?? 'default', name });
    }
  }
  return result;
}

/** Oldest TLS version that a proxy configuration accepts: 1.0 is 10. Undefined: the object sets none. */
export function tlsFloor(entry: Entry): number | undefined {
  const { group, kind } = entry.ref;
  const versions: (string | undefined)[] = [];
  if (group === '' && kind === 'ConfigMap') {
    // ingress-nginx: the list of accepted versions.
    const list = stringAt(entry.effective, 'data', 'ssl-protocols');
    versions.push(...(list === undefined || list.length > 200 ? [] : list.trim().split(/\s+/)));
  } else if (group === 'networking.istio.io' && kind === 'Gateway') {
    for (const server of listAt(entry.effective, 'spec', 'servers'))
      versions.push(stringAt(server, 'tls', 'minProtocolVersion'));
  } else if (group.startsWith('traefik.') && kind === 'TLSOption') {
    versions.push(stringAt(at(entry.effective, 'spec'), 'minVersion'));
  }
  const numbers = versions.flatMap((version) => {
    const found = /^(?:TLSv|TLSV|VersionTLS)1[._]?([0-3])?$/.exec(version ?? '');
    return found === null ? [] : [10 + Number(found[1] ?? 0)];
  });
  return numbers.length === 0 ? undefined : Math.min(...numbers);
}

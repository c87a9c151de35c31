import { splitKind } from '../../core/json.ts';
import type { Confidence, Entry, ResourceChange } from '../../core/model.ts';
import type { Problem, RuleContext, World } from '../../core/rule.ts';
import { at, containersOf, listAt, podTemplate, stringAt, stringMapAt } from './pods.ts';
import { nilIn } from './placeholders.ts';
import { formatRef, problemAt } from './problem.ts';
import { counterpart } from './touched.ts';

/** A container without an image, or with one that cannot be a reference: `repo:`, `:1.0`, `repo:null`. */
export function* brokenImages(change: ResourceChange, after: Entry): Iterable<Problem> {
  const template = podTemplate(after.object);
  if (template === undefined) return;
  const old = change.before === undefined ? undefined : podTemplate(change.before.object);
  const previous = new Map(
    (old === undefined ? [] : containersOf(old)).map(({ container }) => [container.name, container.image]),
  );
  for (const { container, path } of containersOf(template)) {
    const image: unknown = container.image;
    const text = typeof image === 'string' ? image.trim() : '';
    const empty = image === undefined || image === null || text === '';
    const broken = empty || /^[:@/]|[:@/]$|\/\/|[:/](null|<nil>|nil)$|\s/.test(text);
    // `<no value>` in it is reported as such.
    if (!broken || nilIn(text) !== undefined) continue;
    const was = previous.get(container.name);
    const same = previous.has(container.name) && (was ?? '') === (image ?? '');
    if (same) continue;
    yield problemAt(after, `${path}/image`, {
      message: empty
        ? `Container ${container.name} of ${formatRef(after.ref)} has no image: the API server refuses the pod template (Required value).`
        : `Container ${container.name} of ${formatRef(after.ref)} has the image ${text}, which is no image reference: the pod stays in InvalidImageName.`,
      ...(empty ? { willNotApply: true } : {}),
      evidence: { before: was ?? null, after: text },
      fix: `Set repository and tag of container ${container.name}; the value that the template reads is empty.`,
    });
  }
}

/** A file that SOPS encrypted, rendered as it is. Flux decrypts it if the Kustomization says so. */
export function* undecrypted(context: RuleContext<unknown>, change: ResourceChange, after: Entry): Iterable<Problem> {
  if (at(after.object, 'sops', 'mac') === undefined && at(after.object, 'sops', 'lastmodified') === undefined) return;
  if (change.before !== undefined && at(change.before.object, 'sops') !== undefined) return;
  const { target } = after;
  const declared = target.declaredBy;
  // Plugins (KSOPS) decrypt in kustomize; plain manifests are applied as they are.
  const plain = target.sources.every((source) => source.type === 'manifests');
  let confidence: Confidence = target.engine === 'argocd' && plain ? 'determined' : 'likely';
  if (target.engine === 'flux') {
    const owner =
      declared === undefined
        ? undefined
        : context.after
            .ofKind(declared.group, declared.kind)
            .find(({ ref }) => ref.name === declared.name && ref.namespace === declared.namespace);
    if (owner === undefined) return;
    if (at(owner.object, 'spec', 'decryption') !== undefined) return;
    confidence = 'determined';
  }
  // Others in the same unit were encrypted before: something decrypts them.
  const habit = context.before.entries.some(
    (entry) => entry.target.id === target.id && at(entry.object, 'sops') !== undefined,
  );
  if (habit) return;
  yield problemAt(after, '/sops', {
    message: `${formatRef(after.ref)} is encrypted with SOPS, and nothing decrypts it on the way: the cluster gets the encrypted text as values.`,
    confidence,
    evidence: { facts: [`${target.engine} renders ${target.name} without decryption`] },
    fix:
      target.engine === 'flux'
        ? `Set spec.decryption (provider: sops) in the Kustomization ${target.name}.`
        : `Decrypt it in the rendering (a config management plugin), or use an ExternalSecret or SealedSecret.`,
  });
}

function ciphertexts(entry: Entry): string[] {
  const data = at(entry.object, 'spec', 'encryptedData');
  return typeof data === 'object' && data !== null
    ? Object.values(data).filter((value) => typeof value === 'string' && value.length > 40)
    : [];
}

/** A strict SealedSecret is sealed for one name and one namespace: under another one the controller cannot open it. */
export function* copiedSealedSecrets(context: RuleContext<unknown>): Iterable<Problem> {
  const added = context.changes.filter(
    ({ action, after }) =>
      (action === 'added' || action === 'renamed') &&
      after?.ref.group === 'bitnami.com' &&
      after.ref.kind === 'SealedSecret',
  );
  if (added.length === 0) return;
  const known = new Map<string, Entry>();
  for (const entry of context.before.ofKind('bitnami.com', 'SealedSecret'))
    for (const text of ciphertexts(entry)) known.set(text, entry);
  for (const { after } of added) {
    if (after === undefined) continue;
    const annotations = {
      ...stringMapAt(after.object, 'metadata', 'annotations'),
      ...stringMapAt(after.object, 'spec', 'template', 'metadata', 'annotations'),
    };
    if (annotations['sealedsecrets.bitnami.com/cluster-wide'] === 'true') continue;
    const wide = annotations['sealedsecrets.bitnami.com/namespace-wide'] === 'true';
    const source = ciphertexts(after)
      .map((text) => known.get(text))
      .find(
        (entry) =>
          entry !== undefined &&
          (entry.ref.namespace !== after.ref.namespace || (!wide && entry.ref.name !== after.ref.name)),
      );
    if (source === undefined) continue;
    yield problemAt(after, '/spec/encryptedData', {
      message: `${formatRef(after.ref)} carries values that were sealed for ${formatRef(source.ref)}: name and namespace are part of the seal, so the controller cannot open it and no Secret appears.`,
      evidence: { before: formatRef(source.ref), after: formatRef(after.ref) },
      fix: `Seal the values again for ${after.ref.namespace ?? 'default'}/${after.ref.name} (kubeseal --name ${after.ref.name} --namespace ${after.ref.namespace ?? 'default'}).`,
    });
  }
}

/** Domains of RFC 2606 and the default host of `helm create`. */
const exampleDomain = /(^|\.)(example\.(com|org|net)|chart-example\.local)$/i;

/** Host names that an object claims. */
function hostsOf(entry: Entry): { readonly host: string; readonly path: string }[] {
  const object = entry.object;
  const result: { host: string; path: string }[] = [];
  const add = (host: unknown, path: string) => {
    if (typeof host === 'string') result.push({ host, path });
  };
  switch (`${entry.ref.group}/${entry.ref.kind}`) {
    case 'networking.k8s.io/Ingress':
      listAt(object, 'spec', 'rules').forEach((rule, index) =>
        add(stringAt(rule, 'host'), `/spec/rules/${index}/host`),
      );
      break;
    case 'gateway.networking.k8s.io/Gateway':
      for (const listener of listAt(object, 'spec', 'listeners'))
        add(stringAt(listener, 'hostname'), `/spec/listeners/${stringAt(listener, 'name') ?? ''}/hostname`);
      break;
    case 'gateway.networking.k8s.io/HTTPRoute':
    case 'gateway.networking.k8s.io/GRPCRoute':
      listAt<unknown>(object, 'spec', 'hostnames').forEach((host, index) => add(host, `/spec/hostnames/${index}`));
      break;
    case 'networking.istio.io/VirtualService':
      listAt<unknown>(object, 'spec', 'hosts').forEach((host, index) => add(host, `/spec/hosts/${index}`));
      break;
    case 'cert-manager.io/Certificate':
      listAt<unknown>(object, 'spec', 'dnsNames').forEach((host, index) => add(host, `/spec/dnsNames/${index}`));
      break;
    default:
  }
  return result;
}

function usesExamples(world: World): boolean {
  return [
    'networking.k8s.io/Ingress',
    'gateway.networking.k8s.io/HTTPRoute',
    'gateway.networking.k8s.io/Gateway',
    'networking.istio.io/VirtualService',
    'cert-manager.io/Certificate',
  ].some((key) =>
    world.ofKind(...splitKind(key)).some((entry) => hostsOf(entry).some(({ host }) => exampleDomain.test(host))),
  );
}

/** A host of an example domain appears in a repository that did not use any before. */
export function* exampleHosts(context: RuleContext<unknown>): Iterable<Problem> {
  let habit: boolean | undefined;
  for (const { after } of context.changes) {
    if (after === undefined) continue;
    const first = hostsOf(after).find(({ host }) => exampleDomain.test(host));
    if (first === undefined) continue;
    habit ??= usesExamples(context.before);
    if (habit) return;
    const old = counterpart(context.before, after);
    yield problemAt(after, first.path, {
      message: `${formatRef(after.ref)} claims the host ${first.host}, which belongs to an example domain: requests for the real host do not reach it.`,
      confidence: 'likely',
      evidence: { before: old === undefined ? null : hostsOf(old).map(({ host }) => host), after: first.host },
      fix: `Set the real host at ${first.path} of ${formatRef(after.ref)}; the default of the chart is still there.`,
      rootCause: `placeholder:${after.target.id}:${first.host}`,
    });
  }
}

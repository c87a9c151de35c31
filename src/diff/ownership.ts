import { groupOf } from '../core/json.ts';
import type { Entry, KubeObject, Target } from '../core/model.ts';
import { own } from './defaults/fill.ts';

/**
 * Names the other application that a live object belongs to, by the marks that the engines leave; undefined when it
 * is this target's own, or nobody's. A target without an engine that declares it (a chart, an overlay) leaves no marks
 * of its own, so only a Helm release of another name counts against it.
 */
export function otherOwner({ target }: Entry, live: KubeObject): string | undefined {
  const application = argoOwner(live);
  const kustomization = fluxOwner(live, 'kustomize', 'Kustomization');
  const release = fluxOwner(live, 'helm', 'HelmRelease');
  if (target.engine === 'argocd') {
    if (application !== undefined) return isApplication(target, application) ? undefined : argoName(application);
    return kustomization ?? release ?? otherRelease(target, live);
  }
  if (target.engine === 'flux') {
    const byFlux = target.declaredBy?.kind === 'HelmRelease' ? (release ?? kustomization) : (kustomization ?? release);
    if (byFlux !== undefined) return byFlux === declaration(target) ? undefined : byFlux;
    return application === undefined ? otherRelease(target, live) : argoName(application);
  }
  return otherRelease(target, live);
}

/**
 * The Application that tracks an object: `argocd.argoproj.io/tracking-id` (`app:group/Kind:namespace/name`) where it
 * names the object itself and was not copied with it (argo-cd controller/state.go isSelfReferencedObj), else the label
 * of that group. The label `app.kubernetes.io/instance` is everybody's and proves nothing.
 */
function argoOwner(live: KubeObject): string | undefined {
  const id = annotation(live, 'argocd.argoproj.io/tracking-id');
  if (id !== undefined) {
    const [application = '', kind = '', place = ''] = id.split(':');
    const [group, itsKind] = kind.split('/');
    const isItself =
      group === groupOf(live.apiVersion) && itsKind === live.kind && place.split('/').at(-1) === live.metadata.name;
    return isItself ? application : undefined;
  }
  return label(live, 'argocd.argoproj.io/instance');
}

/** Applications outside of Argo CD's own namespace are written `<namespace>_<name>`. */
function isApplication(target: Target, application: string): boolean {
  const { name = target.name, namespace } = target.declaredBy ?? {};
  return application === name || (namespace !== undefined && application === `${namespace}_${name}`);
}

function argoName(application: string): string {
  return `Argo CD Application ${application.replace('_', '/')}`;
}

function fluxOwner(live: KubeObject, group: 'kustomize' | 'helm', kind: string): string | undefined {
  const [name, namespace] = ['name', 'namespace'].map((key) => label(live, `${group}.toolkit.fluxcd.io/${key}`));
  return name === undefined ? undefined : `Flux ${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

function declaration({ declaredBy, name }: Target): string {
  if (declaredBy === undefined) return `Flux Kustomization ${name}`;
  const { kind, namespace, name: own } = declaredBy;
  return `Flux ${kind} ${namespace === undefined ? '' : `${namespace}/`}${own}`;
}

/** `meta.helm.sh/release-name` of another release than the target's own. */
function otherRelease(target: Target, live: KubeObject): string | undefined {
  const name = annotation(live, 'meta.helm.sh/release-name');
  if (name === undefined || label(live, 'app.kubernetes.io/managed-by') !== 'Helm') return undefined;
  const releases = target.sources.flatMap((source) => (source.type === 'helm' ? [source.release] : []));
  // What another engine or a plain apply took over keeps the marks of the release that it once was.
  if (releases.length === 0 || releases.includes(name)) return undefined;
  const namespace = annotation(live, 'meta.helm.sh/release-namespace');
  return `Helm release ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

function label(live: KubeObject, name: string): string | undefined {
  return textIn(live.metadata.labels, name);
}

function annotation(live: KubeObject, name: string): string | undefined {
  return textIn(live.metadata.annotations, name);
}

function textIn(map: Readonly<Record<string, string>> | undefined, name: string): string | undefined {
  const value = map === undefined ? undefined : own(map, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

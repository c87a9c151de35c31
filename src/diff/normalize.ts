import type { KubeObject } from '../core/model.ts';
import { type Fields, isFields, own } from './defaults/fill.ts';
import { groupOf } from '../core/json.ts';
import { isBuiltinGroup } from './list-keys.ts';

/** Fields of `metadata` that the API server alone writes. */
const serverMetadata = [
  'creationTimestamp',
  'managedFields',
  'resourceVersion',
  'uid',
  'generation',
  'selfLink',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
];

/** A copy of the object that kubectl and Argo CD keep on the object itself. */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * Marks by which Argo CD, Flux and Helm know their objects. They are written when the object is applied
 * (argo-cd util/argo/resource_tracking.go, fluxcd/pkg/ssa, helm pkg/action/validate.go), so a live value
 * that differs from Git is no drift.
 */
const trackingNames: ReadonlySet<string> = new Set([
  'argocd.argoproj.io/tracking-id',
  'argocd.argoproj.io/instance',
  'app.kubernetes.io/instance',
  'app.kubernetes.io/managed-by',
  'kustomize.toolkit.fluxcd.io/name',
  'kustomize.toolkit.fluxcd.io/namespace',
  'kustomize.toolkit.fluxcd.io/checksum',
  'helm.toolkit.fluxcd.io/name',
  'helm.toolkit.fluxcd.io/namespace',
  'meta.helm.sh/release-name',
  'meta.helm.sh/release-namespace',
  'deployment.kubernetes.io/revision',
  lastApplied,
]);

/** Is this `metadata.labels` or `metadata.annotations` key written by the engine and not by Git? */
export function isTrackingKey(name: string): boolean {
  return trackingNames.has(name);
}

/**
 * The object without what no author decides: server-written metadata, the last-applied copy, and `status` of kinds
 * whose status is a subresource (all built-in ones; custom ones when their manifests cannot set it).
 * @param object with defaults filled in; not changed
 * @param keepsStatus custom resources whose CRD has no status subresource: their status is plain data
 */
export function comparable(object: KubeObject, keepsStatus: boolean): KubeObject {
  let result = object;
  if (Object.hasOwn(result, 'status') && (isBuiltinGroup(groupOf(object.apiVersion)) || !keepsStatus)) {
    const { status: _status, ...rest } = result;
    result = rest as KubeObject;
  }
  const metadata = strip(result.metadata, serverMetadata);
  const annotations = own(metadata, 'annotations');
  const kept =
    isFields(annotations) && Object.hasOwn(annotations, lastApplied)
      ? { ...metadata, annotations: strip(annotations, [lastApplied]) }
      : metadata;
  return kept === result.metadata ? result : { ...result, metadata: kept as KubeObject['metadata'] };
}

function strip(object: Fields, names: readonly string[]): Fields {
  if (!names.some((name) => Object.hasOwn(object, name))) return object;
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}

/** `checksum/config`, `config-hash`, `rollme`, `configmap.reloader/sha1`, `app.kubernetes.io/config-checksum` ... */
const generatedName =
  /(?:^|[/._-])(?:checksums?|hash|sha(?:1|224|256|512)?(?:sum)?|md5(?:sum)?|rollme|digest)(?:$|[/._-])/i;
/** Hexadecimal or base64 digests, and Helm's `randAlphaNum 5`. */
const generatedValue = /^(?:[0-9a-f]{6,128}|[A-Za-z0-9+/_=-]{5,128})$/;

/**
 * Is this change only a generated value (a checksum annotation or label)? It still restarts pods where it stands in a
 * pod template; a printed diff can do without it.
 * @param fields names on the way, the last one is the annotation's key
 */
export function isGenerated(fields: readonly string[], before: unknown, after: unknown): boolean {
  const holder = fields.at(-2);
  if (holder !== 'annotations' && holder !== 'labels') return false;
  if (!generatedName.test(fields.at(-1) ?? '')) return false;
  return [before, after].every(
    (value) => value === undefined || (typeof value === 'string' && generatedValue.test(value)),
  );
}

/** Does a path lie at or below one of the masked ones, whose value differs between two renders of the same input? */
export function isMasked(path: string, masked: readonly string[] | undefined): boolean {
  return masked?.some((mask) => path === mask || path.startsWith(`${mask}/`)) ?? false;
}

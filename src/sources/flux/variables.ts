import type { AfterRender, Json, JsonObject } from '../../core/model.ts';
import { asObject, get, objects, scalarText, text } from '../argocd/values.ts';
import type { FluxContext } from './context.ts';
import type { FluxObject, ObjectIndex } from './objects.ts';

/** The data of a ConfigMap or Secret, or why it cannot be read. */
export type ReadData =
  | { readonly ok: true; readonly data: ReadonlyMap<string, string>; readonly file: string | undefined }
  | { readonly ok: false; readonly reason: string };

/**
 * Reads a ConfigMap or Secret that a Flux object of that namespace names: rendered for the same cluster, else from a
 * file of the tree, else (ConfigMaps) from the cluster evidence. Encrypted and redacted values are not values.
 */
export function readData(
  kind: string,
  name: string,
  owner: FluxObject,
  index: ObjectIndex,
  context: FluxContext,
): ReadData {
  if (kind !== 'ConfigMap' && kind !== 'Secret') return { ok: false, reason: 'is of a kind that Flux does not read' };
  const wanted = { group: '', kind, namespace: owner.namespace, name };
  const found = index.find({ ...wanted, accept: (item) => !isHidden(item.object) }, owner);
  if (found === 'ambiguous') return { ok: false, reason: 'stands in several files of the tree' };
  if (found !== undefined)
    return { ok: true, data: dataOf(found.object), file: found.parent === undefined ? found.location.file : undefined };
  if (index.find(wanted, owner) !== undefined) return { ok: false, reason: 'is encrypted' };
  const live =
    kind === 'ConfigMap'
      ? context.cluster?.objects.find(
          (item) => item.kind === kind && item.metadata.name === name && item.metadata.namespace === owner.namespace,
        )
      : undefined;
  if (live !== undefined) return { ok: true, data: dataOf(live as unknown as JsonObject), file: undefined };
  return { ok: false, reason: 'is not in this repository' };
}

/** SOPS leaves its metadata at the top; redaction marks values; sealed values never have kind Secret. */
function isHidden(object: JsonObject): boolean {
  if (Object.hasOwn(object, 'sops')) return true;
  return ['data', 'stringData'].some((field) =>
    Object.values(asObject(get(object, field)) ?? {}).some(
      (value) => typeof value === 'string' && (value.startsWith('redacted:') || value.startsWith('ENC[')),
    ),
  );
}

function dataOf(object: JsonObject): ReadonlyMap<string, string> {
  const result = new Map<string, string>();
  const secret = get(object, 'kind') === 'Secret';
  for (const [key, value] of Object.entries(asObject(get(object, 'data')) ?? {})) {
    const plain = scalarText(value);
    if (plain !== undefined) result.set(key, secret ? Buffer.from(plain, 'base64').toString('utf8') : plain);
  }
  // The API server writes stringData over data.
  if (secret) {
    for (const [key, value] of Object.entries(asObject(get(object, 'stringData')) ?? {})) {
      const plain = scalarText(value);
      if (plain !== undefined) result.set(key, plain);
    }
  }
  return result;
}

/**
 * `spec.postBuild` as variables: substituteFrom in list order, then the inline map; line breaks are removed from
 * every value (fluxcd/pkg/kustomize kustomize_varsub.go, LoadVariables and SubstituteVariables).
 * @returns undefined without `postBuild`: the text is not touched then; `files`: tree files that were read
 */
export function substitutionOf(
  owner: FluxObject,
  index: ObjectIndex,
  context: FluxContext,
): { readonly substitute: NonNullable<AfterRender['substitute']>; readonly files: readonly string[] } | undefined {
  const postBuild = asObject(get(owner.object, 'spec', 'postBuild'));
  if (postBuild === undefined) return undefined;
  const vars = new Map<string, string>();
  const missing: { readonly label: string; readonly optional: boolean }[] = [];
  const files: string[] = [];
  for (const reference of objects(get(postBuild, 'substituteFrom'))) {
    const kind = text(get(reference, 'kind')) ?? '';
    const name = text(get(reference, 'name')) ?? '';
    const read = readData(kind, name, owner, index, context);
    if (!read.ok) {
      const label = `${kind} ${owner.namespace === undefined ? '' : `${owner.namespace}/`}${name} (${read.reason})`;
      missing.push({ label, optional: get(reference, 'optional') === true });
      continue;
    }
    if (read.file !== undefined) files.push(read.file);
    for (const [key, value] of read.data) vars.set(key, withoutLineBreaks(value));
  }
  for (const [key, value] of Object.entries(asObject(get(postBuild, 'substitute')) ?? {})) {
    const plain = scalarText(value as Json);
    if (plain !== undefined) vars.set(key, withoutLineBreaks(plain));
  }
  return {
    substitute: {
      vars: Object.fromEntries(vars),
      strict: isStrict(context.config.flux),
      missing,
      always: get(postBuild, 'substituteStrategy') === 'Always',
    },
    files,
  };
}

function withoutLineBreaks(value: string): string {
  return value.replaceAll('\n', '');
}

/** Undefined variables are errors from Flux 2.9 (kustomize-controller 1.9, gate StrictPostBuildSubstitutions). */
export function isStrict(flux: FluxContext['config']['flux']): boolean {
  if (flux.strictSubstitutions !== 'by-version') return flux.strictSubstitutions;
  const version = /^v?(\d+)\.(\d+)/u.exec(flux.version);
  if (version === null) return true;
  const [major, minor] = [Number(version[1]), Number(version[2])];
  return major > 2 || (major === 2 && minor >= 9);
}

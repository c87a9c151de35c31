import type { ArgoKustomizeEdits, FluxKustomizeEdits, Json, JsonObject } from '../core/model.ts';
import { fail } from './failure.ts';
import { isObject } from '../core/json.ts';

/**
 * Applies Argo CD's `spec.source.kustomize` to a kustomization in Argo CD's order (util/kustomize/kustomize.go Build),
 * as `kustomize edit` would do it (kustomize v5 commands/edit).
 * @param kustomization not changed
 * @param componentExists is there a component folder at this path, relative to the kustomization?
 */
export function applyArgoEdits(
  kustomization: JsonObject,
  edits: ArgoKustomizeEdits,
  componentExists: (path: string) => boolean,
): JsonObject {
  const result: JsonObject = { ...kustomization };
  if (filled(edits.namePrefix)) result['namePrefix'] = edits.namePrefix;
  if (filled(edits.nameSuffix)) result['nameSuffix'] = edits.nameSuffix;
  if (edits.images !== undefined && edits.images.length > 0)
    result['images'] = setImages(listIn(result['images']), edits.images);
  if (edits.replicas !== undefined && edits.replicas.length > 0)
    result['replicas'] = setReplicas(listIn(result['replicas']), edits.replicas);
  if (hasEntries(edits.commonLabels)) addLabels(result, edits.commonLabels, edits);
  if (hasEntries(edits.commonAnnotations)) {
    result['commonAnnotations'] = addToMap(
      result['commonAnnotations'],
      edits.commonAnnotations,
      edits.forceCommonAnnotations === true,
      'annotation',
    );
  }
  if (filled(edits.namespace)) result['namespace'] = edits.namespace;
  if (edits.patches !== undefined && edits.patches.length > 0)
    result['patches'] = [...listIn(result['patches']), ...edits.patches];
  const components = (edits.components ?? []).filter((component) => {
    if (componentExists(component)) return true;
    if (edits.ignoreMissingComponents !== true) {
      fail({
        kind: 'render',
        message: `the component ${component} has no match`,
        next: 'Correct the path, or set kustomize.ignoreMissingComponents.',
      });
    }
    return false;
  });
  if (components.length > 0) {
    const existing = listIn(result['components']);
    result['components'] = [
      ...existing,
      ...components.filter(
        (component, index) => !existing.includes(component) && components.indexOf(component) === index,
      ),
    ];
  }
  return result;
}

/**
 * Applies the fields of a Flux Kustomization (fluxcd/pkg/kustomize GenerateManifest).
 * @param kustomization of the folder, or a generated one
 * @param generated false: the folder has its own file
 */
export function applyFluxEdits(
  kustomization: JsonObject,
  edits: FluxKustomizeEdits,
  generated: boolean,
  componentExists: (path: string) => boolean,
): JsonObject {
  const result: JsonObject = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', ...kustomization };
  if (filled(edits.targetNamespace)) result['namespace'] = edits.targetNamespace;
  if (filled(edits.namePrefix)) result['namePrefix'] = edits.namePrefix;
  if (filled(edits.nameSuffix)) result['nameSuffix'] = edits.nameSuffix;
  const patches = (edits.patches ?? []).map((patch) => keep(patch, ['patch', 'target']));
  if (patches.length > 0) result['patches'] = [...listIn(result['patches']), ...patches];
  const components = (edits.components ?? []).filter((component) => {
    if (/^(?:git::|gh:|ssh:\/\/|https?:\/\/|git@|github\.com[:/]|\/|file:\/\/\/)/i.test(component)) {
      fail({ kind: 'render', message: `component path '${component}' must be local and relative` });
    }
    return edits.ignoreMissingComponents !== true || componentExists(component);
  });
  if (components.length > 0) result['components'] = [...listIn(result['components']), ...components];
  if (edits.images !== undefined && edits.images.length > 0)
    result['images'] = mergeFluxImages(listIn(result['images']), edits.images);
  // Without resources Flux asks for a build that is not refused as empty.
  if (!generated && listIn(result['resources']).length === 0) result['buildMetadata'] = ['originAnnotations'];
  return result;
}

/** Since kustomize-controller 1.9.4: fields are merged by name, tag and digest replaced as one unit. */
function mergeFluxImages(existing: readonly Json[], images: readonly JsonObject[]): Json[] {
  const result = existing.map((image) => (isObject(image) ? { ...image } : image));
  for (const image of images) {
    const found = result.find(
      (candidate): candidate is JsonObject => isObject(candidate) && candidate['name'] === image['name'],
    );
    if (found === undefined) {
      result.push(keep(image, ['name', 'newName', 'newTag', 'digest']));
      continue;
    }
    if (filled(image['newName'])) found['newName'] = image['newName'];
    if (!filled(image['newTag']) && !filled(image['digest'])) continue;
    delete found['newTag'];
    delete found['digest'];
    Object.assign(found, keep(image, ['newTag', 'digest']));
  }
  return result;
}

function keep(object: JsonObject, fields: readonly string[]): JsonObject {
  return Object.fromEntries(fields.flatMap((field) => (object[field] === undefined ? [] : [[field, object[field]]])));
}

function filled<Value extends Json>(value: Value | undefined): value is Value {
  return value !== undefined && value !== null && value !== '';
}

function hasEntries(value: Readonly<Record<string, string>> | undefined): value is Readonly<Record<string, string>> {
  return value !== undefined && Object.keys(value).length > 0;
}

function listIn(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}

// ---------------------------------------------------------------------------------------------
// kustomize edit
// ---------------------------------------------------------------------------------------------

interface Image {
  readonly name: string;
  readonly newName: string;
  readonly newTag: string;
  readonly digest: string;
}

/** `kustomize edit set image`: replaces entries of the same name, sorts by name; `*` keeps what was there. */
function setImages(existing: readonly Json[], args: readonly string[]): JsonObject[] {
  const images = new Map<string, Image>();
  for (const arg of args) {
    const image = parseImage(arg);
    images.set(image.name, image);
  }
  for (const entry of existing) {
    if (!isObject(entry)) continue;
    const field = (name: string): string => (typeof entry[name] === 'string' ? entry[name] : '');
    const old: Image = {
      name: field('name'),
      newName: field('newName'),
      newTag: field('newTag'),
      digest: field('digest'),
    };
    const given = images.get(old.name);
    images.set(old.name, given === undefined ? old : keepStars(given, old));
  }
  return [...images.values()]
    .map((image) => keepStars(image, { name: '', newName: '', newTag: '', digest: '' }))
    .toSorted((left, right) => (left.name < right.name ? -1 : 1))
    .map(({ name, newName, newTag, digest }) => ({
      name,
      ...(newName === '' ? {} : { newName }),
      ...(newTag === '' ? {} : { newTag }),
      ...(digest === '' ? {} : { digest }),
    }));
}

function keepStars(image: Image, old: Image): Image {
  return {
    name: image.name,
    newName: image.newName === '*' ? old.newName : image.newName,
    newTag: image.newTag === '*' ? old.newTag : image.newTag,
    digest: image.digest === '*' ? old.digest : image.digest,
  };
}

/** `name=newname:tag@digest`, `name:tag`, `name@digest`. */
function parseImage(arg: string): Image {
  const equals = arg.indexOf('=');
  const key = equals === -1 ? '' : arg.slice(0, equals);
  const { name, tag, digest } = splitImage(equals === -1 ? arg : arg.slice(equals + 1));
  if (name === arg) {
    fail({
      kind: 'render',
      message: `invalid format of image "${arg}": use one of <image>=<newimage>:<newtag>, <image>=<newimage>@<digest>, <image>:<newtag>, <image>@<digest>`,
    });
  }
  return key === '' ? { name, newName: '', newTag: tag, digest } : { name: key, newName: name, newTag: tag, digest };
}

/** kustomize api/pkg/util/image Split. */
function splitImage(image: string): { readonly name: string; readonly tag: string; readonly digest: string } {
  const slash = image.indexOf('/');
  const offset = slash > 0 ? slash : 0;
  const at = image.indexOf('@', offset);
  const colon = image.indexOf(':', offset);
  if (at === -1 && colon === -1) return { name: image, tag: '', digest: '' };
  if (at !== -1 && (colon === -1 || at < colon))
    return { name: image.slice(0, at), tag: '', digest: image.slice(at + 1) };
  if (at !== -1) return { name: image.slice(0, colon), tag: image.slice(colon + 1, at), digest: image.slice(at + 1) };
  return { name: image.slice(0, colon), tag: image.slice(colon + 1), digest: '' };
}

function setReplicas(existing: readonly Json[], replicas: NonNullable<ArgoKustomizeEdits['replicas']>): JsonObject[] {
  const counts = new Map<string, Json>();
  for (const { name, count } of replicas) {
    const number = typeof count === 'number' ? count : /^-?\d+$/.test(count.trim()) ? Number(count) : Number.NaN;
    if (!Number.isInteger(number))
      fail({ kind: 'render', message: `the replica count "${count}" of ${name} is no whole number` });
    counts.set(name, number);
  }
  for (const entry of existing) {
    if (!isObject(entry) || typeof entry['name'] !== 'string') continue;
    if (!counts.has(entry['name'])) counts.set(entry['name'], entry['count'] ?? 0);
  }
  return [...counts].toSorted(([left], [right]) => (left < right ? -1 : 1)).map(([name, count]) => ({ name, count }));
}

/** `kustomize edit add label [--force] [--without-selector] [--include-templates]`. */
function addLabels(
  kustomization: JsonObject,
  labels: Readonly<Record<string, string>>,
  edits: ArgoKustomizeEdits,
): void {
  const force = edits.forceCommonLabels === true;
  const includeTemplates = edits.labelIncludeTemplates === true;
  if (edits.labelWithoutSelector !== true) {
    if (includeTemplates)
      fail({ kind: 'render', message: '--without-selector flag must be specified for --include-templates to work' });
    kustomization['commonLabels'] = addToMap(kustomization['commonLabels'], labels, force, 'label');
    return;
  }
  const entries = listIn(kustomization['labels']).filter(isObject);
  const index = entries.findIndex(
    (entry) => entry['includeSelectors'] !== true && (entry['includeTemplates'] === true) === includeTemplates,
  );
  const entry: JsonObject = index === -1 ? (includeTemplates ? { includeTemplates: true } : {}) : { ...entries[index] };
  entry['pairs'] = addToMap(entry['pairs'], labels, force, 'label');
  kustomization['labels'] = index === -1 ? [...entries, entry] : entries.with(index, entry);
}

function addToMap(
  existing: Json | undefined,
  added: Readonly<Record<string, string>>,
  force: boolean,
  kind: 'label' | 'annotation',
): JsonObject {
  const map: JsonObject = isObject(existing) ? { ...existing } : {};
  for (const [key, value] of Object.entries(added)) {
    if (Object.hasOwn(map, key) && !force) {
      const option = kind === 'label' ? 'forceCommonLabels' : 'forceCommonAnnotations';
      fail({
        kind: 'render',
        message: `${kind} ${key} already in kustomization file`,
        next: `Take it out of one of the two places, or set kustomize.${option}.`,
      });
    }
    Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return map;
}

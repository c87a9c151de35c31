import type { DryRunRequest } from '../core/cluster.ts';
import { isObject } from '../core/json.ts';
import type { Entry, JsonObject, KubeObject } from '../core/model.ts';
import { predictApply, type PatchKind } from '../diff/predict.ts';

/** How an engine sends one object. */
export interface ApplyMethod {
  /** `patch`: client-side three-way merge. `replace`: PUT of what Git says. `apply`: server-side apply. */
  readonly type: 'apply' | 'patch' | 'replace';
  readonly patch: PatchKind;
  readonly fieldManager: string;
  readonly force: boolean;
  readonly fieldValidation: 'Strict' | 'Warn';
  /** The client keeps a copy of what it applied in an annotation. */
  readonly keepsLastApplied: boolean;
  /** For people: "server-side apply as argocd-controller". */
  readonly label: string;
}

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * How the engine of a target applies an object (rules.md 0.7).
 * @param live the object as the cluster holds it, with `managedFields`; undefined: it is not there
 */
export function applyMethod(entry: Entry, live: KubeObject | undefined): ApplyMethod {
  const { engine, apply } = entry.target;
  if (apply.mode === 'helm') return helmMethod(entry, live);
  if (engine === 'argocd') return argocdMethod(entry);
  // kustomize-controller applies with ForceOwnership and its own name (fluxcd/pkg/ssa manager_apply.go).
  if (apply.mode === 'server-side') {
    return serverSide(engine === 'flux' ? 'kustomize-controller' : 'kubectl', engine === 'flux', 'Warn');
  }
  return clientSide('kubectl', 'kubectl-client-side-apply', 'Strict', true);
}

/**
 * gitops-engine sync_context.go: Replace wins over server-side apply; an option on the object wins over that of the
 * Application. Server-side apply forces conflicts (resource_ops.go newApplyOptions). Fields are not validated strictly:
 * its validator defers to the server and never passes the directive on.
 */
function argocdMethod(entry: Entry): ApplyMethod {
  const { apply } = entry.target;
  const own = optionsOf(entry.object);
  const is = (option: string, ofApp: boolean): boolean =>
    own.includes(`${option}=true`) || (ofApp && !own.includes(`${option}=false`));
  if (is('Replace', apply.replace === true)) {
    return {
      type: 'replace',
      patch: 'kubectl',
      fieldManager: 'kubectl-replace',
      force: false,
      fieldValidation: 'Warn',
      keepsLastApplied: false,
      label: 'replace (sync option Replace=true)',
    };
  }
  if (is('ServerSideApply', apply.mode === 'server-side')) return serverSide('argocd-controller', true, 'Warn');
  return clientSide('kubectl', 'argocd-controller', 'Warn', true);
}

function optionsOf(object: KubeObject): readonly string[] {
  const text = object.metadata.annotations?.['argocd.argoproj.io/sync-options'] ?? '';
  return text.split(',').map((option) => option.trim());
}

/**
 * Helm 4 installs with server-side apply and upgrades with what the last release used (action/upgrade.go, "auto"); the
 * live object shows which that was. helm-controller forces conflicts, the CLI does not. A forced upgrade replaces.
 */
function helmMethod(entry: Entry, live: KubeObject | undefined): ApplyMethod {
  const { engine, apply, tools } = entry.target;
  const manager = engine === 'flux' ? 'helm-controller' : 'helm';
  const helm4 = (tools?.helm ?? (engine === 'flux' ? '4' : '3')).startsWith('4');
  const applied = live === undefined ? undefined : wasApplied(live, manager);
  if (helm4 && (applied ?? true)) return serverSide(manager, engine === 'flux', 'Strict');
  if (apply.force === true) {
    return { ...clientSide('helm', manager, 'Warn', false), type: 'replace', label: `replace as ${manager} (force)` };
  }
  return clientSide('helm', manager, 'Warn', false);
}

/** Did this manager use server-side apply the last time? Undefined when the object does not tell. */
function wasApplied(live: KubeObject, manager: string): boolean | undefined {
  const { managedFields } = live.metadata;
  if (!Array.isArray(managedFields)) return undefined;
  const own = managedFields.filter((entry: { manager?: unknown }) => entry.manager === manager);
  return own.length === 0 ? undefined : own.some((entry: { operation?: unknown }) => entry.operation === 'Apply');
}

function serverSide(fieldManager: string, force: boolean, fieldValidation: 'Strict' | 'Warn'): ApplyMethod {
  return {
    type: 'apply',
    patch: 'kubectl',
    fieldManager,
    force,
    fieldValidation,
    keepsLastApplied: false,
    label: `server-side apply as ${fieldManager}${force ? ', conflicts forced' : ''}`,
  };
}

function clientSide(
  patch: PatchKind,
  fieldManager: string,
  fieldValidation: 'Strict' | 'Warn',
  keepsLastApplied: boolean,
): ApplyMethod {
  const label = `three-way merge as ${fieldManager}, sent as an update`;
  return { type: 'patch', patch, fieldManager, force: false, fieldValidation, keepsLastApplied, label };
}

/**
 * The request that stands for what the engine would send.
 * @param before what Git said until now; the last-applied annotation of the live object goes first
 */
export function requestFor(
  id: string,
  after: JsonObject,
  before: JsonObject | undefined,
  live: JsonObject | undefined,
  method: ApplyMethod,
): DryRunRequest {
  const { status: _status, ...wanted } = after;
  const common = {
    id,
    fieldManager: method.fieldManager,
    force: method.force,
    fieldValidation: method.fieldValidation,
  };
  if (method.type === 'apply') return { ...common, object: wanted, method: 'apply' };
  if (live === undefined) {
    return { ...common, object: method.keepsLastApplied ? withLastApplied(wanted, wanted) : wanted, method: 'create' };
  }
  const version = isObject(live['metadata']) ? live['metadata']['resourceVersion'] : undefined;
  if (method.type === 'replace') return { ...common, object: withVersion(wanted, version), method: 'update' };
  const original = (method.patch === 'kubectl' ? lastAppliedOf(live) : undefined) ?? before;
  const sent = method.keepsLastApplied ? withLastApplied(wanted, wanted) : withMarks(wanted);
  const predicted = withVersion(predictApply(live, original, sent, method.patch), version);
  return { ...common, object: predicted, method: 'update' };
}

/**
 * Helm puts a label and annotations of its own on every object, so those that others added to the live object outlive
 * the last one of Git.
 */
function withMarks(object: JsonObject): JsonObject {
  const metadata = isObject(object['metadata']) ? object['metadata'] : {};
  const { labels, annotations } = metadata;
  return {
    ...object,
    metadata: {
      ...metadata,
      labels: { ...(isObject(labels) ? labels : {}), 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: isObject(annotations) ? annotations : {},
    },
  };
}

/** kubectl and Argo CD keep what they applied in the object; its size counts (256 KiB for all annotations). */
function withLastApplied(object: JsonObject, applied: JsonObject): JsonObject {
  const metadata = isObject(object['metadata']) ? object['metadata'] : {};
  const annotations = isObject(metadata['annotations']) ? metadata['annotations'] : {};
  const own = isObject(applied['metadata']) ? applied['metadata'] : {};
  // kubectl writes the mapping of annotations also when it is empty (util.GetModifiedConfiguration).
  const text = `${JSON.stringify({ ...applied, metadata: { ...own, annotations: own['annotations'] ?? {} } })}\n`;
  return { ...object, metadata: { ...metadata, annotations: { ...annotations, [lastApplied]: text } } };
}

function withVersion(object: JsonObject, version: JsonObject[string] | undefined): JsonObject {
  if (typeof version !== 'string') return object;
  const metadata = isObject(object['metadata']) ? object['metadata'] : {};
  return { ...object, metadata: { ...metadata, resourceVersion: version } };
}

function lastAppliedOf(live: JsonObject): JsonObject | undefined {
  const metadata = isObject(live['metadata']) ? live['metadata'] : {};
  const annotations = isObject(metadata['annotations']) ? metadata['annotations'] : {};
  const text = annotations[lastApplied];
  if (typeof text !== 'string') return undefined;
  try {
    const value = JSON.parse(text) as JsonObject[string];
    return isObject(value) ? value : undefined;
  } catch {
    // Of a Secret only a fingerprint of the annotation is left.
    return undefined;
  }
}

import type { AfterRender, ApplySemantics, JsonObject } from '../../core/model.ts';
import { asObject, get, objects, text, textMap, texts } from './values.ts';

const finalizer = 'resources-finalizer.argocd.argoproj.io';

/**
 * How Argo CD applies the objects of an Application. Without `automated` a person syncs, and chooses then whether to
 * prune. `automated.enabled: false` (Argo CD 3.1) is the same as no `automated`.
 * @param application the whole object
 */
export function applySemanticsOf(application: JsonObject): ApplySemantics {
  const policy = asObject(get(application, 'spec', 'syncPolicy'));
  const automated = asObject(get(policy, 'automated'));
  const enabled = automated !== undefined && get(automated, 'enabled') !== false;
  const options = texts(get(policy, 'syncOptions'));
  const ignoreDifferences = objects(get(application, 'spec', 'ignoreDifferences'));
  const is = (option: string): boolean => options.some((written) => written.replace(/\s/g, '') === option);
  return {
    mode: is('ServerSideApply=true') ? 'server-side' : 'client-side',
    prune: enabled ? get(automated, 'prune') === true : 'unknown',
    automated: enabled,
    ...(enabled
      ? { selfHeal: get(automated, 'selfHeal') === true, allowEmpty: get(automated, 'allowEmpty') === true }
      : {}),
    ...(is('Replace=true') ? { replace: true } : {}),
    ...(is('Force=true') ? { force: true } : {}),
    ...(options.length === 0 ? {} : { syncOptions: options }),
    ...(ignoreDifferences.length === 0 ? {} : { ignoreDifferences }),
    onRemoval: hasFinalizer(application) ? 'deletes-objects' : 'keeps-objects',
  };
}

/** Deleting an Application deletes its objects only with the finalizer (also `…/background`, `…/foreground`). */
function hasFinalizer(application: JsonObject): boolean {
  return texts(get(application, 'metadata', 'finalizers')).some(
    (name) => name === finalizer || name.startsWith(`${finalizer}/`),
  );
}

export function afterRenderOf(application: JsonObject): AfterRender {
  const namespace = text(get(application, 'spec', 'destination', 'namespace'));
  if (namespace === undefined) return {};
  const policy = asObject(get(application, 'spec', 'syncPolicy'));
  const managed = asObject(get(policy, 'managedNamespaceMetadata'));
  const creates = texts(get(policy, 'syncOptions')).some(
    (written) => written.replace(/\s/g, '') === 'CreateNamespace=true',
  );
  if (managed === undefined || !creates) return { defaultNamespace: namespace };
  const labels = textMap(get(managed, 'labels'));
  const annotations = textMap(get(managed, 'annotations'));
  return { defaultNamespace: namespace, createNamespace: { name: namespace, labels, annotations } };
}

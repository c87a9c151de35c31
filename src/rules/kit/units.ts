import type { ResourceRef, Target } from '../../core/model.ts';
import type { RuleContext } from '../../core/rule.ts';

/** How people call a unit of deployment: `Application shop`, `HelmRelease media/plex`, `overlay overlays/prod`. */
export function unitName(target: Target): string {
  const declared = target.declaredBy;
  if (declared === undefined) return `${kindOf(target)} ${target.name}`;
  if (declared.kind === 'ApplicationSet') return `Application ${target.name}`;
  return declared.namespace === undefined || target.engine === 'argocd'
    ? `${declared.kind} ${declared.name}`
    : `${declared.kind} ${declared.namespace}/${declared.name}`;
}

function kindOf(target: Target): string {
  switch (target.engine) {
    case 'helm':
      return 'release';
    case 'kustomize':
      return 'overlay';
    case 'argocd':
      return 'Application';
    case 'flux':
      return target.apply.mode === 'helm' ? 'HelmRelease' : 'Kustomization';
    case 'plain':
      return 'manifests';
  }
}

/** A reference for findings about a whole unit: the object that declares it, else one made of its kind and name. */
export function unitRef(target: Target): ResourceRef {
  return target.declaredBy ?? { group: '', version: '', kind: capitalised(kindOf(target)), name: target.name };
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * Fact that names the targets of a cluster that failed to render after the change: an object that left its target may
 * have moved into one of them. Undefined when there are none.
 */
export function failedTargetsFact(context: RuleContext<unknown>, scope: string): string | undefined {
  const names = context.renderProblems
    .filter(({ target, after }) => after !== undefined && target.scope === scope)
    .map(({ target }) => target.name);
  if (names.length === 0) return undefined;
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  return `${names.slice(0, 3).join(', ')}${more} did not render: the object may have moved there`;
}

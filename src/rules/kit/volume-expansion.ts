import type { KubeObject, ResourceChange } from '../../core/model.ts';
import type { Problem, RuleContext } from '../../core/rule.ts';
import { quantityAt } from './pod-resources.ts';
import { at, stringAt } from './pods.ts';
import { formatRef, problemAt } from './problem.ts';

const path = '/spec/resources/requests/storage';

/**
 * A claim that grows, and that its StorageClass does not let grow. The admission plugin PersistentVolumeClaimResize
 * refuses that, and also the growth of a claim that is not bound
 * (k8s.io/kubernetes plugin/pkg/admission/storage/persistentvolume/resize/admission.go).
 */
export function refusedExpansion(
  context: RuleContext<unknown>,
  { before, after }: ResourceChange,
): Problem | undefined {
  if (before === undefined || after === undefined) return undefined;
  if (after.ref.group !== '' || after.ref.kind !== 'PersistentVolumeClaim') return undefined;
  const { scope } = after.target;
  const world = context.live(scope);
  const live = world?.get('', 'PersistentVolumeClaim', after.ref.namespace, after.ref.name);
  if (live === undefined && world?.covers('', 'PersistentVolumeClaim', after.ref.namespace) === true) return undefined;
  const was = quantityAt(live ?? before.object, 'spec', 'resources', 'requests', 'storage');
  const now = quantityAt(after.object, 'spec', 'resources', 'requests', 'storage');
  if (was === undefined || now === undefined || now <= was) return undefined;
  const phase = stringAt(live, 'status', 'phase');
  const className = stringAt(live ?? after.effective, 'spec', 'storageClassName');
  const found = className === undefined ? undefined : storageClass(context, scope, className);
  const fixed = found !== undefined && at(found.object, 'allowVolumeExpansion') !== true;
  const unbound = phase !== undefined && phase !== 'Bound';
  if (!fixed && !unbound) return undefined;
  return problemAt(after, path, {
    message: fixed
      ? `The API server refuses that ${formatRef(after.ref)} grows: StorageClass ${className} does not have allowVolumeExpansion: true ("the storageclass that provisions the pvc must support resize"), so the sync fails.`
      : `The API server refuses that ${formatRef(after.ref)} grows: it is ${phase}, and only bound claims can be expanded, so the sync fails.`,
    severity: 'high',
    confidence: live === undefined ? 'determined' : 'proven',
    willNotApply: true,
    evidence: {
      before: stringAt(before.object, 'spec', 'resources', 'requests', 'storage') ?? null,
      after: stringAt(after.object, 'spec', 'resources', 'requests', 'storage') ?? null,
      ...(phase === undefined ? {} : { live: phase }),
      facts: found === undefined ? [] : [`StorageClass ${className} ${found.live ? 'of the cluster' : 'in Git'}`],
      ...(live === undefined ? { wouldChange: 'the live claim shows its class and whether it is bound' } : {}),
    },
    fix: fixed
      ? `Set allowVolumeExpansion: true on StorageClass ${className} first, when its driver supports it; else create a larger claim and copy the data.`
      : `Grow ${formatRef(after.ref)} once it is bound.`,
  });
}

function storageClass(
  context: RuleContext<unknown>,
  scope: string,
  name: string,
): { readonly object: KubeObject; readonly live: boolean } | undefined {
  const rendered = context.after.get(scope, 'storage.k8s.io', 'StorageClass', undefined, name);
  if (rendered !== undefined) return { object: rendered.effective, live: false };
  const object = context.live(scope)?.get('storage.k8s.io', 'StorageClass', undefined, name);
  return object === undefined ? undefined : { object, live: true };
}

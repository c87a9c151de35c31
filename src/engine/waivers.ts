import picomatch from 'picomatch';
import type { ResourceRef, Target, Waiver } from '../core/model.ts';

/** `Deployment/shop/api`, `Namespace/shop`: what a waiver's `resource` glob is matched against. */
export function waiverKey(ref: ResourceRef): string {
  return ref.namespace === undefined ? `${ref.kind}/${ref.name}` : `${ref.kind}/${ref.namespace}/${ref.name}`;
}

/** In force through the whole day of `expires`, UTC. */
export function inForce(waiver: Waiver, now: Date): boolean {
  const end = Date.parse(`${waiver.expires.slice(0, 10)}T23:59:59.999Z`);
  return Number.isFinite(end) && now.getTime() <= end;
}

export type WaiverLookup = (ruleId: string, resource: ResourceRef, target: Target | undefined) => Waiver | undefined;

/** Compiles the waivers that are in force at `now`. */
export function compileWaivers(waivers: readonly Waiver[], now: Date): WaiverLookup {
  const compiled = waivers
    .filter((waiver) => inForce(waiver, now))
    .map((waiver) => ({
      waiver,
      resource: picomatch(waiver.resource, { dot: true }),
      target: waiver.target === undefined ? undefined : picomatch(waiver.target, { dot: true }),
    }));
  return (ruleId, resource, target) =>
    compiled.find(
      (entry) =>
        entry.waiver.rule === ruleId &&
        entry.resource(waiverKey(resource)) &&
        (entry.target === undefined ||
          (target !== undefined && (entry.target(target.id) || entry.target(target.name)))),
    )?.waiver;
}

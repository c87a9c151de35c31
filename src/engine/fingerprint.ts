import { createHash } from 'node:crypto';
import type { ResourceRef } from '../core/model.ts';

/** Identity of a finding across pushes: rule, target, resource and path; no line number, no wording, no API version. */
export function fingerprint(ruleId: string, target: string, resource: ResourceRef, path: string): string {
  const { group, kind, namespace = '', name } = resource;
  return createHash('sha256')
    .update([ruleId, target, group, kind, namespace, name, path].join('\u0000'))
    .digest('hex')
    .slice(0, 16);
}

import { Value } from 'typebox/value';
import type { Rule } from '../core/rule.ts';

/** A rule's options with the schema's defaults filled in. The configuration was validated when it was loaded. */
export function resolveOptions(
  rule: Rule,
  given: Readonly<Record<string, unknown>> | undefined,
): Record<string, unknown> {
  return Value.Default(rule.options, structuredClone(given ?? {})) as Record<string, unknown>;
}

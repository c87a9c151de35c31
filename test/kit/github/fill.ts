import { resolve, type Schema } from './openapi.ts';

/**
 * A value that the schema allows: what is given, and a plain sample for every required property that is not.
 * GitHub's answers have dozens of required links that no test looks at.
 */
export function fill(schema: Schema, given: unknown): unknown {
  const resolved = resolve<Schema>(schema);
  if (given === null) return null;
  if (resolved.allOf !== undefined) return resolved.allOf.reduce<unknown>((value, part) => fill(part, value), given);
  const choices = resolved.oneOf ?? resolved.anyOf;
  if (choices !== undefined && resolved.properties === undefined) return fillChoice(resolved, choices, given);
  if (given === undefined && resolved.nullable === true) return null;
  if (resolved.enum !== undefined) return given ?? resolved.enum[0];
  if (resolved.type === 'object' || resolved.properties !== undefined) return fillObject(resolved, given);
  if (resolved.type === 'array') {
    const items = resolved.items ?? {};
    return Array.isArray(given) ? given.map((entry) => fill(items, entry)) : [];
  }
  return given ?? sample(resolved);
}

function kindOf(schema: Schema): string | undefined {
  return schema.type ?? (schema.properties === undefined ? undefined : 'object');
}

function fillChoice(schema: Schema, choices: readonly Schema[], given: unknown): unknown {
  if (given === undefined && schema.nullable === true) return null;
  const type = given === undefined ? undefined : Array.isArray(given) ? 'array' : typeof given;
  const fitting = choices.find((choice) => {
    const kind = kindOf(resolve<Schema>(choice));
    return type === undefined || kind === type || (kind === 'integer' && type === 'number');
  });
  return fill(fitting ?? choices[0]!, given);
}

function fillObject(schema: Schema, given: unknown): unknown {
  const values = (given ?? {}) as Record<string, unknown>;
  const out: Record<string, unknown> = { ...values };
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (values[name] !== undefined) out[name] = fill(property, values[name]);
    else if (schema.required?.includes(name) === true) out[name] = fill(property, undefined);
  }
  return out;
}

function sample(schema: Schema): unknown {
  if (schema.type === 'integer' || schema.type === 'number') return schema.minimum ?? 1;
  if (schema.type === 'boolean') return false;
  if (schema.type !== 'string') return {};
  if (schema.format === 'uri') return 'https://github.example/sample';
  if (schema.format === 'date-time') return '2026-11-20T10:00:00Z';
  return 'sample';
}

import type { Json, JsonObject } from '../../core/model.ts';
import { setKey } from '../../core/yaml/types.ts';
import { textMap } from '../argocd/values.ts';
import type { Templating } from './templating.ts';

/**
 * Adds a generator's `values`, filled with the parameters found so far (generators/value_interpolation.go):
 * as a map `values` for Go templates, as `values.<key>` otherwise.
 */
export async function withValues(
  params: JsonObject,
  written: Json | undefined,
  templating: Templating,
): Promise<JsonObject> {
  const filled = await Promise.all(
    Object.entries(textMap(written)).map(async ([key, value]): Promise<readonly [string, string]> => [
      key,
      await templating.replace(value, params),
    ]),
  );
  if (filled.length === 0) return params;
  const result: JsonObject = { ...params };
  if (templating.goTemplate) {
    const values: JsonObject = {};
    for (const [key, value] of filled) setKey(values, key, value);
    result['values'] = values;
  } else {
    for (const [key, value] of filled) setKey(result, `values.${key}`, value);
  }
  return result;
}

import { messageOf } from '../../core/errors.ts';
import type { Json, JsonObject } from '../../core/model.ts';
import { readDocument, splitDocuments } from '../../core/yaml/read.ts';
import { setKey } from '../../core/yaml/types.ts';
import { asArray, asObject, get, text } from '../argocd/values.ts';
import { ExpansionError } from './params.ts';
import type { ParamSet } from './params.ts';
import type { GeneratorScope } from './scope.ts';

/** `list`: `elements` as they are, or flat strings without Go templates; then those of `elementsYaml` (generators/list.go). */
export function listParams(generator: JsonObject, scope: GeneratorScope): readonly ParamSet[] {
  const result: ParamSet[] = [];
  asArray(get(generator, 'elements')).forEach((element, index) => {
    const params = scope.templating.goTemplate ? asObject(element) : flatElement(element);
    if (params === undefined) {
      scope.report(
        `element ${index + 1} of the list is not a map of ${scope.templating.goTemplate ? 'parameters' : 'strings'}`,
        scope.templating.goTemplate ? undefined : 'Quote the values, or set goTemplate: true.',
      );
    } else {
      result.push({ params, files: [] });
    }
  });
  const yaml = text(get(generator, 'elementsYaml'));
  if (yaml === undefined) return result;
  for (const params of parseElements(yaml)) result.push({ params, files: [] });
  return result;
}

function flatElement(element: Json): JsonObject | undefined {
  const object = asObject(element);
  if (object === undefined) return undefined;
  const params: JsonObject = {};
  for (const [key, value] of Object.entries(object)) {
    const values = key === 'values' ? asObject(value) : { [key]: value };
    if (values === undefined) return undefined;
    for (const [name, item] of Object.entries(values)) {
      if (typeof item !== 'string') return undefined;
      setKey(params, key === 'values' ? `values.${name}` : name, item);
    }
  }
  return params;
}

function parseElements(yaml: string): readonly JsonObject[] {
  let value: Json;
  try {
    const part = splitDocuments(yaml)[0];
    value = part === undefined ? [] : readDocument(part).value;
  } catch (error) {
    throw new ExpansionError(`elementsYaml cannot be read as YAML: ${messageOf(error)}`);
  }
  if (value === null) return [];
  if (!Array.isArray(value)) throw new ExpansionError('elementsYaml does not give a list');
  return value.map((item) => {
    const object = asObject(item);
    if (object === undefined) throw new ExpansionError('elementsYaml gives an element that is not a map');
    return object;
  });
}

import { messageOf } from '../core/errors.ts';
import type { AfterRender, Json, JsonObject } from '../core/model.ts';
import { printYaml } from '../core/yaml/print.ts';
import { readDocument } from '../core/yaml/read.ts';
import { substituteText, SubstitutionError } from './envsubst.ts';
import { fail } from './failure.ts';
import { isObject } from '../core/json.ts';

type Substitution = NonNullable<AfterRender['substitute']>;

const validName = /^[_a-zA-Z][_a-zA-Z0-9]*$/;
const switchKey = 'kustomize.toolkit.fluxcd.io/substitute';

/**
 * Flux's post-build substitution of one object (fluxcd/pkg/kustomize SubstituteVariables): the object is printed as
 * YAML, the text substituted and read again, so `${count}` may become a number and quotes of the source do not count.
 * @returns undefined when Flux does not substitute at all
 */
export function createSubstitution(substitution: Substitution | undefined): ((object: JsonObject) => Json) | undefined {
  if (substitution === undefined) return undefined;
  const missing = substitution.missing.filter((source) => !source.optional);
  if (missing.length > 0) {
    fail({
      kind: 'missing-input',
      unreachable: true,
      message: `Variables come from ${missing.map((source) => source.label).join(', ')}, which cannot be read here`,
      next: 'Put the ConfigMap into the repository, or mark the reference as optional.',
    });
  }
  const vars = new Map(Object.entries(substitution.vars).map(([name, value]) => [name, value.replaceAll('\n', '')]));
  if (vars.size === 0 && !substitution.always) return undefined;
  for (const name of vars.keys()) {
    if (!validName.test(name))
      fail({
        kind: 'render',
        message: `'${name}' is no valid name of a variable, it must match '${validName.source}'`,
      });
  }
  const lookup = (name: string): { value: string; exists: boolean } => {
    const value = vars.get(name);
    return { value: value ?? '', exists: value !== undefined || !substitution.strict };
  };
  return (object) => {
    if (isSwitchedOff(object)) return object;
    const text = printYaml(object);
    // Nothing to replace and nothing to unescape.
    if (!text.includes('$')) return object;
    return substituteObject(object, text, lookup);
  };
}

function substituteObject(
  object: JsonObject,
  text: string,
  lookup: (name: string) => { value: string; exists: boolean },
): Json {
  try {
    return readDocument({ text: substituteText(text, lookup), line: 1 }).value;
  } catch (error) {
    const metadata = object['metadata'];
    const name = isObject(metadata) && typeof metadata['name'] === 'string' ? metadata['name'] : '';
    const what = `${typeof object['kind'] === 'string' ? object['kind'] : 'object'}/${name}`;
    return fail({
      kind: 'render',
      message: `Variable substitution failed for ${what}: ${messageOf(error)}`,
      next:
        error instanceof SubstitutionError && error.message.includes('not set')
          ? 'Define the variable in postBuild.substitute, give it a default with ${name:=value}, or write $${name} for a literal.'
          : 'Write $${name} for a literal ${name}; Flux knows only its own subset of the shell syntax.',
    });
  }
}

/** Label or annotation `kustomize.toolkit.fluxcd.io/substitute: disabled`. */
function isSwitchedOff(object: JsonObject): boolean {
  const metadata = object['metadata'];
  if (!isObject(metadata)) return false;
  return [metadata['labels'], metadata['annotations']].some((map) => isObject(map) && map[switchKey] === 'disabled');
}

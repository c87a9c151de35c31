import type { KubeObject } from '../../core/model.ts';
import { containersOf, listAt, podTemplate, stringAt } from './pods.ts';
import { escapePointer } from '../../core/json.ts';

/** Two elements of a list with the same name. */
export interface DuplicateName {
  /** Pointer to the element. */
  readonly path: string;
  readonly what: string;
  readonly name: string;
  /** `wins`: allowed, the last one counts. `refused`: validation of the API server refuses the object. */
  readonly effect: 'wins' | 'refused';
}

function duplicates(list: readonly unknown[], key: string): string[] {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const element of list) {
    const name = stringAt(element, key);
    if (name === undefined || name === '') continue;
    if (seen.has(name)) twice.add(name);
    seen.add(name);
  }
  return [...twice];
}

/**
 * Repeated names in lists of pods and Services. Environment variables may repeat (the last one counts), everything else is
 * refused as `Duplicate value` or `must be unique` (k8s pkg/apis/core/validation/validation.go).
 */
export function duplicateNames(object: KubeObject): readonly DuplicateName[] {
  const result: DuplicateName[] = [];
  const add = (list: readonly unknown[], key: string, what: string, path: string, effect: DuplicateName['effect']) => {
    for (const name of duplicates(list, key))
      result.push({ path: `${path}/${escapePointer(name)}`, what, name, effect });
  };
  const template = podTemplate(object);
  if (template !== undefined) {
    add(listAt(template.spec, 'volumes'), 'name', 'volume', `${template.path}/volumes`, 'refused');
    const all = [...listAt(template.spec, 'initContainers'), ...listAt(template.spec, 'containers')];
    add(all, 'name', 'container', `${template.path}/containers`, 'refused');
    for (const { container, path } of containersOf(template)) {
      add(listAt(container, 'env'), 'name', 'environment variable', `${path}/env`, 'wins');
      add(listAt(container, 'ports'), 'name', 'port name', `${path}/ports`, 'refused');
      add(listAt(container, 'volumeMounts'), 'mountPath', 'mount path', `${path}/volumeMounts`, 'refused');
    }
  }
  if (object.kind === 'Service' && object.apiVersion === 'v1')
    add(listAt(object, 'spec', 'ports'), 'name', 'port name', '/spec/ports', 'refused');
  return result;
}

import type { Entry, ResourceChange } from '../../core/model.ts';
import { parseImage, type ImageReference } from './image-reference.ts';
import { containersOf, podTemplate, type ContainerAt, type PodTemplate } from './pods.ts';

/** A container that is there on both sides of a change, with API defaults applied. */
export interface ContainerPair {
  readonly name: string;
  readonly before: ContainerAt;
  readonly after: ContainerAt;
}

export interface PodChange {
  readonly before: Entry;
  readonly after: Entry;
  readonly template: PodTemplate;
  readonly pairs: readonly ContainerPair[];
}

/** The containers of a changed workload by name; undefined when the change is not of a workload that exists on both sides. */
export function podChange({ before, after }: ResourceChange): PodChange | undefined {
  if (before === undefined || after === undefined) return undefined;
  const old = podTemplate(before.effective);
  const template = podTemplate(after.effective);
  if (old === undefined || template === undefined) return undefined;
  const byName = new Map(containersOf(old).map((item) => [item.container.name, item]));
  const pairs = containersOf(template).flatMap((item) => {
    const previous = byName.get(item.container.name);
    return previous === undefined ? [] : [{ name: item.container.name, before: previous, after: item }];
  });
  return { before, after, template, pairs };
}

/** The image of a container; undefined when it has none or the runtime would refuse it. */
export function imageOf({ container }: ContainerAt): ImageReference | undefined {
  return typeof container.image === 'string' ? parseImage(container.image) : undefined;
}

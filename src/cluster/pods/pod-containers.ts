import type { ContainerImage, ContainerPods } from '../../core/cluster.ts';
import type { JsonObject } from '../../core/model.ts';
import { numberAt, objectAt, objectsAt, textAt, valueAt } from '../fields.ts';
import { addCounts, count, earliest, recordOf, type FirstText } from './tally.ts';

interface ImageTally {
  readonly image: string;
  readonly imageId: string | undefined;
  readonly pullPolicy: string | undefined;
  pods: number;
  running: number;
  pullFailure: FirstText | undefined;
}

interface ContainerTally {
  readonly name: string;
  readonly init: boolean;
  readonly images: Map<string, ImageTally>;
  restarts: number;
  readonly waiting: Map<string, number>;
  readonly lastTerminated: Map<string, number>;
  startSeconds: number | undefined;
}

/** Containers of many pods by name, those that run first in front. */
export type ContainerTallies = Map<string, ContainerTally>;

const pullReasons = new Set(['ErrImagePull', 'ImagePullBackOff']);

/**
 * Adds the containers of one pod.
 * @param readyAt when the pod became ready, in milliseconds; undefined while it is not
 * @param hide takes credentials out of messages and bounds their length
 */
export function addContainers(
  into: ContainerTallies,
  pod: JsonObject,
  readyAt: number | undefined,
  hide: (text: string) => string,
): void {
  for (const [list, statusList] of [
    ['initContainers', 'initContainerStatuses'],
    ['containers', 'containerStatuses'],
  ] as const) {
    const statuses = new Map(objectsAt(pod, 'status', statusList).map((status) => [textAt(status, 'name'), status]));
    for (const container of objectsAt(pod, 'spec', list)) {
      const name = textAt(container, 'name');
      if (name === undefined) continue;
      const tally = tallyOf(into, name, list === 'initContainers');
      addContainer(tally, pod, container, statuses.get(name) ?? {}, readyAt, hide);
    }
  }
}

function tallyOf(into: ContainerTallies, name: string, init: boolean): ContainerTally {
  const key = `${init ? 0 : 1}/${name}`;
  let tally = into.get(key);
  if (tally === undefined) {
    tally = {
      name,
      init,
      images: new Map(),
      restarts: 0,
      waiting: new Map(),
      lastTerminated: new Map(),
      startSeconds: undefined,
    };
    into.set(key, tally);
  }
  return tally;
}

function addContainer(
  tally: ContainerTally,
  pod: JsonObject,
  container: JsonObject,
  status: JsonObject,
  readyAt: number | undefined,
  hide: (text: string) => string,
): void {
  const state = objectAt(status, 'state');
  const restarts = numberAt(status, 'restartCount') ?? 0;
  const waiting = textAt(state, 'waiting', 'reason');
  const ended = textAt(state, 'terminated', 'reason') ?? textAt(status, 'lastState', 'terminated', 'reason');
  tally.restarts += restarts;
  if (waiting !== undefined) count(tally.waiting, hide(waiting));
  if (ended !== undefined) count(tally.lastTerminated, hide(ended));
  const startedAt = Date.parse(textAt(state, 'running', 'startedAt') ?? '');
  const seconds = Math.round(((readyAt ?? Number.NaN) - startedAt) / 1000);
  if (status['restartCount'] === 0 && seconds >= 0)
    tally.startSeconds = Math.min(seconds, tally.startSeconds ?? seconds);

  const podName = `${textAt(pod, 'metadata', 'namespace') ?? 'default'}/${textAt(pod, 'metadata', 'name') ?? ''}`;
  const image = imageTally(tally, {
    image: hide(textAt(container, 'image') ?? ''),
    imageId: textAt(status, 'imageID'),
    pullPolicy: textAt(container, 'imagePullPolicy'),
  });
  image.pods++;
  if (valueAt(state, 'running') !== undefined) image.running++;
  if (waiting !== undefined && pullReasons.has(waiting)) {
    const message = textAt(state, 'waiting', 'message');
    const why = message === undefined ? waiting : `${waiting}, ${message}`;
    image.pullFailure = earliest(image.pullFailure, { pod: podName, text: hide(`Pod ${podName}: ${why}`) });
  }
}

function imageTally(tally: ContainerTally, identity: Pick<ImageTally, 'image' | 'imageId' | 'pullPolicy'>): ImageTally {
  const key = [identity.image, identity.imageId ?? '', identity.pullPolicy ?? ''].join('\0');
  let image = tally.images.get(key);
  if (image === undefined) {
    tally.images.set(key, (image = { ...identity, pods: 0, running: 0, pullFailure: undefined }));
  }
  return image;
}

/** Adds what was counted elsewhere for the same workload. */
export function mergeContainers(into: ContainerTallies, from: ContainerTallies): void {
  for (const other of from.values()) {
    const tally = tallyOf(into, other.name, other.init);
    tally.restarts += other.restarts;
    addCounts(tally.waiting, other.waiting);
    addCounts(tally.lastTerminated, other.lastTerminated);
    if (other.startSeconds !== undefined) {
      tally.startSeconds = Math.min(other.startSeconds, tally.startSeconds ?? other.startSeconds);
    }
    for (const image of other.images.values()) {
      const known = imageTally(tally, image);
      known.pods += image.pods;
      known.running += image.running;
      known.pullFailure = earliest(known.pullFailure, image.pullFailure);
    }
  }
}

/** Init containers first, each list by name. */
export function containersOf(tallies: ContainerTallies): readonly ContainerPods[] {
  return Object.values(recordOf(tallies)).map((tally) => ({
    name: tally.name,
    ...(tally.init ? { init: true as const } : {}),
    images: Object.values(recordOf(tally.images)).map(imageOf),
    restarts: tally.restarts,
    waiting: recordOf(tally.waiting),
    lastTerminated: recordOf(tally.lastTerminated),
    ...(tally.startSeconds === undefined ? {} : { startSeconds: tally.startSeconds }),
  }));
}

function imageOf({ image, imageId, pullPolicy, pods, running, pullFailure }: ImageTally): ContainerImage {
  return {
    image,
    ...(imageId === undefined ? {} : { imageId }),
    ...(pullPolicy === undefined ? {} : { pullPolicy }),
    pods,
    running,
    ...(pullFailure === undefined ? {} : { pullFailure: pullFailure.text }),
  };
}

import { Type } from 'typebox';
import type { ContainerImage } from '../../core/cluster.ts';
import type { Confidence, Entry, Severity } from '../../core/model.ts';
import { defineRule, type LiveWorld, type Problem, type RuleContext, type World } from '../../core/rule.ts';
import { imageOf, podChange } from '../kit/container-pairs.ts';
import { formatImage, imageName, parseImage, type ImageReference } from '../kit/image-reference.ts';
import { memo } from '../kit/memo.ts';
import { containersOf, listAt, workloads } from '../kit/pods.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { examples } from './examples/image-source-changed.ts';

interface Options {
  readonly manyWorkloads: number;
}

interface Move {
  readonly entry: Entry;
  readonly container: string;
  readonly path: string;
  readonly before: ImageReference;
  readonly after: ImageReference;
  readonly anonymous: boolean;
}

/** Hosts that answer for another one: the same content, by redirect or by promise of their owners. */
const sameContent: readonly (readonly [string, string])[] = [
  ['k8s.gcr.io', 'registry.k8s.io'],
  ['gcr.io/google-containers', 'registry.k8s.io'],
  ['docker.io', 'registry-1.docker.io'],
];

/** Image names and hosts in use by scope. */
const namesInUse = memo((world: World) => {
  const names = new Set<string>();
  for (const { entry, template } of workloads(world)) {
    for (const { container } of containersOf(template)) {
      const image = typeof container.image === 'string' ? parseImage(container.image) : undefined;
      if (image === undefined) continue;
      names.add(`${entry.target.scope}\u0000${imageName(image)}`);
      names.add(`${entry.target.scope}\u0000${image.host}`);
    }
  }
  return names;
});

function* check(context: RuleContext<Options>): Iterable<Problem> {
  const moves: Move[] = [];
  for (const change of context.changes) {
    const pods = podChange(change);
    if (pods === undefined) continue;
    const anonymous = listAt(pods.template.spec, 'imagePullSecrets').length === 0;
    for (const pair of pods.pairs) {
      const before = imageOf(pair.before);
      const after = imageOf(pair.after);
      if (before === undefined || after === undefined) continue;
      if (imageName(before) === imageName(after)) {
        const live = context.live(pods.after.target.scope);
        const reason = live === undefined ? undefined : pullFailures(live).get(formatImage(after));
        const rolls = change.fields.some(({ path }) => path.startsWith(pods.template.path));
        if (reason !== undefined && rolls) yield unavailable(pods.after, pair.name, pair.after.path, after, reason);
        continue;
      }
      moves.push({
        entry: pods.after,
        container: pair.name,
        path: `${pair.after.path}/image`,
        before,
        after,
        anonymous,
      });
    }
  }
  const toDockerHub = moves.filter(
    ({ before, after, anonymous }) => anonymous && after.host === 'docker.io' && before.host !== 'docker.io',
  ).length;
  const groups = Map.groupBy(moves, rootCause);
  for (const [cause, group] of groups)
    for (const move of group) yield report(context, move, cause, group.length, toDockerHub);
}

/** One decision, many workloads: a changed `global.imageRegistry` moves the host of all of them. */
function rootCause({ before, after, entry }: Move): string {
  const what = before.host === after.host ? `${imageName(before)}>${imageName(after)}` : `${before.host}>${after.host}`;
  return `image-source:${entry.target.scope}:${what}`;
}

function report(context: RuleContext<Options>, move: Move, cause: string, count: number, toDockerHub: number): Problem {
  const { entry, before, after } = move;
  const scope = entry.target.scope;
  const live = context.live(scope);
  const sameDigest = before.digest !== undefined && before.digest === after.digest;
  const alias = isAlias(before, after);
  const inUse = namesInUse(context.before).has(`${scope}\u0000${imageName(after)}`);
  const pulled = runsAlready(live, after);
  const rateLimited = toDockerHub >= context.options.manyWorkloads;
  const hostInUse = before.host !== after.host && namesInUse(context.before).has(`${scope}\u0000${after.host}`);
  const known = sameDigest || alias || inUse || pulled || hostInUse;
  const severity: Severity = known ? 'low' : 'medium';
  const confidence: Confidence = pulled ? 'determined' : 'likely';
  const host = before.host !== after.host;
  return problemAt(entry, move.path, {
    message: `Container ${move.container} of ${formatRef(entry.ref)} is pulled from ${host ? after.host : imageName(after)} instead of ${host ? before.host : imageName(before)}: if ${formatImage(after)} is not there, needs other credentials or is not reachable from the nodes, new pods stay in ImagePullBackOff.`,
    severity,
    confidence,
    rootCause: cause,
    fix: `Check that ${formatImage(after)} can be pulled from the cluster before the sync (for example: crane manifest ${formatImage(after)}), and compare its digest with that of ${formatImage(before)}.`,
    evidence: {
      before: formatImage(before),
      after: formatImage(after),
      facts: [
        ...(count > 1 ? [`${count} containers move the same way in this change`] : []),
        ...(sameDigest ? ['the digest is the same on both sides: the same content from another place'] : []),
        ...(alias ? [`${before.host} and ${after.host} serve the same images`] : []),
        ...(inUse ? [`other workloads of this cluster use ${imageName(after)} already`] : []),
        ...(hostInUse && !inUse ? [`other workloads of this cluster pull from ${after.host} already`] : []),
        ...(pulled ? ['a running pod of the cluster uses this image already'] : []),
        ...(rateLimited
          ? [
              `${toDockerHub} containers start to pull from Docker Hub without credentials, which counts against the anonymous rate limit of the nodes' address`,
            ]
          : []),
        ...(before.repository.startsWith('bitnami/') && after.repository.startsWith('bitnamilegacy/')
          ? ['docker.io/bitnamilegacy holds frozen images without updates']
          : []),
      ],
      ...(known ? {} : { wouldChange: 'With live pods: one that runs this image already makes it low.' }),
    },
  });
}

function isAlias(before: ImageReference, after: ImageReference): boolean {
  return (
    sameContent.some(
      ([old, now]) =>
        imageName(before).startsWith(`${old}/`) &&
        imageName(after).startsWith(`${now}/`) &&
        tail(before) === tail(after),
    ) && before.tag === after.tag
  );
}

function tail({ repository }: ImageReference): string {
  return repository.slice(repository.lastIndexOf('/') + 1);
}

/** The image stays, but its source no longer has it, and the rollout asks for it again. */
function unavailable(entry: Entry, container: string, path: string, image: ImageReference, reason: string): Problem {
  return problemAt(entry, `${path}/image`, {
    message: `This change restarts ${formatRef(entry.ref)}, and a pod of the cluster cannot pull ${formatImage(image)} (container ${container}) now: running pods go on, new ones stay in ImagePullBackOff.`,
    severity: 'high',
    confidence: 'proven',
    evidence: {
      before: formatImage(image),
      after: formatImage(image),
      facts: [`live: ${reason}`],
      wouldChange: 'a pod that pulled it after that failure',
    },
    rootCause: `image-source:${entry.target.scope}:${formatImage(image)}`,
    fix: `Copy ${formatImage(image)} to a registry of your own from a node that still has it, and change the reference before anything restarts.`,
  });
}

/** Why live containers cannot pull, by image reference. */
const pullFailures = memo((live: LiveWorld) => {
  const failures = new Map<string, string>();
  for (const { image, pullFailure } of imagesOf(live)) {
    const parsed = pullFailure === undefined ? undefined : parseImage(image);
    if (pullFailure !== undefined && parsed !== undefined) failures.set(formatImage(parsed), pullFailure);
  }
  return failures;
});

/** Images of live containers that run, by reference. */
const startedImages = memo((live: LiveWorld) => {
  const images = new Set<string>();
  for (const { image, running } of imagesOf(live)) {
    const parsed = running === 0 ? undefined : parseImage(image);
    if (parsed !== undefined) images.add(formatImage(parsed));
  }
  return images;
});

function imagesOf(live: LiveWorld): readonly ContainerImage[] {
  return live.pods().flatMap(({ containers }) => containers.flatMap(({ images }) => images));
}

function runsAlready(live: LiveWorld | undefined, image: ImageReference): boolean {
  return live !== undefined && startedImages(live).has(formatImage(image));
}

export default defineRule<Options>({
  id: 'image-source-changed',
  since: '0.1.0',
  family: 'Images and pulls',
  title: 'Image source changed',
  severity: 'medium',
  reversibility: 'instant',
  confidence: 'likely',
  needs: 'transition',
  kinds: ['apps/Deployment', 'apps/StatefulSet', 'apps/DaemonSet', 'batch/Job', 'batch/CronJob', '/Pod'],
  live: ['/Pod'],
  summary: 'An image is pulled from another registry or repository than before, or from one that no longer has it.',
  docs: {
    why: 'A new registry host or repository path is a new dependency of every pod start: the image may not be there under that tag, may be another build, may need credentials that the namespace lacks, or may be out of reach for the nodes. Pods that run keep running, so it shows only at the rollout or at the next reschedule. Docker Hub limits anonymous pulls per address, so moving many workloads there may stop all of them.',
    fix: 'Mirror the images first, compare digests, attach the credentials, pull each image once from inside, and then change the references.',
    ignoreWhen: 'The mirror is known to hold the same images, for example a pull-through cache.',
  },
  references: [
    'https://github.com/bitnami/charts/issues/35164',
    'https://kubernetes.io/docs/concepts/containers/images/',
  ],
  options: Type.Object({
    manyWorkloads: Type.Number({
      default: 20,
      minimum: 1,
      description:
        'From so many containers on, a move to Docker Hub without credentials is pointed out as a rate limit risk.',
    }),
  }),
  examples,
  check,
});

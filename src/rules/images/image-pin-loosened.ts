import { Type } from 'typebox';
import type { Confidence, Entry, Severity } from '../../core/model.ts';
import { defineRule, type LiveWorld, type Problem, type RuleContext } from '../../core/rule.ts';
import { imageOf, podChange, type ContainerPair } from '../kit/container-pairs.ts';
import { effectiveTag, formatImage, imageName, parseImage, type ImageReference } from '../kit/image-reference.ts';
import { containerPods } from '../kit/live-pods.ts';
import { getOrMake } from '../kit/memo.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { examples } from './examples/image-pin-loosened.ts';

interface Loosening {
  readonly severity: Severity;
  readonly confidence: Confidence;
  /** Completes "container web of Deployment a/b …". */
  readonly text: string;
  readonly fix: string;
}

/** Tags that their publishers move on purpose. */
const movingWords = new Set([
  'latest',
  'stable',
  'main',
  'master',
  'trunk',
  'head',
  'edge',
  'nightly',
  'dev',
  'develop',
  'development',
  'snapshot',
  'current',
  'rolling',
  'canary',
  'lts',
  'release',
  'prod',
  'production',
  'staging',
]);

/** `latest`, `stable-alpine`; but `main-3f2a9c1-1763600000` and `release-1.4` name one build. */
function isMoving(tag: string): boolean {
  const [word, ...rest] = tag.toLowerCase().split(/[-_.]/);
  return movingWords.has(word!) && rest.every((part) => /^[a-z]{1,12}$/.test(part));
}

/** `16` or `v3` or `16-alpine` after `16.4`: the next release of that line is pulled under the same tag. */
function isMajorOf(tag: string, before: string): boolean {
  const major = /^v?(\d{1,3})(?:-[a-z][a-z0-9]*)?$/i.exec(tag)?.[1];
  return major !== undefined && /^v?(\d{1,3})\.\d/i.exec(before)?.[1] === major;
}

function* check(context: RuleContext): Iterable<Problem> {
  for (const change of context.changes) {
    const pods = podChange(change);
    // Environments other than production follow moving tags on purpose.
    if (pods === undefined || !context.isProduction(pods.after.target)) continue;
    for (const pair of pods.pairs) {
      const before = imageOf(pair.before);
      const after = imageOf(pair.after);
      if (before === undefined || after === undefined) continue;
      const found = loosening(before, after);
      if (found !== undefined) yield report(context, pods.after, pair, before, after, found);
    }
  }
}

function loosening(before: ImageReference, after: ImageReference): Loosening | undefined {
  if (after.digest !== undefined) return movedTag(before, after);
  const tag = effectiveTag(after) ?? 'latest';
  const pin = `pin the image by digest (${imageName(after)}:${tag}@sha256:…)`;
  if (before.digest !== undefined) {
    return {
      severity: 'medium',
      confidence: 'determined',
      text: `goes from a digest to the tag ${tag}, so what runs is decided by whoever can push that tag`,
      fix: `Keep the digest, or ${pin}`,
    };
  }
  const old = effectiveTag(before) ?? 'latest';
  if (isMoving(old)) return undefined;
  if (after.tag === undefined)
    return {
      severity: 'medium',
      confidence: 'determined',
      text: `loses its tag ${old}, so latest is pulled`,
      fix: `Write the tag ${old}, or ${pin}`,
    };
  if (isMoving(tag))
    return {
      severity: 'medium',
      confidence: 'determined',
      text: `goes from the tag ${old} to ${tag}, which moves`,
      fix: `Use a version as ${old} was, or ${pin}`,
    };
  if (isMajorOf(tag, old))
    return {
      severity: 'medium',
      confidence: 'determined',
      text: `goes from the version ${old} to the line ${tag}, whose next release is pulled under the same tag`,
      fix: `Write the whole version, or ${pin}`,
    };
  return undefined;
}

/** The version stays and its digest changes: somebody pushed the tag again. */
function movedTag(before: ImageReference, after: ImageReference): Loosening | undefined {
  if (
    before.tag === undefined ||
    before.tag !== after.tag ||
    before.digest === undefined ||
    before.digest === after.digest
  )
    return undefined;
  if (imageName(before) !== imageName(after) || isMoving(before.tag) || !/\d\.\d+\.\d/.test(before.tag))
    return undefined;
  return {
    severity: 'low',
    confidence: 'determined',
    text: `keeps the version ${before.tag} and changes the digest: the publisher pushed that version again`,
    fix: `Check what changed between ${before.digest.slice(0, 19)}… and ${after.digest!.slice(0, 19)}…, for example by comparing the two with your scanner`,
  };
}

function report(
  context: RuleContext,
  after: Entry,
  pair: ContainerPair,
  before: ImageReference,
  image: ImageReference,
  found: Loosening,
): Problem {
  const live = context.live(after.target.scope);
  const ids = runningIds(live, after, pair.name);
  const moved = ids.length > 1;
  const tag = effectiveTag(image) ?? 'latest';
  return problemAt(after, `${pair.after.path}/image`, {
    message: `Container ${pair.name} of ${formatRef(after.ref)} ${found.text}: two pods of one rollout may run different code, and a rollback may not bring the old one back.`,
    severity: moved && found.severity === 'medium' ? 'high' : found.severity,
    confidence: moved ? 'proven' : found.confidence,
    rootCause: `image-pin:${after.target.id}:${imageName(image)}:${tag}`,
    fix: `${found.fix} on container ${pair.name} of ${formatRef(after.ref)}.`,
    evidence: {
      before: formatImage(before),
      after: formatImage(image),
      ...(ids.length === 0 ? {} : { live: [...ids] }),
      facts: moved ? [`${ids.length} different images run under one reference in its pods now`] : [],
      ...(live === undefined
        ? {
            wouldChange:
              'With live pods: different imageIDs under one reference prove that the tag moves and make it high.',
          }
        : {}),
    },
  });
}

/** Image ids that run in pods of the workload under one reference, when there are several. */
function runningIds(live: LiveWorld | undefined, after: Entry, container: string): readonly string[] {
  const byReference = new Map<string, Set<string>>();
  for (const { image, imageId } of containerPods(live, after, container).flatMap(({ images }) => images)) {
    const parsed = parseImage(image);
    if (imageId === undefined || imageId === '' || parsed === undefined) continue;
    getOrMake(byReference, formatImage(parsed), () => new Set()).add(imageId.slice(imageId.indexOf('@') + 1));
  }
  return [...([...byReference.values()].find((ids) => ids.size > 1) ?? [])].toSorted();
}

export default defineRule({
  id: 'image-pin-loosened',
  since: '0.1.0',
  family: 'Images and pulls',
  title: 'Image pin loosened',
  severity: 'medium',
  reversibility: 'instant',
  confidence: 'determined',
  needs: 'single',
  kinds: ['apps/Deployment', 'apps/StatefulSet', 'apps/DaemonSet', 'batch/Job', 'batch/CronJob', '/Pod'],
  live: ['/Pod'],
  summary: 'An image goes from a digest to a tag, or from a version to a tag that moves.',
  docs: {
    why: 'A tag is a name that its publisher can point elsewhere. A pod that is rescheduled pulls what the tag means at that moment, so the replicas of one rollout can run different code, what was tested is not what runs, and rolling back the manifest does not roll back the image. A digest cannot move; a full version usually does not; `latest`, `stable`, a branch name or a major version do by design.',
    fix: 'Pin by digest and let Renovate or Flux image automation raise it.',
    ignoreWhen: 'The environment is meant to follow a moving tag.',
  },
  references: [
    'https://kubernetes.io/docs/concepts/containers/images/#image-names',
    'UC Berkeley datahub, incident of 2017-03-06',
  ],
  options: Type.Object({}),
  examples,
  check,
});

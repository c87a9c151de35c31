import type { CheckRun, CommitStatus, Degradation, Forge, Publication, Published, Written } from '../core/forge.ts';
import { GateError } from '../core/errors.ts';

/**
 * Writes everything that a run has to say, and where something may not be written the next best thing: comment -> check ->
 * commit status -> job summary (which the mouth always writes). Never throws: the exit code of the job decides anyway.
 *
 * The check comes first: it is what can hold a merge. Inline comments are last, so that a run that nears its deadline has
 * said the verdict.
 */
export async function publish(forge: Forge, publication: Publication): Promise<Published> {
  const degradations: Degradation[] = [];
  const check = await guarded(() => forge.writeCheck(publication.check));
  let status: Written | undefined;
  if (check.outcome === 'refused') {
    status = await guarded(() => forge.writeStatus(statusOf(publication.check)));
    const instead = status.outcome === 'refused' ? 'job summary' : 'status';
    degradations.push({ wanted: 'check', instead, problem: check.problem });
  }
  const { pullRequest, comment, review, labels } = publication;
  if (pullRequest === undefined) return { check, ...(status === undefined ? {} : { status }), degradations };

  const written: { comment?: Written; labels?: Written; review?: Written } = {};
  if (comment !== undefined) {
    written.comment = await guarded(() => forge.writeComment(pullRequest, comment));
    if (written.comment.outcome === 'refused')
      degradations.push({
        wanted: 'comment',
        instead: check.outcome === 'refused' ? 'job summary' : 'check',
        problem: written.comment.problem,
      });
  }
  if (labels !== undefined) {
    written.labels = await guarded(() => forge.writeLabels(pullRequest, labels));
    if (written.labels.outcome === 'refused')
      degradations.push({ wanted: 'labels', instead: 'nothing', problem: written.labels.problem });
  }
  if (review !== undefined) {
    written.review = await guarded(() => forge.writeReview(pullRequest, review));
    if (written.review.outcome === 'refused')
      degradations.push({
        wanted: 'review',
        instead: check.outcome === 'refused' ? 'job summary' : 'check',
        problem: written.review.problem,
      });
  }
  return { check, ...(status === undefined ? {} : { status }), ...written, degradations };
}

function statusOf(check: CheckRun): CommitStatus {
  return {
    sha: check.headSha,
    context: check.name,
    state: check.conclusion,
    description: check.title,
    ...(check.detailsUrl === undefined ? {} : { url: check.detailsUrl }),
  };
}

/** An adapter that throws all the same is one more place that could not be written to. */
async function guarded(write: () => Promise<Written>): Promise<Written> {
  try {
    return await write();
  } catch (error) {
    const problem = new GateError({
      code: 'forge.crash',
      message: 'Writing to the forge failed in gate itself',
      fault: 'gate',
      next: 'Report it with the output of --debug.',
      cause: error,
    });
    return { outcome: 'refused', problem };
  }
}

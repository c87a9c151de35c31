import type { ForgeComment, LabelChange, PullRequest, Written } from '../core/forge.ts';
import type { CheckApi } from './check.ts';
import type { Client } from './client.ts';
import { statusOf } from './problems.ts';
import { readChangedFiles } from './read.ts';
import type { ReviewApi } from './review.ts';
import type { CommentApi, StoredComment } from './sticky.ts';

/** The requests of REST that the comment, the review, the check and the labels take. */

interface CommentBody {
  readonly id: number;
  readonly body?: string;
  readonly user: { readonly login: string } | null;
  readonly html_url: string;
}

function stored(comment: CommentBody): StoredComment {
  // An account that was deleted has no user.
  return { id: comment.id, author: comment.user?.login ?? 'ghost', body: comment.body ?? '', url: comment.html_url };
}

export async function listComments({ octokit, owner, repo }: Client, number: number): Promise<ForgeComment[]> {
  const list = await octokit.paginate(octokit.rest.issues.listComments, {
    owner,
    repo,
    issue_number: number,
    per_page: 100,
  });
  return list.map((comment) => ({
    ...stored(comment),
    createdAt: comment.created_at,
    edited: comment.updated_at !== comment.created_at,
  }));
}

export function commentApi(
  { octokit, owner, repo }: Client,
  number: number,
  author: () => Promise<string>,
  head: (number: number) => Promise<string>,
): CommentApi {
  const here = { owner, repo };
  return {
    author,
    head: () => head(number),
    async *pages() {
      const pages = octokit.paginate.iterator(octokit.rest.issues.listComments, {
        ...here,
        issue_number: number,
        per_page: 100,
      });
      for await (const { data } of pages) yield data.map(stored);
    },
    create: async (body) =>
      stored((await octokit.rest.issues.createComment({ ...here, issue_number: number, body })).data),
    update: async (id, body) =>
      stored((await octokit.rest.issues.updateComment({ ...here, comment_id: id, body })).data),
    remove: async (id) => {
      await octokit.rest.issues.deleteComment({ ...here, comment_id: id });
    },
  };
}

export function reviewApi(
  client: Client,
  number: number,
  author: () => Promise<string>,
  pull: (number: number) => Promise<PullRequest>,
): ReviewApi {
  const { octokit, owner, repo } = client;
  const there = { owner, repo, pull_number: number };
  return {
    author,
    head: async () => (await pull(number)).head.sha,
    files: async () => (await readChangedFiles(client, await pull(number))).files,
    list: async () =>
      (await octokit.paginate(octokit.rest.pulls.listReviewComments, { ...there, per_page: 100 })).map(stored),
    create: async (headSha, comments) => {
      const { data } = await octokit.rest.pulls.createReview({
        ...there,
        commit_id: headSha,
        event: 'COMMENT',
        comments: comments.map((comment) => ({ ...comment, side: 'RIGHT' })),
        request: { retries: 0 },
      });
      return data.html_url;
    },
  };
}

export function checkApi({ octokit, owner, repo }: Client): CheckApi {
  const here = { owner, repo };
  return {
    find: async (headSha, name) => {
      const { data } = await octokit.rest.checks.listForRef({
        ...here,
        ref: headSha,
        check_name: name,
        filter: 'all',
        per_page: 100,
      });
      return data.check_runs.map((run) => ({
        id: run.id,
        externalId: run.external_id ?? '',
        conclusion: run.conclusion ?? undefined,
        annotations: run.output.annotations_count,
      }));
    },
    annotations: (id) =>
      octokit.paginate(octokit.rest.checks.listAnnotations, { ...here, check_run_id: id, per_page: 100 }),
    create: async (check, output) => {
      const { data } = await octokit.rest.checks.create({
        ...here,
        name: check.name,
        head_sha: check.headSha,
        external_id: check.externalId,
        status: 'completed',
        conclusion: check.conclusion,
        ...(check.detailsUrl === undefined ? {} : { details_url: check.detailsUrl }),
        output: { ...output, annotations: [...output.annotations] },
      });
      return { id: data.id, ...(data.html_url === null ? {} : { url: data.html_url }) };
    },
    update: async (id, check, output) => {
      const { data } = await octokit.rest.checks.update({
        ...here,
        check_run_id: id,
        status: 'completed',
        conclusion: check.conclusion,
        ...(check.detailsUrl === undefined ? {} : { details_url: check.detailsUrl }),
        output: { ...output, annotations: [...output.annotations] },
      });
      return data.html_url === null ? {} : { url: data.html_url };
    },
  };
}

/** GitHub gives this colour to a label that it makes on the way. */
const colourOfNew = 'ededed';

export async function writeLabelChange(
  { octokit, owner, repo }: Client,
  pull: PullRequest,
  { add, remove }: LabelChange,
): Promise<Written> {
  const here = { owner, repo };
  const gone = pull.labels.filter((name) => name !== add.name && remove.includes(name));
  const missing = !pull.labels.includes(add.name);
  if (!missing && gone.length === 0) return { outcome: 'unchanged' };
  for (const name of gone) {
    try {
      await octokit.rest.issues.removeLabel({ ...here, issue_number: pull.number, name });
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
    }
  }
  if (missing) {
    const { data } = await octokit.rest.issues.addLabels({ ...here, issue_number: pull.number, labels: [add.name] });
    const made = data.find((label) => label.name === add.name);
    if (made?.color === colourOfNew && add.color !== colourOfNew)
      await octokit.rest.issues.updateLabel({ ...here, name: add.name, color: add.color });
  }
  return { outcome: 'updated' };
}

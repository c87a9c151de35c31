import type { Forge, PullRequest, Written } from '../core/forge.ts';
import { createClient, type ClientOptions } from './client.ts';
import { writeCheckRun } from './check.ts';
import { cutToLength, maxStatusDescription, sendable } from './limits.ts';
import { statusOf, toProblem, type Attempt } from './problems.ts';
import {
  readChangedFiles,
  readCodeowners,
  readMembership,
  readPermission,
  readWorkflowRun,
  toPullRequest,
} from './read.ts';
import { checkApi, commentApi, listComments, reviewApi, writeLabelChange } from './requests.ts';
import { writeReviewComments } from './review.ts';
import { writeSticky } from './sticky.ts';

export interface GitHubOptions extends ClientOptions {
  /**
   * Login that the token writes as, for tokens of an own GitHub App (`my-app[bot]`). Absent: `github-actions[bot]` for
   * installation tokens, the account itself for personal ones.
   */
  readonly author?: string;
}

const actionsBot = 'github-actions[bot]';

/** The forge port on GitHub's REST API. Nothing is sent before the first call. @throws GateError forge.repository, forge.token, forge.api-url */
export async function createGitHub(options: GitHubOptions): Promise<Forge> {
  const client = await createClient(options);
  const { octokit, owner, repo } = client;
  const here = { owner, repo };
  const pulls = new Map<number, { readonly etag: string; readonly pull: PullRequest }>();
  let author: string | undefined;

  /** Unchanged since the last time: GitHub answers 304, which does not count against the rate limit. */
  async function readPull(number: number): Promise<PullRequest> {
    const known = pulls.get(number);
    try {
      const answer = await octokit.rest.pulls.get({
        ...here,
        pull_number: number,
        ...(known === undefined ? {} : { headers: { 'if-none-match': known.etag } }),
      });
      const pull = toPullRequest(answer.data);
      if (answer.headers.etag !== undefined) pulls.set(number, { etag: answer.headers.etag, pull });
      return pull;
    } catch (error) {
      if (known !== undefined && statusOf(error) === 304) return known.pull;
      throw error;
    }
  }

  async function findAuthor(): Promise<string> {
    author ??= options.author ?? (options.token.startsWith('ghs_') ? actionsBot : undefined);
    if (author !== undefined) return author;
    try {
      author = (await octokit.rest.users.getAuthenticated()).data.login;
    } catch (error) {
      // "Resource not accessible by integration": the token of an app under another form.
      if (statusOf(error) !== 403) throw error;
      author = actionsBot;
    }
    return author;
  }

  const head = async (number: number) => (await readPull(number)).head.sha;

  return {
    name: 'github',
    get requests() {
      return client.requests();
    },
    pullRequest: (number) => reading(`read pull request #${number}`, 'pull-requests: read', () => readPull(number)),
    changedFiles: (number) =>
      reading(`list the files of pull request #${number}`, 'pull-requests: read', async () =>
        readChangedFiles(client, pulls.get(number)?.pull ?? (await readPull(number))),
      ),
    comments: (number) =>
      reading(`read the comments of pull request #${number}`, 'pull-requests: read', () =>
        listComments(client, number),
      ),
    permission: (login) =>
      reading(`read the permission of ${login}`, 'metadata: read', () => readPermission(client, login)),
    isTeamMember: (team, login) =>
      reading(`read the members of ${team.organization}/${team.slug}`, 'members: read', () =>
        readMembership(client, team, login),
      ),
    codeowners: (revision) => reading('read CODEOWNERS', 'contents: read', () => readCodeowners(client, revision)),
    workflowRun: (id) => reading(`read workflow run ${id}`, 'actions: read', () => readWorkflowRun(client, id)),

    writeComment: (number, comment) =>
      writing(`comment on pull request #${number}`, 'pull-requests: write', () =>
        writeSticky(commentApi(client, number, findAuthor, head), comment),
      ),
    writeReview: async (number, review) => {
      const written = await writing(`write review comments on pull request #${number}`, 'pull-requests: write', () =>
        writeReviewComments(reviewApi(client, number, findAuthor, readPull), review),
      );
      return { posted: 0, ...written };
    },
    writeCheck: (check) =>
      writing(`write the check "${check.name}"`, 'checks: write', () => writeCheckRun(checkApi(client), check)),
    writeStatus: (status) =>
      writing(`write the commit status "${status.context}"`, 'statuses: write', async () => {
        await octokit.rest.repos.createCommitStatus({
          ...here,
          sha: status.sha,
          context: status.context,
          state: status.state,
          description: cutToLength(sendable(status.description), maxStatusDescription),
          ...(status.url === undefined ? {} : { target_url: status.url }),
        });
        return { outcome: 'created' };
      }),
    writeLabels: (number, change) =>
      writing(`label pull request #${number}`, 'pull-requests: write', async () =>
        writeLabelChange(client, pulls.get(number)?.pull ?? (await readPull(number)), change),
      ),
  };
}

async function reading<T>(what: string, permission: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw toProblem(error, { what, permission });
  }
}

async function writing<T extends Written>(
  what: string,
  permission: string,
  write: () => Promise<T>,
): Promise<T | Refused> {
  const attempt: Attempt = { what, permission };
  try {
    return await write();
  } catch (error) {
    return { outcome: 'refused', problem: toProblem(error, attempt) };
  }
}
type Refused = Extract<Written, { readonly outcome: 'refused' }>;

import { GateError } from '../core/errors.ts';
import {
  repositoryPermissions,
  type ChangedFile,
  type ChangedFiles,
  type Forge,
  type PullRequest,
  type RepositoryPermission,
  type WorkflowRun,
} from '../core/forge.ts';
import type { Client } from './client.ts';
import { maxListedFiles } from './limits.ts';
import { statusOf } from './problems.ts';

type PullBody = Awaited<ReturnType<Client['octokit']['rest']['pulls']['get']>>['data'];

export function toPullRequest(body: PullBody): PullRequest {
  // A deleted fork has no repository any more, whatever the schema says.
  const repository = (body.head.repo as PullBody['head']['repo'] | null)?.full_name;
  return {
    number: body.number,
    title: body.title,
    author: body.user.login,
    url: body.html_url,
    state: body.merged ? 'merged' : body.state === 'closed' ? 'closed' : 'open',
    draft: body.draft === true,
    locked: body.locked,
    archived: body.base.repo.archived,
    head: { sha: body.head.sha, branch: body.head.ref, repository },
    base: { sha: body.base.sha, branch: body.base.ref },
    fork: repository !== body.base.repo.full_name,
    labels: body.labels.map((label) => label.name),
    changedFileCount: body.changed_files,
  };
}

const fileStatuses: Readonly<Record<string, ChangedFile['status']>> = {
  added: 'added',
  removed: 'removed',
  modified: 'modified',
  changed: 'modified',
  renamed: 'renamed',
  copied: 'added',
};

export async function readChangedFiles({ octokit, owner, repo }: Client, pull: PullRequest): Promise<ChangedFiles> {
  const entries = await octokit.paginate(octokit.rest.pulls.listFiles, {
    owner,
    repo,
    pull_number: pull.number,
    per_page: 100,
  });
  const files = entries.map((entry): ChangedFile => ({
    path: entry.filename,
    status: fileStatuses[entry.status] ?? 'other',
    ...(entry.previous_filename === undefined ? {} : { previousPath: entry.previous_filename }),
    ...(entry.patch === undefined ? {} : { patch: entry.patch }),
  }));
  return { files, truncated: files.length >= maxListedFiles || files.length < pull.changedFileCount };
}

/** `role_name` knows maintain and triage; `permission` is the older field. A custom role counts as what it is based on. */
export async function readPermission({ octokit, owner, repo }: Client, login: string): Promise<RepositoryPermission> {
  try {
    const { data } = await octokit.rest.repos.getCollaboratorPermissionLevel({ owner, repo, username: login });
    return known(data.role_name) ?? known(data.permission) ?? 'none';
  } catch (error) {
    if (statusOf(error) === 404) return 'none';
    throw error;
  }
}

function known(name: string): RepositoryPermission | undefined {
  return repositoryPermissions.find((permission) => permission === name);
}

export async function readMembership(
  { octokit }: Client,
  team: { readonly organization: string; readonly slug: string },
  login: string,
): Promise<boolean | undefined> {
  try {
    const { data } = await octokit.rest.teams.getMembershipForUserInOrg({
      org: team.organization,
      team_slug: team.slug,
      username: login,
    });
    return data.state === 'active';
  } catch (error) {
    // 404 is "no member", and also "no such team that you may see": only a member can be told for sure.
    if (statusOf(error) === 404) return false;
    if (statusOf(error) === 403) return undefined;
    throw error;
  }
}

/** "GitHub looks for it in .github/, the root and docs/, in that order, and uses the first one it finds." */
const codeownersPaths = ['.github/CODEOWNERS', 'CODEOWNERS', 'docs/CODEOWNERS'];

export async function readCodeowners(
  { octokit, owner, repo }: Client,
  revision: string,
): ReturnType<Forge['codeowners']> {
  for (const path of codeownersPaths) {
    try {
      const { data } = await octokit.rest.repos.getContent({
        owner,
        repo,
        path,
        ref: revision,
        mediaType: { format: 'raw' },
      });
      if (typeof data === 'string') return { path, text: data };
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
    }
  }
  return undefined;
}

/**
 * A finished run of another workflow and the open pull request that has its commit as the head. GitHub leaves
 * `pull_requests` of a run empty when it comes from a fork, so the pull request is looked up by the branch of the head.
 */
export async function readWorkflowRun(client: Client, id: number): Promise<WorkflowRun> {
  const { octokit, owner, repo } = client;
  const { data: run } = await octokit.rest.actions.getWorkflowRun({ owner, repo, run_id: id });
  const from = (run.head_repository as typeof run.head_repository | null)?.full_name;
  let pullRequest: PullRequest | undefined;
  if (from !== undefined && run.head_branch !== null) {
    const head = `${from.split('/')[0]}:${run.head_branch}`;
    const { data: pulls } = await octokit.rest.pulls.list({ owner, repo, head, state: 'open', per_page: 100 });
    const found = pulls.filter(
      (pull) => pull.head.sha === run.head_sha && (pull.head.repo as typeof pull.head.repo | null)?.full_name === from,
    );
    if (found.length > 1)
      throw new GateError({
        code: 'forge.ambiguous-run',
        message: `Commit ${run.head_sha.slice(0, 7)} is the head of ${found.length} open pull requests`,
        fault: 'user',
        next: 'Close all but one of them, or push a commit of its own to each.',
      });
    if (found[0] !== undefined) {
      const { data } = await octokit.rest.pulls.get({ owner, repo, pull_number: found[0].number });
      // Pushed to in the meantime.
      if (data.head.sha === run.head_sha) pullRequest = toPullRequest(data);
    }
  }
  return {
    id,
    attempt: run.run_attempt ?? 1,
    event: run.event,
    conclusion: run.conclusion ?? '',
    headSha: run.head_sha,
    pullRequest,
  };
}

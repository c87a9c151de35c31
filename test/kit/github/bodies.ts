import type { CheckRunState, CommentState, PullState, RepositoryState, ReviewCommentState, RunState } from './state.ts';

/** Answers as far as a test can see a difference; `fill` adds what else GitHub's schema requires. */

function idOf(login: string): number {
  let id = 7;
  for (const character of login) id = (id * 31 + character.charCodeAt(0)) % 1_000_003;
  return id;
}

export function user(login: string): Record<string, unknown> {
  const bot = login.endsWith('[bot]');
  return { login, id: idOf(login), type: bot ? 'Bot' : 'User', html_url: `https://github.example/${login}` };
}

function repository(state: RepositoryState, fullName: string): Record<string, unknown> {
  const [owner = '', name = ''] = fullName.split('/');
  return {
    name,
    full_name: fullName,
    fork: fullName !== `${state.owner}/${state.repo}`,
    archived: fullName === `${state.owner}/${state.repo}` && state.archived,
    owner: user(owner),
  };
}

export function pullBody(state: RepositoryState, pull: PullState): Record<string, unknown> {
  const here = `${state.owner}/${state.repo}`;
  const labels = pull.labels.map((name) => ({ name, color: state.labels.get(name) ?? 'ededed', description: null }));
  return {
    number: pull.number,
    title: pull.title,
    state: pull.state,
    merged: pull.merged,
    merged_at: pull.merged ? '2026-11-20T12:00:00Z' : null,
    draft: pull.draft,
    locked: pull.locked,
    user: user(pull.author),
    labels,
    changed_files: pull.files.length,
    html_url: `https://github.example/${here}/pull/${pull.number}`,
    head: {
      sha: pull.headSha,
      ref: pull.headRef,
      label: `${(pull.headRepository ?? 'unknown').split('/')[0]}:${pull.headRef}`,
      repo: pull.headRepository === null ? null : repository(state, pull.headRepository),
      user: user((pull.headRepository ?? 'ghost/x').split('/')[0]!),
    },
    base: {
      sha: pull.baseSha,
      ref: pull.baseRef,
      label: `${state.owner}:${pull.baseRef}`,
      repo: repository(state, here),
      user: user(state.owner),
    },
  };
}

export function commentBody(state: RepositoryState, comment: CommentState): Record<string, unknown> {
  const page = `https://github.example/${state.owner}/${state.repo}/pull/${comment.pull}`;
  return {
    id: comment.id,
    body: comment.body,
    user: user(comment.user),
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    html_url: `${page}#issuecomment-${comment.id}`,
    author_association: 'NONE',
  };
}

export function reviewCommentBody(comment: ReviewCommentState): Record<string, unknown> {
  return {
    id: comment.id,
    body: comment.body,
    user: user(comment.user),
    path: comment.path,
    line: comment.line,
    side: 'RIGHT',
    commit_id: comment.commit,
    original_commit_id: comment.commit,
  };
}

export function checkBody(state: RepositoryState, run: CheckRunState): Record<string, unknown> {
  return {
    id: run.id,
    name: run.name,
    head_sha: run.headSha,
    external_id: run.externalId,
    details_url: run.detailsUrl,
    html_url: `https://github.example/${state.owner}/${state.repo}/runs/${run.id}`,
    status: run.status,
    conclusion: run.conclusion,
    output: {
      title: run.title,
      summary: run.summary,
      text: run.text,
      annotations_count: run.annotations.length,
    },
    app: { slug: run.user.replace('[bot]', ''), name: run.user },
  };
}

export function runBody(state: RepositoryState, run: RunState): Record<string, unknown> {
  return {
    id: run.id,
    event: run.event,
    head_sha: run.headSha,
    head_branch: run.headBranch,
    head_repository: repository(state, run.headRepository),
    run_attempt: run.attempt,
    run_number: run.number,
    status: 'completed',
    conclusion: run.conclusion,
    // GitHub leaves this empty for runs of forks.
    pull_requests: [],
  };
}

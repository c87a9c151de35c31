import { checkBody, commentBody, pullBody, reviewCommentBody, runBody, user } from './bodies.ts';
import { nextId, now, type Area, type Level, type PullState, type RepositoryState, type Token } from './state.ts';

export interface Call {
  readonly state: RepositoryState;
  readonly token: Token;
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: Record<string, unknown>;
  /** The raw media type was asked for. */
  readonly raw: boolean;
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  /** Sent as it is, without a schema. */
  readonly text?: string;
  /** A list that is cut into pages; `wrap` puts a page into its envelope. */
  readonly list?: readonly unknown[];
  readonly wrap?: (page: readonly unknown[], total: number) => unknown;
}

export interface Handler {
  /** Any one of these is enough. Empty: everybody. */
  readonly needs: readonly { readonly area: Area; readonly level: Level }[];
  readonly run: (call: Call) => Answer;
}

/** The limit of GitHub's sentence. Counted in code points, which holds under every measured rule. */
export const maxBody = 65_536;

export const notFound: Answer = {
  status: 404,
  body: { message: 'Not Found', documentation_url: 'https://docs', status: '404' },
};

export function invalid(resource: string, field: string, message: string): Answer {
  const errors = [{ resource, code: 'custom', field, message }];
  return {
    status: 422,
    body: { message: 'Validation Failed', errors, documentation_url: 'https://docs', status: '422' },
  };
}

function forbidden(message: string): Answer {
  return { status: 403, body: { message, documentation_url: 'https://docs', status: '403' } };
}

const archived = forbidden('Repository was archived so is read-only.');
const tooLong = 'body is too long (maximum is 65536 characters)';

function pullOf({ state, parameters }: Call): PullState | undefined {
  return state.pulls.get(Number(parameters['pull_number'] ?? parameters['issue_number']));
}

function isTooLong(body: unknown): boolean {
  return Array.from(String(body)).length > maxBody;
}

const pulls = { area: 'pull-requests', level: 'read' } as const;
const writePulls = { area: 'pull-requests', level: 'write' } as const;
const issues = { area: 'issues', level: 'read' } as const;
const writeIssues = { area: 'issues', level: 'write' } as const;

/** Lines of the right side that a review comment may name. */
function rightLines(patch: string): Set<number> {
  const lines = new Set<number>();
  let line = 0;
  for (const text of patch.split('\n')) {
    const head = /^@@ -\d+(?:,\d+)? \+(\d+)/.exec(text);
    if (head !== null) line = Number(head[1]);
    else if (!text.startsWith('-') && !text.startsWith('\\')) lines.add(line++);
  }
  return lines;
}

function createReview(call: Call): Answer {
  const { state, body, token } = call;
  const pull = pullOf(call);
  if (pull === undefined) return notFound;
  const wanted = (body['comments'] ?? []) as { path: string; line: number; body: string }[];
  const commit = String(body['commit_id'] ?? pull.headSha);
  if (!pull.commits.includes(commit))
    return invalid('PullRequestReview', 'commit_id', 'commit_id is not part of the pull request');
  for (const comment of wanted) {
    if (isTooLong(comment.body)) return invalid('PullRequestReviewComment', 'body', tooLong);
    const file = pull.files.find((entry) => entry.filename === comment.path);
    if (file?.patch === undefined || !rightLines(file.patch).has(comment.line))
      return {
        status: 422,
        body: {
          message: 'Unprocessable Entity',
          errors: ['Line could not be resolved'],
          documentation_url: 'https://docs',
        },
      };
  }
  for (const { path, line, body: text } of wanted)
    state.reviewComments.push({
      id: nextId(state),
      pull: pull.number,
      user: token.login,
      body: text,
      path,
      line,
      commit,
      resolved: false,
    });
  const id = nextId(state);
  return {
    status: 200,
    body: { id, user: user(token.login), body: String(body['body'] ?? ''), state: 'COMMENTED', commit_id: commit },
  };
}

function applyOutput(run: RepositoryState['checkRuns'][number], body: Record<string, unknown>): Answer | undefined {
  const output = body['output'] as Record<string, unknown> | undefined;
  for (const field of ['summary', 'text'] as const)
    if (Buffer.byteLength(String(output?.[field] ?? '')) > 65_535)
      return invalid('CheckRun', field, `${field} exceeds a maximum bytesize of 65535`);
  if (output !== undefined) {
    run.title = (output['title'] as string | undefined) ?? run.title;
    run.summary = (output['summary'] as string | undefined) ?? run.summary;
    run.text = (output['text'] as string | undefined) ?? run.text;
    run.annotations.push(...((output['annotations'] as Record<string, unknown>[] | undefined) ?? []));
  }
  run.conclusion = (body['conclusion'] as string | undefined) ?? run.conclusion;
  run.status = run.conclusion === null ? ((body['status'] as string | undefined) ?? run.status) : 'completed';
  run.externalId = (body['external_id'] as string | undefined) ?? run.externalId;
  run.detailsUrl = (body['details_url'] as string | undefined) ?? run.detailsUrl;
  run.name = (body['name'] as string | undefined) ?? run.name;
  return undefined;
}

export const handlers: Readonly<Record<string, Handler>> = {
  'users/get-authenticated': {
    needs: [],
    run: ({ token }) =>
      token.kind === 'app'
        ? forbidden('Resource not accessible by integration')
        : { status: 200, body: user(token.login) },
  },
  'pulls/get': {
    needs: [pulls],
    run: (call) => {
      const pull = pullOf(call);
      return pull === undefined ? notFound : { status: 200, body: pullBody(call.state, pull) };
    },
  },
  'pulls/list': {
    needs: [pulls],
    run: ({ state, query }) => {
      const wanted = query.get('state') ?? 'open';
      const head = query.get('head');
      const list = [...state.pulls.values()].filter((pull) => {
        const label = `${(pull.headRepository ?? '').split('/')[0]}:${pull.headRef}`;
        return (wanted === 'all' || pull.state === wanted) && (head === null || head === label);
      });
      return { status: 200, list: list.map((pull) => pullBody(state, pull)) };
    },
  },
  'pulls/list-files': {
    needs: [pulls],
    run: (call) => {
      const pull = pullOf(call);
      if (pull === undefined) return notFound;
      // "Responses include a maximum of 3000 files."
      const list = pull.files.slice(0, 3000).map((file) => ({ ...file, additions: 1, deletions: 1, changes: 2 }));
      return { status: 200, list };
    },
  },
  'pulls/list-review-comments': {
    needs: [pulls],
    run: (call) => {
      const number = Number(call.parameters['pull_number']);
      const list = call.state.reviewComments.filter((comment) => comment.pull === number);
      return { status: 200, list: list.map(reviewCommentBody) };
    },
  },
  'pulls/create-review': { needs: [writePulls], run: (call) => (call.state.archived ? archived : createReview(call)) },
  'issues/list-comments': {
    needs: [pulls, issues],
    run: (call) => {
      const pull = pullOf(call);
      if (pull === undefined) return notFound;
      const list = call.state.comments.filter((comment) => comment.pull === pull.number);
      return { status: 200, list: list.map((comment) => commentBody(call.state, comment)) };
    },
  },
  'issues/create-comment': {
    needs: [writePulls, writeIssues],
    run: (call) => {
      const { state, token, body } = call;
      const pull = pullOf(call);
      if (pull === undefined) return notFound;
      if (state.archived) return archived;
      if (pull.locked) return forbidden('Unable to create comment because issue is locked.');
      if (isTooLong(body['body'])) return invalid('IssueComment', 'body', tooLong);
      const id = nextId(state);
      const time = now(state);
      const comment = {
        id,
        pull: pull.number,
        user: token.login,
        body: String(body['body']),
        createdAt: time,
        updatedAt: time,
      };
      state.comments.push(comment);
      return { status: 201, body: commentBody(state, comment) };
    },
  },
  'issues/update-comment': {
    needs: [writePulls, writeIssues],
    run: ({ state, parameters, body }) => {
      const comment = state.comments.find(({ id }) => id === Number(parameters['comment_id']));
      if (comment === undefined) return notFound;
      if (state.archived) return archived;
      if (isTooLong(body['body'])) return invalid('IssueComment', 'body', tooLong);
      comment.body = String(body['body']);
      nextId(state);
      comment.updatedAt = now(state);
      return { status: 200, body: commentBody(state, comment) };
    },
  },
  'issues/delete-comment': {
    needs: [writePulls, writeIssues],
    run: ({ state, parameters }) => {
      const id = Number(parameters['comment_id']);
      if (!state.comments.some((comment) => comment.id === id)) return notFound;
      state.comments = state.comments.filter((comment) => comment.id !== id);
      return { status: 204 };
    },
  },
  'issues/add-labels': {
    needs: [writePulls, writeIssues],
    run: (call) => {
      const { state, body } = call;
      const pull = pullOf(call);
      if (pull === undefined) return notFound;
      if (state.archived) return archived;
      for (const name of (body['labels'] ?? []) as string[]) {
        if (name.length > 50) return invalid('Label', 'name', 'name is too long (maximum is 50 characters)');
        if (!state.labels.has(name)) state.labels.set(name, 'ededed');
        if (!pull.labels.includes(name)) pull.labels.push(name);
      }
      return {
        status: 200,
        list: pull.labels.map((name) => ({ name, color: state.labels.get(name), description: null })),
      };
    },
  },
  'issues/remove-label': {
    needs: [writePulls, writeIssues],
    run: (call) => {
      const pull = pullOf(call);
      const name = call.parameters['name'] ?? '';
      if (pull === undefined || !pull.labels.includes(name)) return notFound;
      pull.labels = pull.labels.filter((label) => label !== name);
      return { status: 200, list: pull.labels.map((label) => ({ name: label, color: 'ededed', description: null })) };
    },
  },
  'issues/update-label': {
    needs: [writePulls, writeIssues],
    run: ({ state, parameters, body }) => {
      const name = parameters['name'] ?? '';
      if (!state.labels.has(name)) return notFound;
      state.labels.set(name, String(body['color'] ?? 'ededed'));
      return { status: 200, body: { name, color: state.labels.get(name), description: null } };
    },
  },
  'checks/list-for-ref': {
    needs: [{ area: 'checks', level: 'read' }],
    run: ({ state, parameters, query }) => {
      const name = query.get('check_name');
      const found = state.checkRuns.filter(
        (run) => run.headSha === parameters['ref'] && (name === null || run.name === name),
      );
      // `latest`: the newest of a name and app.
      const newest = new Map(found.map((run) => [`${run.user} ${run.name}`, run]));
      const list = query.get('filter') === 'all' ? found.toReversed() : [...newest.values()];
      return {
        status: 200,
        list: list.map((run) => checkBody(state, run)),
        wrap: (page, total) => ({ total_count: total, check_runs: page }),
      };
    },
  },
  'checks/list-annotations': {
    needs: [{ area: 'checks', level: 'read' }],
    run: ({ state, parameters }) => {
      const run = state.checkRuns.find(({ id }) => id === Number(parameters['check_run_id']));
      return run === undefined ? notFound : { status: 200, list: run.annotations };
    },
  },
  'checks/create': {
    needs: [{ area: 'checks', level: 'write' }],
    run: ({ state, token, body }) => {
      if (token.kind !== 'app') return forbidden('You must authenticate via a GitHub App.');
      if (state.archived) return archived;
      const run = {
        id: nextId(state),
        name: String(body['name']),
        headSha: String(body['head_sha']),
        user: token.login,
        externalId: '',
        detailsUrl: null,
        status: 'queued',
        conclusion: null,
        title: null,
        summary: null,
        text: null,
        annotations: [],
      };
      const problem = applyOutput(run, body);
      if (problem !== undefined) return problem;
      state.checkRuns.push(run);
      return { status: 201, body: checkBody(state, run) };
    },
  },
  'checks/update': {
    needs: [{ area: 'checks', level: 'write' }],
    run: ({ state, token, parameters, body }) => {
      const run = state.checkRuns.find(({ id }) => id === Number(parameters['check_run_id']));
      if (run === undefined) return notFound;
      if (run.user !== token.login)
        return forbidden('Invalid app_id `1` - check run can only be modified by the GitHub App that created it.');
      return applyOutput(run, body) ?? { status: 200, body: checkBody(state, run) };
    },
  },
  'repos/create-commit-status': {
    needs: [{ area: 'statuses', level: 'write' }],
    run: ({ state, token, parameters, body }) => {
      if (state.archived) return archived;
      if (String(body['description'] ?? '').length > 140)
        return invalid('Status', 'description', 'description is too long (maximum is 140 characters)');
      const status = {
        sha: parameters['sha']!,
        state: String(body['state']),
        context: String(body['context'] ?? 'default'),
        description: (body['description'] as string | undefined) ?? null,
        targetUrl: (body['target_url'] as string | undefined) ?? null,
      };
      state.statuses.push(status);
      const { targetUrl, ...rest } = status;
      return { status: 201, body: { ...rest, target_url: targetUrl, creator: user(token.login) } };
    },
  },
  'repos/get-collaborator-permission-level': {
    needs: [],
    run: ({ state, parameters }) => {
      const login = parameters['username']!;
      const role = state.collaborators.get(login) ?? 'none';
      // The old field knows neither `maintain` nor `triage`.
      const permission = role === 'maintain' ? 'write' : role === 'triage' ? 'read' : role;
      return { status: 200, body: { permission, role_name: role, user: user(login) } };
    },
  },
  'teams/get-membership-for-user-in-org': {
    needs: [{ area: 'members', level: 'read' }],
    run: ({ state, parameters }) => {
      const members = state.teams.get(`${parameters['org']}/${parameters['team_slug']}`);
      if (members?.includes(parameters['username'] ?? '') !== true) return notFound;
      return { status: 200, body: { role: 'member', state: 'active' } };
    },
  },
  'repos/get-content': {
    needs: [{ area: 'contents', level: 'read' }],
    run: ({ state, parameters, query, raw }) => {
      const text = state.files.get(`${query.get('ref') ?? 'main'}:${parameters['path']}`);
      if (text === undefined) return notFound;
      if (!raw) throw new Error('The test server has contents as raw media type only');
      return { status: 200, text };
    },
  },
  'actions/get-workflow-run': {
    needs: [{ area: 'actions', level: 'read' }],
    run: ({ state, parameters }) => {
      const run = state.runs.get(Number(parameters['run_id']));
      return run === undefined ? notFound : { status: 200, body: runBody(state, run) };
    },
  },
};

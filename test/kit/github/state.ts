/** What a token may do, as `permissions:` of a workflow says it. */
export type Level = 'none' | 'read' | 'write';
export const areas = ['contents', 'pull-requests', 'issues', 'checks', 'statuses', 'actions', 'members'] as const;
export type Area = (typeof areas)[number];

export interface Token {
  readonly token: string;
  /** Who writes with it: `github-actions[bot]`, `mia`. */
  readonly login: string;
  /** Tokens of an installation (GITHUB_TOKEN is one) may not ask who they are, and only they may write checks. */
  readonly kind: 'app' | 'user';
  permissions: Partial<Record<Area, Level>>;
}

export interface FileState {
  readonly filename: string;
  readonly status: 'added' | 'removed' | 'modified' | 'renamed';
  /** Hunks as `git diff` prints them, without file headers. Absent for binary and very large files. */
  readonly patch?: string;
  readonly previous_filename?: string;
}

export interface PullState {
  readonly number: number;
  title: string;
  author: string;
  headSha: string;
  headRef: string;
  /** `owner/name` of the head; null when the fork was deleted. */
  headRepository: string | null;
  baseSha: string;
  baseRef: string;
  draft: boolean;
  state: 'open' | 'closed';
  merged: boolean;
  locked: boolean;
  labels: string[];
  files: FileState[];
  /** Commits that the pull request has or had: review comments may name them. */
  commits: string[];
}

export interface CommentState {
  readonly id: number;
  readonly pull: number;
  readonly user: string;
  body: string;
  readonly createdAt: string;
  updatedAt: string;
}

export interface ReviewCommentState {
  readonly id: number;
  readonly pull: number;
  readonly user: string;
  body: string;
  readonly path: string;
  readonly line: number;
  readonly commit: string;
  /** Shown as resolved by a person. REST does not tell it. */
  resolved: boolean;
}

export interface CheckRunState {
  readonly id: number;
  name: string;
  readonly headSha: string;
  readonly user: string;
  externalId: string;
  detailsUrl: string | null;
  status: string;
  conclusion: string | null;
  title: string | null;
  summary: string | null;
  text: string | null;
  annotations: Record<string, unknown>[];
}

export interface StatusState {
  readonly sha: string;
  readonly state: string;
  readonly context: string;
  readonly description: string | null;
  readonly targetUrl: string | null;
}

export interface RunState {
  readonly id: number;
  readonly event: string;
  readonly headSha: string;
  readonly headBranch: string;
  readonly headRepository: string;
  readonly attempt: number;
  readonly number: number;
  readonly conclusion: string;
}

/** One repository as GitHub keeps it. Tests read and change it directly. */
export interface RepositoryState {
  readonly owner: string;
  readonly repo: string;
  archived: boolean;
  readonly pulls: Map<number, PullState>;
  comments: CommentState[];
  reviewComments: ReviewCommentState[];
  checkRuns: CheckRunState[];
  statuses: StatusState[];
  /** Name -> colour. */
  readonly labels: Map<string, string>;
  /** Text of a file by `ref:path`. */
  readonly files: Map<string, string>;
  /** Login -> role name (`read`, `triage`, `write`, `maintain`, `admin`). */
  readonly collaborators: Map<string, string>;
  /** `org/team` -> logins. */
  readonly teams: Map<string, string[]>;
  readonly runs: Map<number, RunState>;
  /** Ids and times rise with every object. */
  sequence: number;
}

export const headSha = 'aaaa1111aaaa1111aaaa1111aaaa1111aaaa1111';
export const baseSha = 'bbbb2222bbbb2222bbbb2222bbbb2222bbbb2222';

export function newRepository(owner: string, repo: string): RepositoryState {
  return {
    owner,
    repo,
    archived: false,
    pulls: new Map(),
    comments: [],
    reviewComments: [],
    checkRuns: [],
    statuses: [],
    labels: new Map(),
    files: new Map(),
    collaborators: new Map(),
    teams: new Map(),
    runs: new Map(),
    sequence: 1000,
  };
}

/** An open pull request of the same repository, by `dev`, with one changed values file. */
export function addPull(state: RepositoryState, changes: Partial<PullState> & { readonly number: number }): PullState {
  const pull: PullState = {
    title: 'Raise the memory of api',
    author: 'dev',
    headSha,
    headRef: 'raise-memory',
    headRepository: `${state.owner}/${state.repo}`,
    baseSha,
    baseRef: 'main',
    draft: false,
    state: 'open',
    merged: false,
    locked: false,
    labels: [],
    files: [
      {
        filename: 'envs/prod/values.yaml',
        status: 'modified',
        patch: '@@ -1,4 +1,5 @@\n replicas: 2\n image: api\n-memory: 1Gi\n+memory: 2Gi\n+cpu: 500m\n port: 80',
      },
    ],
    commits: [],
    ...changes,
  };
  if (!pull.commits.includes(pull.headSha)) pull.commits.push(pull.headSha);
  state.pulls.set(pull.number, pull);
  return pull;
}

/** A commit that was pushed (or force-pushed) to the pull request. */
export function push(pull: PullState, sha: string): void {
  pull.headSha = sha;
  pull.commits.push(sha);
}

export function nextId(state: RepositoryState): number {
  state.sequence += 1;
  return state.sequence;
}

/** The time at which the newest object was made: a second each. */
export function now(state: RepositoryState): string {
  return new Date(Date.UTC(2026, 10, 20, 10) + state.sequence * 1000).toISOString().replace('.000', '');
}

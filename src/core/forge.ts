import type { GateError } from './errors.ts';

/**
 * The pull request side, as gate needs it: read the pull request, its comments and who may decide; write one comment,
 * one review, one check, one commit status, labels.
 *
 * Reading throws GateError (`forge.*`). Writing never throws: what could not be written is data (`refused`), because the
 * next best place has to be tried and the exit code of the job decides anyway.
 */
export interface Forge {
  readonly name: 'github' | 'none';
  pullRequest(number: number): Promise<PullRequest>;
  /** Needed for review comments only: a large pull request takes many requests. */
  changedFiles(number: number): Promise<ChangedFiles>;
  /** Comments of the conversation, oldest first. Bodies are hostile. */
  comments(number: number): Promise<readonly ForgeComment[]>;
  /** What somebody may do in the repository. Somebody unknown: `none`. */
  permission(login: string): Promise<RepositoryPermission>;
  /** Undefined: the token may not ask. */
  isTeamMember(
    team: { readonly organization: string; readonly slug: string },
    login: string,
  ): Promise<boolean | undefined>;
  /** The file that GitHub would use at that commit or branch; undefined: the repository has none. */
  codeowners(revision: string): Promise<{ readonly path: string; readonly text: string } | undefined>;
  /** Where a finished workflow run comes from: the API's word, not that of its artifacts. */
  workflowRun(id: number): Promise<WorkflowRun>;

  /** Leaves exactly one comment of this instance and account on the pull request, also when two processes write at once. */
  writeComment(number: number, comment: StickyComment): Promise<Written>;
  /** Comments on lines of the diff, in one review. Those that were said before are left out. */
  writeReview(number: number, review: Review): Promise<Written & { readonly posted: number }>;
  writeCheck(check: CheckRun): Promise<Written>;
  writeStatus(status: CommitStatus): Promise<Written>;
  writeLabels(number: number, labels: LabelChange): Promise<Written>;

  /** HTTP requests sent so far. */
  readonly requests: number;
}

export interface PullRequest {
  readonly number: number;
  readonly title: string;
  readonly author: string;
  readonly url: string;
  readonly state: 'open' | 'closed' | 'merged';
  readonly draft: boolean;
  /** Nobody but collaborators may comment. */
  readonly locked: boolean;
  /** The repository is read-only. */
  readonly archived: boolean;
  readonly head: {
    readonly sha: string;
    readonly branch: string;
    /** `owner/name`; undefined: the fork was deleted. */
    readonly repository: string | undefined;
  };
  readonly base: { readonly sha: string; readonly branch: string };
  /** The head is in another repository: tokens of its workflow runs are read-only. */
  readonly fork: boolean;
  readonly labels: readonly string[];
  readonly changedFileCount: number;
}

export interface ChangedFile {
  readonly path: string;
  readonly previousPath?: string;
  readonly status: 'added' | 'removed' | 'modified' | 'renamed' | 'other';
  /** Hunks without file headers; absent for binary and very large files. */
  readonly patch?: string;
}

export interface ChangedFiles {
  readonly files: readonly ChangedFile[];
  /** GitHub lists 3,000 files and no more. */
  readonly truncated: boolean;
}

export interface ForgeComment {
  readonly id: number;
  readonly author: string;
  readonly body: string;
  readonly createdAt: string;
  /** Changed after it was written, perhaps by somebody else with write permission: not the author's word any more. */
  readonly edited: boolean;
  readonly url: string;
}

export const repositoryPermissions = ['none', 'read', 'triage', 'write', 'maintain', 'admin'] as const;
export type RepositoryPermission = (typeof repositoryPermissions)[number];

export interface WorkflowRun {
  readonly id: number;
  readonly attempt: number;
  readonly event: string;
  readonly conclusion: string;
  readonly headSha: string;
  /** The pull request whose head the run had; undefined: closed, or pushed to since. */
  readonly pullRequest: PullRequest | undefined;
}

// ---------------------------------------------------------------------------------------------
// What is written
// ---------------------------------------------------------------------------------------------

/** Which run writes, so that an older one never overwrites a newer one. */
export interface Revision {
  /** Full commit id that was judged. */
  readonly headSha: string;
  /** Rises with every run: `[run number, attempt]`. Compared part by part. */
  readonly order: readonly number[];
}

export interface StickyComment {
  /** Which of several gates of one pull request: `production`. */
  readonly instance: string;
  readonly revision: Revision;
  /** Markdown, fullest first: the first one that fits is taken. */
  readonly bodies: readonly [string, ...string[]];
  /** Identity of what the comment says without things that differ every time (seconds taken). Absent: the text itself. */
  readonly digest?: string;
}

export interface ReviewComment {
  /** Fingerprint of the finding: said once per pull request, whatever becomes of the thread. */
  readonly fingerprint: string;
  readonly path: string;
  /** 1-based line of the new file; it must be part of the diff. */
  readonly line: number;
  readonly body: string;
}

export interface Review {
  readonly instance: string;
  readonly headSha: string;
  /** Most important first; at most 10 of them are written. */
  readonly comments: readonly ReviewComment[];
}

export interface CheckAnnotation {
  readonly path: string;
  readonly startLine: number;
  readonly endLine: number;
  readonly level: 'notice' | 'warning' | 'failure';
  readonly title: string;
  /** Plain text. */
  readonly message: string;
}

export interface CheckRun {
  /** `gate / production`: what a branch protection names. */
  readonly name: string;
  /** The same for every run of the same gate. */
  readonly externalId: string;
  readonly headSha: string;
  /** Never neutral or skipped: both satisfy a required check. */
  readonly conclusion: 'success' | 'failure';
  readonly title: string;
  /** Markdown, fullest first. */
  readonly summaries: readonly [string, ...string[]];
  /** Markdown, fullest first; none fits: left out. */
  readonly texts?: readonly string[];
  readonly annotations: readonly CheckAnnotation[];
  readonly detailsUrl?: string;
}

export interface CommitStatus {
  readonly sha: string;
  readonly context: string;
  readonly state: 'success' | 'failure';
  readonly description: string;
  readonly url?: string;
}

export interface LabelChange {
  /** The pull request gets this one, when it does not have it. */
  readonly add: { readonly name: string; /** Six hex digits. */ readonly color: string };
  /** And loses these. */
  readonly remove: readonly string[];
}

/**
 * What became of a thing to write. `unchanged`: it is there already. `outdated`: a newer head was judged, so nothing was
 * written. `refused`: `problem` says which permission or setting to change.
 */
export type Written =
  | {
      readonly outcome: 'created' | 'updated' | 'unchanged' | 'outdated';
      readonly url?: string;
      readonly notes?: readonly string[];
    }
  | { readonly outcome: 'refused'; readonly problem: GateError };

// ---------------------------------------------------------------------------------------------
// What a run publishes
// ---------------------------------------------------------------------------------------------

export interface Publication {
  /** Absent for events without a pull request (push, merge_group): no comment, review or label then. */
  readonly pullRequest?: number;
  readonly comment?: StickyComment;
  readonly review?: Review;
  readonly check: CheckRun;
  readonly labels?: LabelChange;
}

/** A place that could not be written to, and what was used instead. */
export interface Degradation {
  readonly wanted: 'comment' | 'review' | 'check' | 'labels';
  readonly instead: 'check' | 'status' | 'job summary' | 'nothing';
  readonly problem: GateError;
}

export interface Published {
  readonly comment?: Written;
  readonly review?: Written;
  readonly check?: Written;
  readonly status?: Written;
  readonly labels?: Written;
  readonly degradations: readonly Degradation[];
}

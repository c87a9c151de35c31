import type { ClusterDescription, ClusterState, DryRunAnswer, DryRunRequest, WantedKind } from './cluster.ts';
import type { Discovery, JsonObject, Manifest, RenderResult, Target } from './model.ts';
import type { SourceLocation } from './errors.ts';

// ---------------------------------------------------------------------------------------------
// Child processes
// ---------------------------------------------------------------------------------------------

export interface ExecRequest {
  /** Absolute path, or a name looked up on PATH. Never a shell line. */
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** Added to the allow-listed environment (PATH, HOME, TMPDIR, LANG, proxy settings). */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Default 120,000. */
  readonly timeoutMs?: number;
  /** stdout plus stderr; default 64 MiB. The process is killed beyond it. */
  readonly maxOutputBytes?: number;
}

export interface ExecResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  /** Why it was ended by us. */
  readonly stopped?: 'timeout' | 'output-limit' | 'interrupted';
  /** The program could not be started at all. */
  readonly spawnError?: string;
}

/** The one door for child processes. Never throws for a failing process; the result says what happened. */
export interface Exec {
  run(request: ExecRequest): Promise<ExecResult>;
}

// ---------------------------------------------------------------------------------------------
// Trees
// ---------------------------------------------------------------------------------------------

export interface TreeEntry {
  /** Relative to the root, `/` separated. */
  readonly path: string;
  /** Content identity: git blob id, or sha-1 computed the same way. Equal hash = equal content. */
  readonly hash: string;
  readonly type: 'file' | 'symlink' | 'submodule';
  readonly executable: boolean;
}

/**
 * One side of the comparison, complete on disk under `root` and read-only.
 * Symlinks that leave the tree are not materialised; they are in `problems`.
 */
export interface Tree {
  /** Absolute path. */
  readonly root: string;
  /** For people: `main (3f2a9c1)`, `working tree`, a folder. */
  readonly label: string;
  /** Full commit id when the side is a commit. */
  readonly revision?: string;
  readonly files: ReadonlyMap<string, TreeEntry>;
  /** Text of a file, UTF-8; undefined when there is no such file. Throws GateError for binary (NUL, UTF-16) or > 50 MB files. */
  readText(path: string): string | undefined;
  /** Paths (files) at or below a directory, sorted. '' or '.' = whole tree. */
  list(directory: string): readonly string[];
  isFile(path: string): boolean;
  isDirectory(path: string): boolean;
  /** Content identity of everything at or below a path; undefined when nothing is there. */
  hashOf(path: string): string | undefined;
  readonly problems: readonly { readonly path: string; readonly reason: string }[];
}

/** A copy of some files of a tree, of which variants with other contents are made. */
export interface TreeOverlay {
  /** The copy itself: what the paths hold, also through symbolic links, and nothing else. */
  readonly tree: Tree;
  /**
   * The copy with other files.
   * @param contents text by path; undefined: the file is not there
   * @throws GateError tree.not-overlaid for a path that cannot be written
   */
  with(contents: ReadonlyMap<string, string | undefined>): Tree;
  close(): Promise<void>;
}

export interface OverlayLimits {
  readonly files: number;
  readonly bytes: number;
}

export interface TreePair {
  readonly before: Tree;
  readonly after: Tree;
  /** Paths whose content, type or existence differs. */
  readonly changed: readonly string[];
  /** URLs of this repository's remotes, as git has them. */
  readonly remotes: readonly string[];
  /** Branches that the change goes to (`main`), so that a `targetRevision` can be compared. Empty when unknown. */
  readonly branches: readonly string[];
  /** Removes the materialised trees. */
  close(): Promise<void>;
}

export type TreeRequest =
  | { readonly kind: 'refs'; readonly directory: string; readonly base?: string; readonly head?: string }
  | { readonly kind: 'directories'; readonly before: string; readonly after: string };

export interface Git {
  /**
   * Materialises both sides. Without `head`: the working tree (tracked and untracked, not ignored files).
   * Without `base`: the merge-base of head and the default branch.
   * @throws GateError git.not-a-repository, git.unknown-ref, git.shallow, git.no-merge-base
   */
  open(request: TreeRequest): Promise<TreePair>;
}

// ---------------------------------------------------------------------------------------------
// Rendering
// ---------------------------------------------------------------------------------------------

export interface ToolPaths {
  /** Absolute path of the tool in that exact version, or a GateError that tells how to get it. */
  find(
    tool: 'helm' | 'kustomize',
    version: string | undefined,
  ): Promise<{ readonly path: string; readonly version: string }>;
}

export interface RenderLimits {
  /** Milliseconds that are left, asked when a tool process starts. */
  msLeft(): number;
}

export interface Renderer {
  /** Never throws for a bad target: the result says what is wrong. Equal inputs are rendered once per run and cached between runs. */
  render(target: Target, tree: Tree, limits?: RenderLimits): Promise<RenderResult>;
  /** Tool processes started and cache hits so far, for the report and the benchmarks. */
  readonly statistics: { readonly helmRuns: number; readonly kustomizeRuns: number; readonly cacheHits: number };
  readonly toolsUsed: readonly { readonly name: string; readonly version: string }[];
  /** What the reader should know of the run itself, for example that the cache cannot be written. */
  readonly notes: readonly string[];
  /** Removes temporary files and keeps the cache below its size. */
  close(): Promise<void>;
}

/** Go text/template with Sprig, by the real engine (ApplicationSet goTemplate). All jobs of a call go through one process. */
export interface GoTemplate {
  execute(jobs: readonly GoTemplateJob[]): Promise<readonly GoTemplateResult[]>;
}
export interface GoTemplateJob {
  readonly template: string;
  readonly data: JsonObject;
  /** ApplicationSet `goTemplateOptions`: `missingkey=error` and the like. */
  readonly options: readonly string[];
}
export type GoTemplateResult =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly error: string };

// ---------------------------------------------------------------------------------------------
// Discovery
// ---------------------------------------------------------------------------------------------

/** A Kubernetes object found in a file or rendered by a target, that may declare targets. Secrets are not redacted here. */
export interface SourcedObject {
  readonly object: JsonObject;
  readonly location: SourceLocation;
  /** The target that rendered it. */
  readonly parent?: Target;
}

// ---------------------------------------------------------------------------------------------
// Cluster, clock, progress
// ---------------------------------------------------------------------------------------------

/**
 * One Kubernetes cluster: live, or a snapshot of it. All its calls together end within the deadline it was created with.
 * Every method throws GateError: `cluster.*` when the cluster could not be asked, `snapshot.*` with file and line.
 */
export interface Cluster {
  /** False: a snapshot, all of which is at hand at no cost. */
  readonly live: boolean;
  /** Name, version and APIs; nothing else is read yet. */
  describe(): Promise<ClusterDescription>;
  /**
   * Reads the kinds asked for; a snapshot gives all that it holds. A kind that may not be read is in `unread`, and is
   * not in `kinds`. A kind that the cluster does not serve is read completely: there is none.
   */
  read(wanted: readonly WantedKind[]): Promise<ClusterState>;
  /** Asks the API server what it would do with each object. Absent: a snapshot cannot be asked. Order of the requests. */
  dryRun?(requests: readonly DryRunRequest[]): Promise<readonly DryRunAnswer[]>;
  /** Ends open connections. */
  close?(): Promise<void>;
}

export interface Clock {
  now(): Date;
}

/** Progress for people, on stderr. */
export interface Progress {
  /** A step with a known or unknown number of parts: "Rendering", 240. */
  start(label: string, total?: number): void;
  /** One part done; `current` names what is being worked on. */
  advance(current?: string): void;
  done(): void;
  /** A line that stays. */
  note(text: string): void;
}

export type { Discovery, Manifest };

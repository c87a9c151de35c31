import type { SourceLocation } from './errors.ts';
import type { Json, ResourceRef, Engine } from './object.ts';
import type { NotEvaluated } from './target.ts';
import type { FieldChange, ResourceChange } from './change.ts';

export const severities = ['critical', 'high', 'medium', 'low'] as const;
export type Severity = (typeof severities)[number];
/** Only `introduced` and `worsened` can gate. */
export type Novelty = 'introduced' | 'worsened' | 'touched-preexisting' | 'untouched-preexisting';
export type Confidence = 'proven' | 'determined' | 'likely' | 'hint';
export type Reversibility = 'instant' | 'slow' | 'hard' | 'irreversible';
export type Verdict = 'pass' | 'comment' | 'approval' | 'block' | 'incomplete';

export interface Evidence {
  readonly before?: Json;
  readonly after?: Json;
  readonly live?: Json;
  /** Further facts, one sentence each: the arithmetic, the loop, the searched places. */
  readonly facts?: readonly string[];
  /** What evidence would move the judgement: "with >= 2 ready endpoints on 2 nodes this becomes high". */
  readonly wouldChange?: string;
}

export interface Waiver {
  readonly rule: string;
  /** Glob on `Kind/namespace/name`. */
  readonly resource: string;
  /** Glob on the target id or name. */
  readonly target?: string;
  readonly reason: string;
  readonly owner: string;
  /** ISO date; in force through that day. */
  readonly expires: string;
}

/**
 * Somebody's decision about one finding in one state of its object. `approve` answers the verdict `approval`; `waive` is
 * the way around a `block`, and ends. Standing exceptions are {@link Waiver}s in gate.yaml.
 */
export interface Approval {
  readonly kind: 'approve' | 'waive';
  /** {@link Finding.fingerprint}. */
  readonly finding: string;
  readonly ruleId: string;
  readonly resource: ResourceRef;
  readonly target: string;
  /** {@link Finding.objectDigest} that was looked at. */
  readonly digest: string;
  /** What the finding had then: a graver one was not approved. */
  readonly severity: Severity;
  /** Login or name. */
  readonly by: string;
  readonly reason: string;
  /** ISO time. */
  readonly at: string;
  /** Of `waive`, YYYY-MM-DD: in force through that day, UTC; at most 30 days after `at`. */
  readonly expires?: string;
  /** Where it was said. */
  readonly url?: string;
}

/** What became of an approval, or of a comment that wanted to be one. */
export interface ApprovalOutcome {
  readonly kind: 'approve' | 'waive' | 'invalid';
  /** Fingerprint, or what the comment named; '' when it named nothing. */
  readonly finding: string;
  readonly by: string;
  readonly at: string;
  readonly reason?: string;
  readonly expires?: string;
  readonly url?: string;
  readonly inForce: boolean;
  /** Why it is not in force. No full stop. */
  readonly why?: string;
}

/** What people decided about the findings of a run. */
export interface Decisions {
  readonly approvals: readonly Approval[];
  /** Comments that wanted to be an approval and are none. */
  readonly refused: readonly ApprovalOutcome[];
  /** Who wrote the change: may not decide about it. */
  readonly author?: string;
}

/** The line of the new side that makes a finding what it is. */
export interface Cause {
  /** Relative to the root of the tree. */
  readonly file: string;
  /** 1-based. Where lines were only removed: the line that stands there now. */
  readonly line: number;
  /** Last line, when it is more than one. */
  readonly endLine?: number;
  /**
   * `exact`: the finding is about this changed line. `counterfactual`: without this part of the change the finding is not
   * there, or weaker. `nearest`: the changed line nearest to the one that the finding is about, which did not change.
   */
  readonly how: 'exact' | 'counterfactual' | 'nearest';
}

/** The search for causes, which renders targets again with parts of the change left out. */
export interface CauseSummary {
  /** Findings whose cause was looked for, and those for which a line was found. */
  readonly findings: number;
  readonly found: number;
  /** Parts of the change that were left out, each for one render of one target. */
  readonly renders: number;
  readonly seconds: number;
  /** False: the limit of renders or of time was reached, so some findings have no line for that reason. */
  readonly complete: boolean;
}

export interface Finding {
  readonly ruleId: string;
  readonly title: string;
  readonly severity: Severity;
  readonly novelty: Novelty;
  readonly confidence: Confidence;
  readonly reversibility: Reversibility;
  /** f of rules.md 4.1, 0..100, two decimals; print one. */
  readonly score: number;
  /** `85.5 = 100 x critical 1.0 x blast 1.00 x determined 0.9 x hard 0.95`. */
  readonly arithmetic: string;
  readonly blast: { readonly value: number; readonly reason: string };
  readonly resource: ResourceRef;
  readonly target: string;
  readonly environment?: string;
  readonly path: string;
  readonly message: string;
  readonly evidence: Evidence;
  readonly location?: SourceLocation;
  readonly fingerprint: string;
  readonly fix: string;
  /** The API server will reject it: a correctness verdict, whatever the score is. */
  readonly willNotApply: boolean;
  /** Findings of one root cause count once. */
  readonly group: string;
  readonly waived?: Waiver;
  /**
   * State that an approval is bound to: digest of the object on the after side; of all that its target renders where the
   * object is gone or stands for the whole target. Absent: it is not known, so the finding cannot be approved.
   */
  readonly objectDigest?: string;
  /** Somebody answers for it: it does not count. */
  readonly approved?: Approval;
  /** Changed files that the target reads, when `location` is none of them: usually the values file. */
  readonly changedIn?: readonly string[];
  /** Only when it was looked for, and found. */
  readonly cause?: Cause;
  /** The same finding in other targets, folded into this one. */
  readonly alsoIn?: readonly string[];
}

export interface Score {
  /** T, 0..100, one decimal. */
  readonly total: number;
  readonly arithmetic: string;
  /** Version of the weights, so that a report can be compared with an older one. */
  readonly version: string;
  /** Floors and caps that applied, in words. */
  readonly notes: readonly string[];
}

export interface TargetCoverage {
  readonly id: string;
  readonly name: string;
  readonly engine: Engine;
  readonly environment?: string;
  readonly cluster?: string;
  /** `rendered`: both sides looked at. `unaffected`: the change cannot reach it. `not-evaluated`: see notEvaluated. */
  readonly status: 'rendered' | 'unaffected' | 'not-evaluated';
  readonly reason: string;
  readonly objects?: number;
  /** Of everything that the target renders on the after side, see `core/digest.ts`; absent where it did not render there. */
  readonly digest?: string;
}

export interface DriftEntry {
  readonly ref: ResourceRef;
  readonly target: string;
  /**
   * `fields`: the live object differs. `missing`: Git has the object, the cluster does not. `deleting`: it waits for its
   * finalizers. `foreign`: the live object belongs to another application, so its fields are not compared.
   */
  readonly kind: 'fields' | 'missing' | 'deleting' | 'foreign';
  /** Of kind `fields` only. `before` is what Git has, `live` what the cluster has. */
  readonly fields: readonly FieldChange[];
  /** What there is to say beside the fields: who owns the object, what holds it. No full stop. */
  readonly reason?: string;
  /** Admission that changes objects of this kind and may be the cause: `MutatingWebhookConfiguration/mirror`. */
  readonly mayBe?: readonly string[];
}

export interface DryRunSummary {
  /** Requests sent: objects, and pods of their templates. */
  readonly asked: number;
  readonly accepted: number;
  readonly rejected: number;
  /** The server gave no judgement; each is in `coverage.notEvaluated`. */
  readonly unknown: number;
  readonly seconds: number;
}

export interface GateReport {
  readonly schemaVersion: '1';
  readonly verdict: Verdict;
  /** One sentence: why this verdict. */
  readonly reason: string;
  readonly score: Score;
  readonly findings: readonly Finding[];
  readonly changes: readonly ResourceChange[];
  readonly drift: readonly DriftEntry[];
  readonly coverage: { readonly targets: readonly TargetCoverage[]; readonly notEvaluated: readonly NotEvaluated[] };
  readonly sides: { readonly before: string; readonly after: string };
  /** The clusters that gave evidence. */
  readonly clusters: readonly {
    readonly name: string;
    readonly source: 'live' | 'snapshot';
    readonly takenAt?: string;
    readonly ageSeconds?: number;
    readonly kubernetesVersion?: string;
  }[];
  /** What the API servers said to the changed objects, when they were asked. */
  readonly dryRun?: DryRunSummary;
  readonly tools: readonly { readonly name: string; readonly version: string }[];
  readonly policyDigest: string;
  readonly waiversInForce: readonly Waiver[];
  /** Absent: nobody was asked. */
  readonly approvals?: readonly ApprovalOutcome[];
  readonly durationSeconds: number;
  /** Tool processes that this run started, and renders that came from the cache. */
  readonly work: {
    readonly helmRuns: number;
    readonly kustomizeRuns: number;
    readonly cacheHits: number;
    /** What the search for causes took of that; absent: the run did not look for them. */
    readonly causes?: CauseSummary;
  };
}

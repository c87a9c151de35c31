import type { ChangedFile, ReviewComment } from '../core/forge.ts';
import { counts } from '../core/counts.ts';
import type { Finding, GateReport } from '../core/model.ts';
import { findingText } from '../report/markdown-parts.ts';
import { codeSpan } from '../report/markdown-text.ts';
import { placeOnDiff } from '../wire/forge.ts';
import type { Occasion } from './event.ts';
import type { Inputs } from './inputs.ts';

/** Characters of one text of a finding: the whole of it is in the comment. */
const longest = 700;

/** Whether the lines that cause findings are looked for, and remarked on. */
export function wantsRemarks({ inline, comment }: Inputs, { pullRequest }: Occasion): boolean {
  return inline && comment !== 'false' && pullRequest !== undefined;
}

/** Findings that get a remark when their line is on the diff. Without a cause nothing is said: gate does not guess. */
export function remarkable({ findings }: GateReport): readonly Finding[] {
  return findings
    .filter((finding) => counts(finding) && finding.cause !== undefined && finding.severity !== 'low')
    .toSorted((left, right) => right.score - left.score);
}

/**
 * Remarks on the lines that cause findings, most important first. Every outside string is escaped.
 * @param files of the pull request, with patches as the forge shows them: a remark can stand on no other line
 */
export function remarks(report: GateReport, files: readonly ChangedFile[]): ReviewComment[] {
  return remarkable(report).flatMap((finding) => {
    const { cause, fingerprint } = finding;
    const place = cause === undefined ? undefined : placeOnDiff(files, cause.file, cause.line);
    if (cause === undefined || place === undefined) return [];
    const elsewhere = `The diff does not show ${codeSpan(`${cause.file}:${cause.line}`)}; this is the changed line that is nearest to it.`;
    const text = findingText(finding, longest, true);
    return [
      {
        fingerprint,
        path: cause.file,
        line: place.line,
        body: place.exact ? text : `${text}\n\n${elsewhere}`,
      },
    ];
  });
}

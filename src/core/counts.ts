import type { Finding } from './model.ts';

/** Only new or worsened findings count, and only while no waiver is in force. */
export function counts(finding: Finding): boolean {
  return finding.waived === undefined && (finding.novelty === 'introduced' || finding.novelty === 'worsened');
}

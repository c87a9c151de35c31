import { counts } from '../core/counts.ts';
import type { GatePorts } from '../pipeline.ts';
import { readDecisions } from '../wire/forge.ts';
import { connect } from './connect.ts';
import type { Occasion } from './event.ts';
import type { Inputs } from './inputs.ts';

/** A rate limit can take an hour to end: nobody waits that long for approvals. */
const longestMs = 60_000;

/**
 * How a run finds out what people decided in the comments of its pull request. Undefined: there is no pull request or no
 * token, so nobody is asked. GitHub is asked only when a finding counts, so that a good change does not depend on it.
 * @param run.until nothing is asked after this time, ms since 1970
 */
export function decisionsOf(
  inputs: Inputs,
  { decidedIn }: Occasion,
  run: { readonly environment: Readonly<Record<string, string | undefined>>; readonly until: number },
): GatePorts['decisions'] {
  if (decidedIn === undefined || inputs.token === '') return undefined;
  return async (input) => {
    if (!input.findings.some(counts)) return { approvals: [], refused: [] };
    const connection = await connect(inputs, run.environment, Math.min(run.until, Date.now() + longestMs));
    if ('error' in connection) throw connection.error;
    const repository = run.environment['GITHUB_REPOSITORY'] ?? '';
    return readDecisions(connection.forge, { number: decidedIn, repository, ...input });
  };
}

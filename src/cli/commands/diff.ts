import { runGate } from '../../pipeline.ts';
import { toDiff } from '../../report/diff.ts';
import { createPorts } from '../../wire.ts';
import { sayIncomplete } from '../incomplete.ts';
import { evidenceChoices, gateRequest, useColor, type ComparisonOptions } from '../options.ts';
import { createProgress, silentProgress } from '../progress.ts';

/** `gate diff`: what changes in the rendered objects. Exits with 3 when something did not render or could not be asked. */
export async function diff(options: ComparisonOptions): Promise<number> {
  const ports = await createPorts({
    ...options,
    evidence: evidenceChoices(options),
    progress: options.quiet ? silentProgress : createProgress(),
  });
  const { report } = await runGate(gateRequest(options), { ...ports, rules: [] });
  process.stdout.write(toDiff(report, { color: useColor(options, process.stdout) }));
  return sayIncomplete(report, true) ? 3 : 0;
}

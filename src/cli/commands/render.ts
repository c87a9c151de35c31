import { stringify } from 'yaml';
import { runGate } from '../../pipeline.ts';
import type { RenderResult } from '../../core/model.ts';
import { clean, withoutJobCommands } from '../../report/text.ts';
import { createPorts } from '../../wire.ts';
import { sayIncomplete } from '../incomplete.ts';
import { evidenceChoices, gateRequest, type ComparisonOptions } from '../options.ts';
import { createProgress, silentProgress } from '../progress.ts';

export interface RenderOptions extends ComparisonOptions {
  readonly side: 'before' | 'after';
}

/** `gate render`: the objects of the affected targets (all with --all) as YAML on stdout. Secret values are redacted. */
export async function render(options: RenderOptions): Promise<number> {
  const ports = await createPorts({
    ...options,
    evidence: evidenceChoices(options),
    progress: options.quiet ? silentProgress : createProgress(),
  });
  const { rendered, report } = await runGate(
    { ...gateRequest(options), capabilitiesOnly: true },
    { ...ports, rules: [] },
  );
  // A version and APIs that were asked for and are not known make other objects.
  let failed = sayIncomplete(report, false);
  for (const result of rendered[options.side].toSorted((a, b) => a.target.id.localeCompare(b.target.id))) {
    if (result.ok) process.stdout.write(documents(result));
    else {
      failed = true;
      process.stderr.write(
        withoutJobCommands(`gate: target ${clean(`${result.target.name}: ${result.problem.message}`)}\n`),
      );
    }
  }
  return failed ? 3 : 0;
}

function documents(result: RenderResult & { ok: true }): string {
  const header = `# target ${result.target.id}\n`;
  return result.manifests
    .map((manifest) => `---\n${header}${stringify(manifest.object, { lineWidth: 0, version: '1.1' })}`)
    .join('');
}

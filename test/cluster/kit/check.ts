import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { GateReport } from '../../../src/core/model.ts';
import { gate } from '../../kit/gate.ts';
import { writeFiles } from '../../kit/tmp.ts';

export interface Checked {
  readonly code: number | null;
  readonly report: GateReport;
  readonly stderr: string;
}

/**
 * `gate check` of the built bundle on two folders of files.
 * @param folder where to put them; the server's own folder goes with it
 * @throws Error with what it printed when it gave no report
 */
export async function checkSides(
  folder: string,
  sides: { readonly before: Readonly<Record<string, string>>; readonly after: Readonly<Record<string, string>> },
  ...args: readonly string[]
): Promise<Checked> {
  const root = mkdtempSync(join(folder, 'check-'));
  for (const side of ['before', 'after'] as const) {
    mkdirSync(join(root, side));
    writeFiles(join(root, side), sides[side]);
  }
  const { before, after } = { before: join(root, 'before'), after: join(root, 'after') };
  const ended = await gate(['check', '--before', before, '--after', after, '--no-cache', '-q', '-o', 'json', ...args]);
  if (!ended.stdout.startsWith('{')) throw new Error(`gate check gave no report (exit ${ended.code}): ${ended.stderr}`);
  return { code: ended.code, stderr: ended.stderr, report: JSON.parse(ended.stdout) as GateReport };
}

import { listRules as formatRules } from '../../report/explain.ts';
import { rules } from '../../rules/index.generated.ts';
import { useColor } from '../options.ts';

/** `gate rules`. */
export async function listRules(options: { readonly color: boolean; readonly json: boolean }): Promise<number> {
  if (options.json) {
    const list = rules.map(({ id, family, title, severity, confidence, reversibility, needs, summary }) => ({
      id,
      family,
      title,
      severity,
      confidence,
      reversibility,
      needs,
      summary,
    }));
    process.stdout.write(`${JSON.stringify(list, null, 2)}\n`);
    return 0;
  }
  process.stdout.write(
    formatRules(rules, {
      color: useColor(options, process.stdout),
      width: process.stdout.columns ?? 200,
    }),
  );
  return 0;
}

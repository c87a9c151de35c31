import { GateError } from '../../core/errors.ts';
import { suggest } from '../../config/suggest.ts';
import { explainRule } from '../../report/explain.ts';
import { rules } from '../../rules/index.generated.ts';
import { useColor } from '../options.ts';

/** `gate explain RULE`. */
export async function explain(id: string, options: { readonly color: boolean }): Promise<number> {
  const rule = rules.find((candidate) => candidate.id === id);
  if (rule === undefined) {
    const close = suggest(
      id,
      rules.map((candidate) => candidate.id),
    );
    throw new GateError({
      code: 'usage.unknown-rule',
      message: `there is no rule "${id}"`,
      fault: 'user',
      next: close === undefined ? 'gate rules lists all rules.' : `Did you mean ${close}? gate rules lists all rules.`,
    });
  }
  process.stdout.write(
    explainRule(rule, {
      color: useColor(options, process.stdout),
      width: Math.min(process.stdout.columns ?? 100, 110),
    }),
  );
  return 0;
}

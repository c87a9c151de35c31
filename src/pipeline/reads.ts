import type { Target } from '../core/model.ts';

/** Does rendering the target read this file? True when its inputs are not known. */
export function reads(target: Target, path: string): boolean {
  if (target.inputs === 'unknown') return true;
  return target.inputs.some((input) =>
    input.endsWith('/') ? input === './' || path.startsWith(input) : path === input,
  );
}

import { isGateError, messageOf } from '../core/errors.ts';
import type { RenderProblem } from '../core/model.ts';

/** Carries a {@link RenderProblem} from where it is found to the renderer, which turns it into a result. */
class RenderFailure extends Error {
  readonly problem: RenderProblem;

  constructor(problem: RenderProblem) {
    super(problem.message);
    this.name = 'RenderFailure';
    this.problem = problem;
  }
}

/** Ends the rendering of this source. */
export function fail(problem: RenderProblem): never {
  throw new RenderFailure(problem);
}

/** The problem behind anything that rendering threw. */
export function problemOf(error: unknown): RenderProblem {
  if (error instanceof RenderFailure) return error.problem;
  if (isGateError(error)) {
    return {
      kind: error.fault === 'user' && !error.code.startsWith('tool.') ? 'render' : 'tool',
      message: error.message,
      ...(error.location === undefined ? {} : { location: error.location }),
      ...(error.next === undefined ? {} : { next: error.next }),
    };
  }
  return {
    kind: 'tool',
    message: `gate failed while rendering: ${messageOf(error)}`,
    next: 'Please report this with the target that it happened on.',
  };
}

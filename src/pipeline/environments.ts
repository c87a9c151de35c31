import type { Config } from '../core/config.ts';
import type { Target } from '../core/model.ts';

/** Names that say "not production" by convention; the configuration overrides them. */
const nonProduction =
  /(^|[-_./])(dev|devel|development|test|testing|tests|qa|uat|int|integration|stage|staging|stg|sandbox|sbx|preview|preprod|pre-prod|nonprod|non-prod|ci|e2e|demo|local|minikube|kind|lab)([-_./\d]|$)/i;

/** Unknown environments count as production: the gate must not play down what it cannot place. */
export function isProduction(target: Target, config: Config): boolean {
  const name = target.environment;
  const declared = config.environments.find((environment) => environment.name === name);
  if (declared !== undefined) return declared.production;
  return !nonProduction.test(name ?? target.cluster ?? '');
}

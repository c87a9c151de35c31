import type { Entry } from '../../core/model.ts';
import type { World } from '../../core/rule.ts';
import { getOrMake, memo } from './memo.ts';
import { listAt, stringAt, stringMapAt, workloadsIn } from './pods.ts';
import { scalerFor } from './scalers.ts';
import { matchesLabels } from './select.ts';

const jobMatcher = /\bjob\s*=~?\s*"([^"]{1,300})"/g;

interface JobUse {
  /** Alternatives of a matcher without leading and trailing `.*`. */
  readonly words: readonly { readonly word: string; readonly exact: boolean }[];
  readonly rule: string;
}

/** Jobs that alerting rules name, by scope. */
const alertedJobs = memo((world: World) => {
  const byScope = new Map<string, JobUse[]>();
  for (const entry of world.ofKind('monitoring.coreos.com', 'PrometheusRule')) {
    for (const rule of listAt(entry.effective, 'spec', 'groups').flatMap((group) => listAt(group, 'rules'))) {
      const name = stringAt(rule, 'alert');
      const expression = stringAt(rule, 'expr') ?? '';
      if (name === undefined || expression.length > 20_000) continue;
      for (const [, text = ''] of expression.matchAll(jobMatcher)) {
        const words = text.split('|').map((part) => {
          const word = part.replace(/^\(?(?:\.[*+])?/, '').replace(/(?:\.[*+])?\)?$/, '');
          return { word, exact: word === part };
        });
        getOrMake(byScope, entry.target.scope, () => []).push({ words, rule: name });
      }
    }
  }
  return byScope;
});

/** Names of alerts of the scope whose expression selects one of these jobs. */
export function alertsOnJobs(world: World, scope: string, jobs: readonly string[]): readonly string[] {
  const uses = alertedJobs(world).get(scope) ?? [];
  const matches = ({ words }: JobUse) =>
    words.some(({ word, exact }) => word !== '' && jobs.some((job) => (exact ? job === word : job.includes(word))));
  return [...new Set(uses.filter(matches).map(({ rule }) => rule))];
}

/** Autoscalers of the workloads behind a Service that scale on metrics which somebody has to scrape. */
export function autoscalersOnMetrics(world: World, service: Entry): readonly Entry[] {
  const selector = stringMapAt(service.effective, 'spec', 'selector');
  if (Object.keys(selector).length === 0) return [];
  return workloadsIn(world, service.target.scope, service.ref.namespace).flatMap(({ entry, template }) => {
    const scaler = matchesLabels(selector, template.labels) ? scalerFor(world, entry)?.entry : undefined;
    const scraped = listAt(scaler?.effective, 'spec', 'metrics').some((metric) =>
      ['Pods', 'Object', 'External'].includes(stringAt(metric, 'type') ?? ''),
    );
    return scaler !== undefined && scraped ? [scaler] : [];
  });
}

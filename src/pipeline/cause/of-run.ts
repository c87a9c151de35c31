import type { Finding } from '../../core/model.ts';
import type { Renderer, TreePair } from '../../core/ports.ts';
import type { GatePorts, GateRequest } from '../request.ts';
import { findCauses, type Causes } from './find-causes.ts';
import { defaultCauseLimits } from './limits.ts';
import { rediscovery } from './rediscover.ts';
import type { Judged } from './rejudge.ts';

/** The lines that cause the findings of a run; undefined: the run does not ask for them. */
export async function causesOf(
  { causes }: GateRequest,
  ports: GatePorts,
  renderer: Renderer,
  trees: TreePair,
  findings: readonly Finding[],
  judged: Judged,
): Promise<Causes | undefined> {
  if (causes === undefined) return undefined;
  const { progress, copyTree, clock } = ports;
  progress.start('Looking for the lines that cause the findings');
  const limits = { ...defaultCauseLimits, ...causes };
  const found = await findCauses({
    findings,
    trees,
    judged,
    renderer,
    limits,
    clock,
    rediscover: rediscovery({
      config: judged.config,
      trees,
      renderer,
      goTemplate: ports.createGoTemplate(judged.config),
    }),
    ...(copyTree === undefined ? {} : { copyTree }),
  });
  progress.done();
  return found;
}

export function withCauses(findings: readonly Finding[], causes: Causes | undefined): readonly Finding[] {
  if (causes === undefined) return findings;
  return findings.map((finding) => {
    const cause = causes.found.get(finding.fingerprint);
    return cause === undefined ? finding : { ...finding, cause };
  });
}

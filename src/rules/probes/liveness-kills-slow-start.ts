import { Type } from 'typebox';
import type { V1Container, V1Probe } from '@kubernetes/client-node';
import type { Confidence, ResourceChange, Severity } from '../../core/model.ts';
import { defineRule, type LiveWorld, type Problem } from '../../core/rule.ts';
import { containersOf, podTemplate, type ContainerAt } from '../kit/pods.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { startSeconds } from '../kit/start-time.ts';
import { examples } from './examples/liveness-kills-slow-start.ts';

interface Options {
  readonly plentySeconds: number;
}

/** Seconds until the kubelet kills a container that never answers: delay plus one period per allowed failure. */
function budget(probe: V1Probe): number {
  return (probe.initialDelaySeconds ?? 0) + (probe.periodSeconds ?? 10) * (probe.failureThreshold ?? 3);
}

function arithmetic(name: string, probe: V1Probe): string {
  const { initialDelaySeconds = 0, periodSeconds = 10, failureThreshold = 3 } = probe;
  return `${name}: ${initialDelaySeconds} s delay + ${periodSeconds} s period x ${failureThreshold} failures = ${budget(probe)} s`;
}

interface StartBudget {
  readonly seconds: number;
  readonly probe: 'startupProbe' | 'livenessProbe';
  readonly text: string;
}

/** What a container has to start; undefined when nothing kills it. A startupProbe holds the other probes back. */
function startBudget(container: V1Container): StartBudget | undefined {
  for (const name of ['startupProbe', 'livenessProbe'] as const) {
    const probe = container[name];
    if (probe !== undefined && probe !== null)
      return { seconds: budget(probe), probe: name, text: arithmetic(name, probe) };
  }
  return undefined;
}

interface Case {
  readonly kind: 'shrinks' | 'startup-removed' | 'added' | 'contradiction';
  readonly was: StartBudget | undefined;
  readonly now: StartBudget;
}

function startCase(before: V1Container | undefined, after: V1Container, plenty: number): Case | undefined {
  const now = startBudget(after);
  if (now === undefined) return undefined;
  if (before === undefined) {
    const expected = after.readinessProbe?.initialDelaySeconds ?? 0;
    return now.probe === 'livenessProbe' && expected > now.seconds
      ? { kind: 'contradiction', was: undefined, now }
      : undefined;
  }
  const was = startBudget(before);
  if (was === undefined)
    return now.probe === 'livenessProbe' && now.seconds < plenty ? { kind: 'added', was, now } : undefined;
  if (now.seconds >= was.seconds || now.seconds >= plenty) return undefined;
  const removed = was.probe === 'startupProbe' && now.probe === 'livenessProbe';
  return { kind: removed ? 'startup-removed' : 'shrinks', was, now };
}

function startMessage(where: string, { kind, was, now }: Case, expected: number): string {
  switch (kind) {
    case 'startup-removed':
      return `${where} loses its startupProbe: the time to start falls from ${was?.seconds} s to ${now.seconds} s, after which the livenessProbe kills it, and a slower start becomes a crash loop.`;
    case 'shrinks':
      return `${where} has ${now.seconds} s to start instead of ${was?.seconds} s; then the ${now.probe} kills it, and a slower start becomes a crash loop.`;
    case 'added':
      return `${where} gets a livenessProbe without a startupProbe: a start that takes longer than ${now.seconds} s, also under load or after a node failure, becomes a crash loop.`;
    case 'contradiction':
      return `${where} is killed by its livenessProbe after ${now.seconds} s, but its readinessProbe expects ${expected} s before it is up.`;
  }
}

interface Judgement {
  readonly severity: Severity;
  readonly confidence: Confidence;
  readonly facts: readonly string[];
}

/** Compares the budget with the observed start; undefined: it fits well. */
function judge(
  now: StartBudget,
  observed: { seconds: number; source: string } | undefined,
  imageChanged: boolean,
): Judgement | undefined {
  if (observed === undefined) return { severity: 'high', confidence: 'likely', facts: [] };
  const facts = [`observed start: ${observed.seconds} s (${observed.source})`];
  if (imageChanged) facts.push('the image changes too, so the observed start may no longer hold');
  if (observed.seconds > now.seconds)
    return imageChanged
      ? { severity: 'high', confidence: 'likely', facts }
      : { severity: 'critical', confidence: 'proven', facts };
  if (observed.seconds * 1.5 <= now.seconds) return undefined;
  return { severity: 'high', confidence: 'likely', facts };
}

function* checkStart(
  change: ResourceChange,
  now: ContainerAt,
  was: V1Container | undefined,
  live: LiveWorld | undefined,
  plenty: number,
): Iterable<Problem> {
  const entry = change.after;
  if (entry === undefined) return;
  const found = startCase(was, now.container, plenty);
  if (found === undefined) return;
  const observed = live === undefined ? undefined : startSeconds(live, entry, String(now.container.name));
  const imageChanged = was !== undefined && was.image !== now.container.image;
  const judgement = judge(found.now, observed, imageChanged);
  if (judgement === undefined) return;
  const where = `Container ${now.container.name} of ${formatRef(entry.ref)}`;
  const expected = now.container.readinessProbe?.initialDelaySeconds ?? 0;
  const wanted = observed === undefined ? 'twice its slowest start' : `${Math.ceil(observed.seconds * 2)} s`;
  yield problemAt(entry, `${now.path}/${found.now.probe}`, {
    message:
      startMessage(where, found, expected) +
      (judgement.confidence === 'proven' ? ` It was observed to need ${observed?.seconds} s.` : ''),
    severity: judgement.severity,
    confidence: judgement.confidence,
    novelty: found.kind === 'shrinks' ? 'worsened' : 'introduced',
    evidence: {
      before: found.was?.text ?? null,
      after: found.now.text,
      facts: judgement.facts,
      ...(observed === undefined
        ? {
            wouldChange: 'with startSecondsP95 of the container in the snapshot this becomes proven, or goes away',
          }
        : {}),
    },
    fix: `Give container ${now.container.name} a startupProbe whose periodSeconds x failureThreshold covers ${wanted}, and let the livenessProbe detect deadlocks only.`,
  });
}

/** The liveness timeout fell to or below what readiness tolerates: load, not a deadlock, then restarts the container. */
function* checkTimeout(change: ResourceChange, now: ContainerAt, was: V1Container | undefined): Iterable<Problem> {
  const entry = change.after;
  const after = now.container.livenessProbe ?? undefined;
  const before = was?.livenessProbe ?? undefined;
  if (entry === undefined || after === undefined || before === undefined) return;
  const timeout = after.timeoutSeconds ?? 1;
  const previous = before.timeoutSeconds ?? 1;
  if (timeout >= previous) return;
  const readiness = now.container.readinessProbe?.timeoutSeconds ?? undefined;
  const below = readiness !== undefined && timeout < readiness;
  if (!below && timeout > 1) return;
  yield problemAt(entry, `${now.path}/livenessProbe/timeoutSeconds`, {
    message: `Container ${now.container.name} of ${formatRef(entry.ref)} is restarted when its livenessProbe takes longer than ${timeout} s instead of ${previous} s${below ? `, while readiness still tolerates ${readiness} s` : ''}: under load a slow answer restarts pods and makes the load on the others worse.`,
    severity: 'medium',
    novelty: 'worsened',
    evidence: { before: previous, after: timeout, facts: ['default of timeoutSeconds: 1'] },
    fix: `Keep livenessProbe.timeoutSeconds of container ${now.container.name} at ${previous} or more, and not below the readinessProbe's.`,
  });
}

export default defineRule<Options>({
  id: 'liveness-kills-slow-start',
  since: '0.1.0',
  family: 'Probes and rollout',
  title: 'Liveness probe kills a slow start',
  severity: 'high',
  reversibility: 'instant',
  confidence: 'likely',
  needs: 'single',
  kinds: ['apps/Deployment', 'apps/StatefulSet', 'apps/DaemonSet', 'argoproj.io/Rollout'],
  live: ['/Pod'],
  summary: 'A container gets less time to start before the kubelet kills it.',
  docs: {
    why: 'The kubelet restarts a container whose liveness probe failed `failureThreshold` times in a row, counted from `initialDelaySeconds` on. A `startupProbe` holds liveness back until it succeeds once. Without it, or with a smaller budget, a start that is slower than `initialDelaySeconds + periodSeconds x failureThreshold` is killed and starts again from zero: a crash loop that begins at the worst moment, when nodes are busy or caches are cold. An omitted `timeoutSeconds` is 1 second.',
    fix: 'Add a `startupProbe` with about twice the slowest observed start, and keep the liveness probe for deadlocks: same or longer timeout than readiness, several failures.',
    ignoreWhen: 'The application is known to start well within the new budget, also on a loaded node.',
  },
  references: [
    'https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/',
    'ministryofjustice/cloud-platform incident 2024-04-15',
  ],
  options: Type.Object({
    plentySeconds: Type.Number({
      default: 300,
      description: 'A start budget of this many seconds or more is not reported.',
    }),
  }),
  examples,
  *check(context) {
    for (const change of context.changes) {
      if (change.after === undefined) continue;
      const { kind } = change.after.ref;
      if (kind === 'Job' || kind === 'CronJob') continue;
      const template = podTemplate(change.after.effective);
      if (template === undefined) continue;
      const old = change.before === undefined ? undefined : podTemplate(change.before.effective);
      const previous = new Map(
        (old === undefined ? [] : containersOf(old)).map(({ container }) => [container.name, container]),
      );
      const live = context.live(change.after.target.scope);
      for (const container of containersOf(template)) {
        const was = previous.get(container.container.name);
        yield* checkStart(change, container, was, live, context.options.plentySeconds);
        yield* checkTimeout(change, container, was);
      }
    }
  },
});

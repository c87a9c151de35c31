import { Type } from 'typebox';
import type { DryRunAnswer, ObjectDryRun } from '../../core/cluster.ts';
import type { Entry, Json } from '../../core/model.ts';
import { defineRule, type Problem } from '../../core/rule.ts';
import { answerFacts, pointerOf, refusalOf, shortMessage } from '../kit/dry-run.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { at } from '../kit/pods.ts';
import { reconcilesRole, recreates } from '../kit/recreates.ts';
import { examples } from './examples/rejected-by-api.ts';

/** Flux also takes the wording of webhooks and CEL rules for an immutable field (fluxcd/pkg/ssa errors/immutable.go). */
const immutable = /is immutable|immutable field/;

/** The setting by which the engine gets over this refusal: it deletes the object and creates it. */
function getsOver(entry: Entry, answer: DryRunAnswer): string | undefined {
  const setting = recreates(entry);
  if (setting === undefined) return undefined;
  const replaces = answer.code === 422 || answer.code === 409;
  return replaces || (entry.target.engine === 'flux' && immutable.test(answer.message ?? '')) ? setting : undefined;
}

/** The webhook that could not be called: all objects that it judges have one root cause. */
function deadWebhook(answer: DryRunAnswer): string | undefined {
  return /failed calling webhook "([^"]+)"/.exec(answer.message ?? '')?.[1];
}

function fixFor(entry: Entry, answer: DryRunAnswer): string {
  const message = answer.message ?? '';
  const dead = deadWebhook(answer);
  if (dead !== undefined)
    return `Bring the backend of webhook ${dead} up (or correct its caBundle and service) before the sync.`;
  const policy = /admission webhook "([^"]+)" denied|ValidatingAdmissionPolicy '([^']+)'/.exec(message);
  if (policy !== null)
    return `Change ${formatRef(entry.ref)} so that ${policy[1] ?? policy[2]} allows it, or agree on an exemption with its owners.`;
  if (/^namespaces? "/.test(message)) return `Create the namespace in this change, or before it.`;
  if (/conflicts? with "/.test(message))
    return `Leave the field to its manager, take it over once with --force-conflicts, or remove it from Git.`;
  if (immutable.test(message))
    return `Keep the field as it is live, or create the object under a new name and move its users over.`;
  return `Correct what the server names in ${formatRef(entry.ref)}; kubectl apply --dry-run=server shows the same answer.`;
}

function judge(entry: Entry, said: ObjectDryRun, answer: DryRunAnswer): Problem | undefined {
  // Argo CD itself sees to a changed roleRef before it applies.
  if (reconcilesRole(entry) && /cannot change roleRef/.test(answer.message ?? '')) return undefined;
  const name = formatRef(entry.ref);
  const forced = getsOver(entry, answer);
  // Deleting and creating a Job anew is what its author wants.
  if (forced !== undefined && entry.ref.kind === 'Job') return undefined;
  const data = entry.ref.kind === 'PersistentVolumeClaim' || entry.ref.kind === 'PersistentVolume';
  const path = pointerOf(answer.causes?.[0]?.field, entry.object);
  const value = path === '' ? undefined : at(entry.object, ...path.slice(1).split('/'));
  const dead = deadWebhook(answer);
  return problemAt(entry, path, {
    message:
      forced === undefined
        ? `The API server refuses ${name} in a dry run: ${shortMessage(answer)}. The sync fails there, with everything before it applied.`
        : `The API server refuses this update of ${name} (${shortMessage(answer)}), and ${forced} then deletes and creates it${data ? ', with its data' : ''}.`,
    severity: forced !== undefined && data ? 'critical' : 'high',
    reversibility: forced === undefined ? 'instant' : data ? 'irreversible' : 'hard',
    ...(forced === undefined ? { willNotApply: true } : {}),
    evidence: {
      ...(typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
        ? { after: value as Json }
        : {}),
      facts: answerFacts(said, answer),
    },
    fix: fixFor(entry, answer),
    rootCause: dead === undefined ? refusalOf(entry) : `webhook-unreachable:${entry.target.scope}:${dead}`,
  });
}

export default defineRule({
  id: 'rejected-by-api',
  since: '0.1.0',
  family: 'APIs and CRDs',
  title: 'Rejected by the API server',
  severity: 'high',
  reversibility: 'instant',
  confidence: 'proven',
  needs: 'live',
  general: true,
  kinds: [],
  live: [],
  summary: 'The API server of the cluster refuses the new object when it is asked by a dry run.',
  docs: {
    why: 'With `--dry-run` gate sends each added or changed object to the API server with `dryRun=All`, as the engine of its target would send it: server-side apply under the name of its field manager, or an update with the result of the three-way merge. The server runs authorization, admission (webhooks, policies, quota of objects), defaulting and validation, and stores nothing. What it refuses then it refuses in the sync: the sync stops there, half applied. A webhook with `failurePolicy: Fail` that cannot be called refuses as well.',
    fix: 'Correct the field that the server names, or what judges it (webhook, policy, schema). For immutable fields create the object under another name.',
    ignoreWhen:
      'Something outside of Git changes what judges the object before the sync: a webhook that is being repaired, a policy that is rolled out first.',
  },
  references: [
    'https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run',
    'k8s:staging/src/k8s.io/apiserver/pkg/endpoints/handlers/patch.go',
  ],
  options: Type.Object({}),
  examples,
  *check(context) {
    for (const change of context.changes) {
      const entry = change.after;
      if (entry === undefined) continue;
      const said = context.dryRun(entry.target.id, entry.ref);
      if (said?.apply?.outcome !== 'rejected') continue;
      const problem = judge(entry, said, said.apply);
      if (problem !== undefined) yield problem;
    }
  },
});

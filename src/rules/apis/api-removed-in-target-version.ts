import { Type } from 'typebox';
import type { Confidence, Entry, Novelty, Severity } from '../../core/model.ts';
import { defineRule, type Problem, type RuleContext } from '../../core/rule.ts';
import { compareVersions, introductionOf, removalOf, type RemovedApi } from '../kit/removed-apis.ts';
import { stringAt } from '../kit/pods.ts';
import { asServerSays } from '../kit/dry-run.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { served } from '../kit/served.ts';
import { brokenStoredReleases } from '../kit/stored-releases.ts';
import { changesByIdentity, counterpart, entryIdentity } from '../kit/touched.ts';
import { unitName } from '../kit/units.ts';
import { examples } from './examples/api-removed-in-target-version.ts';

/** APIs removed up to here are gone from every cluster that somebody still supports. */
const longGone = '1.25';

interface Use {
  readonly entry: Entry;
  readonly apiVersion: string;
  readonly kind: string;
  readonly path: string;
  /** The object itself, or a reference in it to another object's API. */
  readonly own: boolean;
}

/** APIs that an object uses: its own, and those that scalers name. */
function usesOf(entry: Entry): Use[] {
  const { apiVersion, kind } = entry.object;
  const uses: Use[] = [{ entry, apiVersion, kind, path: '/apiVersion', own: true }];
  for (const field of ['scaleTargetRef', 'targetRef', 'workloadRef']) {
    const named = stringAt(entry.object, 'spec', field, 'apiVersion');
    const target = stringAt(entry.object, 'spec', field, 'kind');
    if (named !== undefined && target !== undefined)
      uses.push({ entry, apiVersion: named, kind: target, path: `/spec/${field}/apiVersion`, own: false });
  }
  return uses;
}

interface Versions {
  readonly before: string | undefined;
  readonly after: string | undefined;
}

function versionsOf(context: RuleContext<unknown>, entry: Entry): Versions {
  const old = context.targets.before.get(entry.target.id);
  return {
    before: old === undefined ? undefined : context.kubernetesVersion(old),
    after: context.kubernetesVersion(entry.target),
  };
}

/** Was the same use there before, and what does this change have to do with it? Undefined: nothing. */
function noveltyOf(
  context: RuleContext<unknown>,
  use: Use,
  versions: Versions,
  changed: boolean,
  goneIn: (version: string) => boolean,
): Novelty | undefined {
  const old = counterpart(context.before, use.entry);
  const same =
    old !== undefined && usesOf(old).some((other) => other.path === use.path && other.apiVersion === use.apiVersion);
  if (!same) return 'introduced';
  const { before, after } = versions;
  // The change moves the target to a version without the API.
  if (before !== undefined && after !== undefined && goneIn(after) && !goneIn(before)) return 'introduced';
  return changed ? 'touched-preexisting' : undefined;
}

function* checkRemoved(context: RuleContext<unknown>, use: Use, api: RemovedApi, changed: boolean): Iterable<Problem> {
  const { entry } = use;
  const versions = versionsOf(context, entry);
  const live = context.live(entry.target.scope);
  const listed = served(live, use.apiVersion, use.kind);
  if (listed === true) return;
  const goneIn = (version: string) => compareVersions(version, api.removedIn) >= 0;
  const novelty = noveltyOf(context, use, versions, changed, goneIn);
  if (novelty === undefined) return;
  const version = versions.after;
  const gone = listed === false || (version !== undefined && goneIn(version));
  const replacement = api.use === undefined ? 'nothing replaces it' : `use ${api.use}`;
  let severity: Severity = 'low';
  let confidence: Confidence = 'determined';
  if (listed === false) confidence = 'proven';
  else if (version === undefined) confidence = 'likely';
  const old = version === undefined && compareVersions(api.removedIn, longGone) <= 0;
  const bumped = versions.before !== undefined && version !== undefined && versions.before !== version;
  if (gone) severity = bumped ? 'critical' : 'high';
  else if (old) severity = 'high';
  // Deprecated, and still served: only a new use is worth a word.
  if (severity === 'low' && novelty !== 'introduced') return;
  const where = gone
    ? `the cluster (${version === undefined ? 'discovery' : `Kubernetes ${version}`}) does not serve it`
    : old
      ? 'no supported Kubernetes version serves it'
      : `Kubernetes ${api.removedIn} removes it`;
  const effect = use.own
    ? gone || old
      ? `the API server answers "no matches for kind", which fails the whole sync of ${unitName(entry.target)}`
      : 'it has to be converted before that upgrade'
    : 'the target is not found, so scaling stops';
  yield problemAt(entry, use.path, {
    message: `${formatRef(entry.ref)} uses ${use.apiVersion} ${use.kind}, and ${where}: ${effect}.`,
    severity,
    confidence,
    novelty,
    ...(gone && use.own ? { willNotApply: true } : {}),
    evidence: {
      before: stringAt(counterpart(context.before, entry)?.object, 'apiVersion') ?? null,
      after: use.apiVersion,
      facts: [
        `removed in Kubernetes ${api.removedIn}; ${replacement}`,
        ...(api.note === undefined ? [] : [api.note]),
        version === undefined ? 'the version of the cluster is not known' : `target version ${version}`,
      ],
      ...(version === undefined ? { wouldChange: 'kubernetesVersion in gate.yaml or in a snapshot decides it' } : {}),
    },
    fix:
      api.use === undefined
        ? `Remove ${formatRef(entry.ref)}: ${api.note ?? replacement}.`
        : `Write ${formatRef(entry.ref)} as ${api.use}${api.note === undefined ? '' : ` (${api.note})`}; for a Helm chart that branches on .Capabilities, render with the version of the cluster.`,
  });
}

/** Newer than the server. */
function* checkIntroduced(context: RuleContext<unknown>, use: Use, since: string, changed: boolean): Iterable<Problem> {
  if (!use.own) return;
  const versions = versionsOf(context, use.entry);
  const listed = served(context.live(use.entry.target.scope), use.apiVersion, use.kind);
  const absent =
    listed === false ||
    (listed === undefined && versions.after !== undefined && compareVersions(versions.after, since) < 0);
  if (!absent) return;
  const novelty = noveltyOf(context, use, versions, changed, () => false);
  if (novelty === undefined) return;
  yield problemAt(use.entry, use.path, {
    message: `${formatRef(use.entry.ref)} uses ${use.apiVersion} ${use.kind}, which Kubernetes serves from ${since} on, and the cluster is ${versions.after ?? 'older'}: the API server answers "no matches for kind", which fails the whole sync of ${unitName(use.entry.target)}.`,
    confidence: listed === false ? 'proven' : 'determined',
    novelty,
    willNotApply: true,
    evidence: { after: use.apiVersion, facts: [`served from Kubernetes ${since} on`] },
    fix: `Upgrade the cluster first, or write ${formatRef(use.entry.ref)} in an API version that it serves.`,
  });
}

const judged = {
  whenAccepted: 'keep',
  about: (message: string) => /could not find the requested resource|no matches for kind/.test(message),
} as const;

export default defineRule({
  id: 'api-removed-in-target-version',
  since: '0.1.0',
  family: 'APIs and CRDs',
  title: 'API removed in target version',
  severity: 'high',
  reversibility: 'instant',
  confidence: 'determined',
  needs: 'single',
  kinds: ['*'],
  live: ['helm/Release'],
  summary: 'A manifest uses an API version that the cluster does not serve (any more, or yet).',
  docs: {
    why: 'Kubernetes removes old API versions: `policy/v1beta1` with 1.25, `extensions/v1beta1` Ingress with 1.22. A manifest in such a version is refused ("no matches for kind"), and Argo CD, Flux and Helm then refuse the whole unit, not only this object. Objects already in the cluster go on to exist under the new version, so it shows only at the next sync.',
    fix: 'Convert the manifest; some versions need more than a new apiVersion (Ingress pathType, the empty selector of a PodDisruptionBudget, the metrics of an autoscaler).',
    ignoreWhen: 'The cluster still serves the API, and its version is not known to gate.',
  },
  references: [
    'https://kubernetes.io/docs/reference/using-api/deprecation-guide/',
    'k8s.io/api v0.37.2 prerelease-lifecycle markers',
  ],
  options: Type.Object({}),
  examples,
  *check(context) {
    yield* brokenStoredReleases(context);
    const changes = changesByIdentity(context);
    for (const entry of context.after.entries) {
      for (const use of usesOf(entry)) {
        const removed = removalOf(use.apiVersion, use.kind);
        const since = removed === undefined ? introductionOf(use.apiVersion, use.kind) : undefined;
        if (removed === undefined && since === undefined) continue;
        const changed = changes.has(entryIdentity(entry));
        if (removed !== undefined)
          yield* asServerSays(context, entry, judged, checkRemoved(context, use, removed, changed));
        else if (since !== undefined)
          yield* asServerSays(context, entry, judged, checkIntroduced(context, use, since, changed));
      }
    }
  },
});

import { Type } from 'typebox';
import { parse } from 'yaml';
import type { Entry, Target } from '../../core/model.ts';
import { defineRule, type ChangedYaml, type Problem, type RuleContext } from '../../core/rule.ts';
import { at, listAt, stringAt } from '../kit/pods.ts';
import { formatRef, problemAt } from '../kit/problem.ts';

const policyFile = { group: 'gate', version: 'v1', kind: 'Policy', name: 'gate.yaml' } as const;

/** gate.yaml as data; {} when it is absent or broken (the loader reports that). */
function policy(text: string | undefined): unknown {
  if (text === undefined) return {};
  try {
    return parse(text, { maxAliasCount: 100 }) ?? {};
  } catch {
    return {};
  }
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** What this change takes away from the policy that judges the next one. */
function weakened(before: unknown, after: unknown): { readonly path: string; readonly what: string }[] {
  const found: { path: string; what: string }[] = [];
  const old = listAt(before, 'waivers');
  for (const waiver of listAt(after, 'waivers')) {
    if (old.some((other) => same(other, waiver))) continue;
    const rule = stringAt(waiver, 'rule') ?? '?';
    found.push({
      path: `/waivers/${rule}`,
      what: `a waiver for ${rule} on ${stringAt(waiver, 'resource') ?? '?'} until ${String(at(waiver, 'expires') ?? '?')} is added by ${stringAt(waiver, 'owner') ?? 'nobody'}: ${stringAt(waiver, 'reason') ?? 'no reason'}`,
    });
  }
  const rules = at(after, 'rules');
  for (const [id, setting] of Object.entries(typeof rules === 'object' && rules !== null ? rules : {})) {
    const was = at(before, 'rules', id);
    if (!same(was, setting))
      found.push({
        path: `/rules/${id}`,
        what: `rule ${id} is set to ${JSON.stringify(setting)} (was ${was === undefined ? 'the default' : JSON.stringify(was)})`,
      });
  }
  const excluded = listAt(before, 'exclude');
  for (const glob of listAt(after, 'exclude')) {
    if (!excluded.includes(glob))
      found.push({ path: '/exclude', what: `${String(glob)} is left out of every judgement` });
  }
  if (at(after, 'detect') === false && at(before, 'detect') !== false) {
    found.push({ path: '/detect', what: 'detection is switched off: only the listed targets are judged' });
  }
  return found;
}

function* policyChange(file: ChangedYaml): Iterable<Problem> {
  for (const { path, what } of weakened(policy(file.before), policy(file.after))) {
    yield {
      resource: policyFile,
      target: '',
      path,
      location: { file: 'gate.yaml' },
      message: `gate.yaml is changed here: ${what}. This change was judged by the policy of the base side; the next one is judged by this.`,
      evidence: {},
      rootCause: 'gate.yaml',
      blast: { value: 0.4, reason: 'the policy of this repository' },
      fix: 'Review the policy in a change of its own.',
    };
  }
}

/** Pointers that hide a whole object or everything that matters of it. */
const broadPointer = /^\/?(spec|spec\/template|spec\/template\/spec|data|)$/;

function ignoresAlmostAll(differences: readonly unknown[]): readonly string[] {
  return differences.flatMap((entry) =>
    [
      ...listAt(entry, 'jsonPointers').filter((pointer) => typeof pointer === 'string' && broadPointer.test(pointer)),
      ...listAt(entry, 'jqPathExpressions').filter(
        (path) => path === '.' || path === '.spec' || path === '.data' || path === '..',
      ),
    ].map((path) => `${stringAt(entry, 'kind') ?? '*'} ${String(path)}`),
  );
}

interface ApplicationSettings {
  readonly differences: readonly unknown[];
  readonly options: readonly unknown[];
}

function* application(
  name: string,
  before: ApplicationSettings,
  after: ApplicationSettings,
): Iterable<Pick<Problem, 'path' | 'message' | 'fix' | 'evidence'>> {
  const old = ignoresAlmostAll(before.differences);
  const fresh = ignoresAlmostAll(after.differences).filter((entry) => !old.includes(entry));
  if (fresh.length > 0) {
    yield {
      path: '/spec/ignoreDifferences',
      message: `${name} ignores differences in ${fresh.join(', ')} from now on: drift there is neither shown nor repaired.`,
      evidence: { after: fresh.join(', ') },
      fix: `Ignore only the fields that another controller owns in ${name}, for example /spec/replicas.`,
    };
  }
  if (after.options.includes('Validate=false') && !before.options.includes('Validate=false')) {
    yield {
      path: '/spec/syncPolicy/syncOptions',
      message: `${name} is applied without schema validation from now on: misspelt fields are dropped in silence.`,
      evidence: { after: 'Validate=false' },
      fix: `Remove Validate=false from ${name}, or set it on the one object that needs it.`,
    };
  }
}

/** Applications that no other target renders: plain files, and what ApplicationSets generate. */
function* declaredApplications(context: RuleContext<unknown>): Iterable<Problem> {
  const rendered = new Set(
    context.after.ofKind('argoproj.io', 'Application').map(({ ref }) => `${ref.namespace}/${ref.name}`),
  );
  const settings = ({ apply }: Target): ApplicationSettings => ({
    differences: apply.ignoreDifferences ?? [],
    options: apply.syncOptions ?? [],
  });
  const told = new Set<string>();
  for (const after of context.targets.after.values()) {
    const before = context.targets.before.get(after.id);
    const ref = after.declaredBy;
    if (before === undefined || ref === undefined || after.engine !== 'argocd') continue;
    if (ref.kind === 'Application' && rendered.has(`${ref.namespace}/${ref.name}`)) continue;
    for (const problem of application(formatRef(ref), settings(before), settings(after))) {
      const key = `${formatRef(ref)} ${problem.path} ${problem.message}`;
      if (told.has(key)) continue;
      told.add(key);
      yield { resource: ref, target: after.id, location: after.origin, ...problem };
    }
  }
}

function* engineObject(before: Entry, after: Entry): Iterable<Problem> {
  const { group, kind } = after.ref;
  if (group === 'argoproj.io' && kind === 'Application') {
    const settings = ({ object }: Entry): ApplicationSettings => ({
      differences: listAt(object, 'spec', 'ignoreDifferences'),
      options: listAt(object, 'spec', 'syncPolicy', 'syncOptions'),
    });
    for (const { path, ...rest } of application(formatRef(after.ref), settings(before), settings(after)))
      yield problemAt(after, path, rest);
  }
  const flux = group === 'kustomize.toolkit.fluxcd.io' || group === 'helm.toolkit.fluxcd.io';
  if (!flux) return;
  if (at(after.object, 'spec', 'suspend') === true && at(before.object, 'spec', 'suspend') !== true) {
    yield problemAt(after, '/spec/suspend', {
      severity: 'low',
      message: `${formatRef(after.ref)} is suspended: nothing that is merged reaches the cluster until somebody resumes it, and then everything at once.`,
      evidence: { before: false, after: true },
      fix: `Note in ${formatRef(after.ref)} who resumes it and when.`,
    });
  }
  const mode = (entry: Entry) => stringAt(entry.object, 'spec', 'driftDetection', 'mode');
  if (mode(before) === 'enabled' && mode(after) !== 'enabled') {
    yield problemAt(after, '/spec/driftDetection/mode', {
      message: `${formatRef(after.ref)} no longer repairs drift: manual edits in the cluster stay.`,
      evidence: { before: 'enabled', after: mode(after) ?? 'not set' },
      fix: `Keep driftDetection.mode: enabled in ${formatRef(after.ref)} and ignore the fields that other controllers own.`,
    });
  }
}

const release = (spec: string) => `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: shop, namespace: shop}
spec:
  interval: 10m
  chart: {spec: {chart: shop, sourceRef: {kind: HelmRepository, name: shop}}}
${spec}`;

const shopApplication = (pointer: string) => `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop, namespace: argocd}
spec:
  project: default
  source: {repoURL: "https://git.example.org/x.git", path: shop}
  destination: {namespace: shop}
  ignoreDifferences:
    - {group: apps, kind: Deployment, jsonPointers: [${pointer}]}
`;

export default defineRule({
  id: 'gitops-guardrail-weakened',
  since: '0.1.0',
  family: 'Argo CD',
  title: 'GitOps guardrail weakened',
  severity: 'medium',
  reversibility: 'instant',
  confidence: 'determined',
  needs: 'transition',
  kinds: ['argoproj.io/Application', 'kustomize.toolkit.fluxcd.io/Kustomization', 'helm.toolkit.fluxcd.io/HelmRelease'],
  live: [],
  summary:
    'A check that guards later changes is switched off: a waiver or rule of gate.yaml, drift detection, validation.',
  docs: {
    why: 'What guards the next change is weakened in the same review as something else. gate reads its own policy from the base side, so a waiver in this change has no effect on it, but on all that follow. A broad `ignoreDifferences` hides drift from Argo CD; a suspended Flux object applies nothing.',
    fix: 'Make the exception narrow, give it an owner and an end, and review it on its own.',
    ignoreWhen: 'The exception is meant and has an owner and an expiry.',
  },
  references: [
    'https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/',
    'https://fluxcd.io/flux/components/helm/helmreleases/#drift-detection',
  ],
  options: Type.Object({}),
  examples: [
    {
      name: 'a waiver and a rule that is switched off come with the change',
      files: {
        before: { 'gate.yaml': 'detect: true\n' },
        after: {
          'gate.yaml':
            'detect: true\nrules: {mass-deletion: off}\nwaivers:\n  - {rule: replicas-cut, resource: Deployment/shop/api, reason: night, owner: shop, expires: 2027-01-01}\n',
        },
      },
      expect: [
        { resource: 'Policy/gate.yaml', path: '/waivers/replicas-cut' },
        { resource: 'Policy/gate.yaml', path: '/rules/mass-deletion' },
      ],
    },
    {
      name: 'a waiver is removed',
      files: {
        before: {
          'gate.yaml': 'waivers:\n  - {rule: replicas-cut, resource: x, reason: y, owner: z, expires: 2027-01-01}\n',
        },
        after: { 'gate.yaml': 'waivers: []\n' },
      },
      expect: [],
    },
    {
      name: 'a HelmRelease stops repairing drift',
      before: release('  driftDetection: {mode: enabled}\n'),
      after: release(''),
      expect: [{ path: '/spec/driftDetection/mode' }],
    },
    {
      name: 'a HelmRelease starts repairing drift',
      before: release(''),
      after: release('  driftDetection: {mode: enabled}\n'),
      expect: [],
    },
    {
      name: 'an Application ignores whole Deployments',
      before: shopApplication('/spec/replicas'),
      after: shopApplication('/spec'),
      expect: [{ path: '/spec/ignoreDifferences' }],
    },
    {
      name: 'an Application ignores the replicas that an autoscaler owns',
      before: shopApplication('/metadata/labels'),
      after: shopApplication('/spec/replicas'),
      expect: [],
    },
  ],
  *check(context) {
    for (const file of context.yaml) if (file.path === 'gate.yaml') yield* policyChange(file);
    for (const { before, after } of context.changes) {
      if (before !== undefined && after !== undefined) yield* engineObject(before, after);
    }
    yield* declaredApplications(context);
  },
});

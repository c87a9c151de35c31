import { parseManifests } from '../../src/render/parse.ts';
import { diffSides } from '../../src/diff/diff.ts';
import { parseSnapshot } from '../../src/cluster/snapshot.ts';
import { buildLiveWorld, buildWorld } from '../../src/rules/kit/world.ts';
import { resolveOptions } from '../../src/engine/options.ts';
import type { ClusterState, DryRunAnswer, ObjectDryRun } from '../../src/core/cluster.ts';
import type { BuildFile, RenderResult, ResourceChange, ResourceRef, Side, Target } from '../../src/core/model.ts';
import type { ExampleDryRun, LiveWorld, Problem, Rule, RuleContext, RuleExample } from '../../src/core/rule.ts';

const exampleTarget: Target = {
  id: 'argocd:argocd/example',
  name: 'example',
  engine: 'argocd',
  environment: 'production',
  scope: 'production',
  origin: { file: 'apps/example.yaml', line: 1 },
  parents: [],
  sources: [],
  afterRender: { defaultNamespace: 'default' },
  apply: { mode: 'client-side', prune: true, automated: true },
  inputs: ['manifests/'],
  rendersTargets: false,
};

function buildFileType(path: string): BuildFile['type'] | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (/dockerfile|containerfile/i.test(name)) return 'dockerfile';
  if (name === 'pyproject.toml') return 'pyproject';
  if (name === 'setup.cfg') return 'setup-cfg';
  if (name.endsWith('.py')) return 'python-source';
  if (/^(poetry|uv|pdm|Pipfile)\.lock$/.test(name)) return 'python-lock';
  if (name === '.python-version') return 'python-version';
  return name.endsWith('.txt') ? 'requirements' : undefined;
}

function buildFiles(files: Readonly<Record<string, string>> | undefined): BuildFile[] {
  return Object.entries(files ?? {}).flatMap(([path, text]) => {
    const type = buildFileType(path);
    return type === undefined ? [] : [{ path, type, text }];
  });
}

function side(
  text: string | undefined,
  target: Target,
  problem: RuleExample['renderProblem'],
  which: 'before' | 'after',
): RenderResult[] {
  const failed = problem?.[which];
  if (failed !== undefined) return [{ ok: false, target, problem: failed } satisfies RenderResult];
  if (text === undefined) return [{ ok: true, target, manifests: [], warnings: [] } satisfies RenderResult];
  const { manifests } = parseManifests(text, { defaultNamespace: 'default' });
  return [{ ok: true, target, manifests, warnings: [] } satisfies RenderResult];
}

function targetMap(own: readonly Target[], more: readonly Partial<Target>[] = []): Map<string, Target> {
  const all = [...own, ...more.map((part) => ({ ...exampleTarget, ...part }))];
  return new Map(all.map((one) => [one.id, one]));
}

/** What the example's live text and changes make of the cluster; by default all that the text holds. */
export type LiveOf = (
  state: ClusterState,
  own: { readonly changes: readonly ResourceChange[]; readonly kinds: ReadonlySet<string> },
) => LiveWorld;

/** The answers of an example for one object. */
function dryRunOf(answers: readonly ExampleDryRun[], target: string, ref: ResourceRef): ObjectDryRun | undefined {
  const { kind, namespace, name } = ref;
  const names = [`${kind}/${name}`, `${kind}/${namespace}/${name}`];
  const own = answers.filter(({ resource }) => names.includes(resource));
  if (own.length === 0) return undefined;
  const pick = (of: 'object' | 'pod'): DryRunAnswer | undefined => {
    const found = own.find((answer) => (answer.of ?? 'object') === of);
    return found === undefined ? undefined : { warnings: [], ...found, id: of };
  };
  const [apply, pod] = [pick('object'), pick('pod')];
  return {
    ref,
    target,
    ...(apply === undefined ? {} : { apply }),
    ...(pod === undefined ? {} : { pod }),
  };
}

/** Runs one example of a rule through the real parser, defaults and diff. */
export function runExample(rule: Rule, example: RuleExample, liveOf: LiveOf = buildLiveWorld): Problem[] {
  const target: Target = { ...exampleTarget, ...example.target };
  const other: Target = { ...exampleTarget, id: 'argocd:argocd/other', name: 'other', ...example.other?.target };
  const on = (which: Side): Target[] => [
    ...(example.targetOnly === undefined || example.targetOnly === which ? [target] : []),
    ...(example.other?.[which] === undefined ? [] : [other]),
  ];
  const results = (which: Side): RenderResult[] =>
    on(which).flatMap((one) =>
      one === target
        ? side(example[which], target, example.renderProblem, which)
        : side(example.other?.[which], other, undefined, which),
    );
  const before = results('before');
  const after = results('after');
  const diff = diffSides({ before, after });
  const kinds = new Set([...diff.entries.before, ...diff.entries.after].map(({ ref }) => `${ref.group}/${ref.kind}`));
  const live =
    example.live === undefined
      ? undefined
      : liveOf(parseSnapshot(example.live, 'live.yaml'), { changes: diff.changes, kinds });
  const beforeFiles = example.files?.before ?? {};
  const afterFiles = example.files?.after ?? {};
  const paths = new Set([...Object.keys(beforeFiles), ...Object.keys(afterFiles)]);
  const changedPaths = new Set([...paths].filter((path) => beforeFiles[path] !== afterFiles[path]));
  const context: RuleContext = {
    options: resolveOptions(rule, example.options),
    changes: diff.changes,
    before: buildWorld(diff.entries.before, []),
    after: buildWorld(diff.entries.after, []),
    dryRun: (asked, ref) => (asked === target.id ? dryRunOf(example.dryRun ?? [], asked, ref) : undefined),
    live: (scope) => (scope === target.scope ? live : undefined),
    targets: {
      before: targetMap(on('before'), example.moreTargets?.before),
      after: targetMap(on('after'), example.moreTargets?.after),
    },
    renderProblems: example.renderProblem === undefined ? [] : [{ target, ...example.renderProblem }],
    yaml: [...changedPaths]
      .filter((path) => /\.ya?ml$/.test(path))
      .map((path) => ({
        path,
        ...(beforeFiles[path] === undefined ? {} : { before: beforeFiles[path] }),
        ...(afterFiles[path] === undefined ? {} : { after: afterFiles[path] }),
      })),
    buildFiles: { before: buildFiles(beforeFiles), after: buildFiles(afterFiles) },
    changedPaths,
    kubernetesVersion: (asked) => live?.state.kubernetesVersion ?? asked.kubeVersion,
    isProduction: (asked) => !/^(dev|test|stag)/.test(asked.environment ?? ''),
    notEvaluated: [],
  };
  return [...rule.check(context as RuleContext<never>)];
}

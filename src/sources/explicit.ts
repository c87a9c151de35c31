import type { Config, ExplicitTarget } from '../core/config.ts';
import type {
  ApplySemantics,
  Discovery,
  Engine,
  NotEvaluated,
  RenderSource,
  SetValue,
  Target,
  ValuesLayer,
} from '../core/model.ts';
import type { Tree } from '../core/ports.ts';
import { inputsMayDeclareTargets } from './argocd/renders-targets.ts';
import { chartInputs, kustomizeInputs } from './closure.ts';
import { directoryInput, resolveInTree, tidyInputs } from './tree-paths.ts';

/**
 * The targets of gate.yaml on one side. One whose chart or path does not exist in this tree is not listed, so that
 * it is added or removed as a whole; a note says so, because it may also be a slip of the pen. The same goes for a
 * release whose values file is made by this change: it cannot have been installed before. A values file that is
 * missing on the after side is a fault, and rendering says so.
 * @param later the tree of the after side, when `tree` is the before side
 */
export function explicitTargets(tree: Tree, config: Config, later?: Tree): Discovery {
  const targets: Target[] = [];
  const notEvaluated: NotEvaluated[] = [];
  for (const entry of config.targets) {
    const path = pathOf(entry);
    const place = path === undefined ? undefined : resolveInTree('', path);
    if (path !== undefined && (place === undefined || !exists(tree, place))) {
      notEvaluated.push({
        what: `target ${entry.name} of the configuration`,
        target: idOf(entry),
        reason: place === undefined ? `its path ${path} leaves the tree` : `${path} does not exist in ${tree.label}`,
        next: 'Correct the path, unless the change adds or removes it.',
        weight: place === undefined ? 'incomplete' : 'note',
      });
      continue;
    }
    const made = later === undefined ? undefined : valuesMadeLater(entry, tree, later);
    if (made !== undefined) {
      notEvaluated.push({
        what: `target ${entry.name} of the configuration on the before side`,
        target: idOf(entry),
        reason: `its values file ${made} does not exist in ${tree.label}: all its objects are taken as new`,
        next: 'If the release was installed before with fewer values files, a snapshot shows what changes.',
        weight: 'note',
      });
      continue;
    }
    targets.push(targetOf(entry, tree));
  }
  return { targets, notEvaluated };
}

function idOf(entry: ExplicitTarget): string {
  return `${entry.source.type}:${entry.name}${entry.environment === undefined ? '' : `@${entry.environment}`}`;
}

/** The tree path that has to exist; undefined for a chart that is fetched. */
function pathOf(entry: ExplicitTarget): string | undefined {
  if (entry.source.type !== 'helm') return entry.source.path;
  return entry.source.chart.from === 'tree' ? entry.source.chart.path : undefined;
}

/** The first values file of the tree that only the later side has. */
function valuesMadeLater({ source }: ExplicitTarget, tree: Tree, later: Tree): string | undefined {
  if (source.type !== 'helm') return undefined;
  return source.values.find((path) => {
    const place = resolveInTree('', path);
    return place !== undefined && !tree.isFile(place) && later.isFile(place);
  });
}

function exists(tree: Tree, path: string): boolean {
  return path === '' || tree.isDirectory(path) || tree.isFile(path);
}

const engines = { helm: 'helm', kustomize: 'kustomize', manifests: 'plain' } as const satisfies Record<string, Engine>;

function targetOf(entry: ExplicitTarget, tree: Tree): Target {
  const id = idOf(entry);
  const { name, environment, cluster, source, tools, kubernetesVersion, apiVersions } = entry;
  const inputs = inputsOf(entry, tree);
  const namespace = source.type === 'helm' ? source.namespace : undefined;
  const ownTools = tools.helm !== undefined || tools.kustomize !== undefined;
  return {
    id,
    name,
    engine: engines[source.type],
    ...(environment === undefined ? {} : { environment }),
    ...(cluster === undefined ? {} : { cluster }),
    scope: cluster ?? environment ?? id,
    origin: { file: originOf(entry) },
    parents: [],
    sources: [sourceOf(entry)],
    afterRender: namespace === undefined ? {} : { defaultNamespace: namespace },
    apply: applyOf(source.type),
    inputs,
    rendersTargets: inputsMayDeclareTargets(tree, inputs),
    ...(ownTools ? { tools } : {}),
    ...(kubernetesVersion === undefined ? {} : { kubeVersion: kubernetesVersion }),
    ...(apiVersions === undefined ? {} : { apiVersions }),
  };
}

function sourceOf(entry: ExplicitTarget): RenderSource {
  const { source } = entry;
  switch (source.type) {
    case 'helm': {
      const values: ValuesLayer[] = [
        ...source.extraValues.map((path): ValuesLayer => ({ kind: 'external', path })),
        ...source.values.map((path): ValuesLayer => ({ kind: 'file', path: resolveInTree('', path) ?? path })),
      ];
      return {
        type: 'helm',
        chart:
          source.chart.from === 'tree'
            ? { from: 'tree', path: resolveInTree('', source.chart.path) || '.' }
            : source.chart,
        release: source.release ?? entry.name,
        ...(source.namespace === undefined ? {} : { namespace: source.namespace }),
        values,
        set: Object.entries(source.set).map(([name, value]): SetValue => ({ name, value, type: 'set' })),
        includeCrds: false,
        isUpgrade: true,
      };
    }
    case 'kustomize':
      return {
        type: 'kustomize',
        path: resolveInTree('', source.path) || '.',
        loadRestrictions: 'root-only',
        enableHelm: source.enableHelm,
        generate: false,
      };
    case 'manifests':
      return {
        type: 'manifests',
        path: resolveInTree('', source.path) || '.',
        recurse: source.recurse,
        rules: 'plain',
      };
  }
}

function inputsOf(entry: ExplicitTarget, tree: Tree): readonly string[] | 'unknown' {
  const { source } = entry;
  if (source.type === 'kustomize') return kustomizeInputs(tree, source.path);
  if (source.type === 'manifests') {
    const path = resolveInTree('', source.path) ?? '';
    return [tree.isFile(path) ? path : directoryInput(path)];
  }
  const chart = source.chart.from === 'tree' ? chartInputs(tree, source.chart.path) : [];
  if (chart === 'unknown') return 'unknown';
  return tidyInputs([...chart, ...source.values.flatMap((path) => resolveInTree('', path) ?? [])]);
}

/** Nothing is applied by itself: a person or a pipeline runs `helm upgrade` or `kubectl apply`. */
function applyOf(type: ExplicitTarget['source']['type']): ApplySemantics {
  return type === 'helm'
    ? { mode: 'helm', prune: true, automated: 'unknown' }
    : { mode: 'client-side', prune: 'unknown', automated: 'unknown' };
}

/** The chart or path; for a chart that is fetched the configuration itself. */
function originOf(entry: ExplicitTarget): string {
  const path = pathOf(entry);
  return path === undefined ? 'gate.yaml' : resolveInTree('', path) || path;
}

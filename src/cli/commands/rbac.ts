import type { WantedKind } from '../../core/cluster.ts';
import { kindsInUse } from '../../pipeline/kinds-in-use.ts';
import { withoutJobCommands, clean } from '../../report/text.ts';
import { createPorts, openRoles } from '../../wire.ts';
import { evidenceChoices, gateRequest, usage, type ComparisonOptions } from '../options.ts';
import { createProgress, silentProgress } from '../progress.ts';

export interface RbacOptions extends ComparisonOptions {
  readonly for: 'check' | 'snapshot';
  readonly name: string;
  readonly bind?: string;
  readonly namespace: readonly string[];
  readonly dryRun: boolean;
  readonly dryRunPods: boolean;
}

/** `gate rbac`: the rights that `gate check --live` needs for this repository, or `gate snapshot`, as YAML on stdout. */
export async function rbac(options: RbacOptions): Promise<number> {
  const progress = options.quiet ? silentProgress : createProgress();
  const bind = options.bind === undefined ? undefined : serviceAccount(options.bind);
  for (const namespace of options.namespace) named(namespace, '--namespace');
  named(options.name, '--name');
  if (options.for === 'snapshot' && (options.dryRun || options.dryRunPods))
    throw usage(
      'a snapshot tries nothing',
      'Leave --dry-run and --dry-run-pods out, or generate the roles of a check.',
    );
  const evidence = evidenceChoices(options);
  const { roleDocuments, knownResource, snapshotKinds, served } = await openRoles(evidence);
  const isServed = ({ kind }: WantedKind): boolean => served === undefined || pseudo.has(kind) || served.has(kind);
  const common = {
    name: options.name,
    ...(options.namespace.length === 0 ? {} : { namespaces: options.namespace }),
    ...(bind === undefined ? {} : { bind }),
  };
  const leftOut =
    served === undefined ? ['Kinds that the cluster does not serve need no rule; --live leaves them out.'] : [];
  if (options.for === 'snapshot') {
    const { text, unknown } = roleDocuments({
      ...common,
      about: ['What gate snapshot reads, without --kind, --all-kinds and --without.', ...leftOut],
      reads: snapshotKinds.map((kind) => ({ kind })).filter(isServed),
      resourceOf: (kind) => served?.get(kind) ?? knownResource(kind),
    });
    return print(text, unknown, []);
  }
  const ports = await createPorts({ ...options, evidence: { ...evidence, live: [] }, progress });
  const use = await kindsInUse(gateRequest(options), ports);
  const { text, unknown } = roleDocuments({
    ...common,
    about: [
      `What gate check --live${options.dryRun ? ' --dry-run' : ''}${options.dryRunPods ? ' --dry-run-pods' : ''} asks the cluster for, for the targets of this repository.`,
      'Generate it again when targets come to use other kinds or namespaces.',
      ...leftOut,
      ...use.failed.map((name) => `Target ${clean(name)} does not render: what it needs is missing here.`),
    ],
    reads: use.reads.filter(isServed),
    ...(options.dryRun ? { writes: use.applied } : {}),
    ...(options.dryRunPods ? { podNamespaces: use.podNamespaces } : {}),
    resourceOf: (kind) => served?.get(kind) ?? use.defined.get(kind) ?? knownResource(kind),
  });
  return print(text, unknown, use.failed);
}

/** The roles to stdout, what they lack to stderr. */
function print(text: string, unknown: readonly string[], failed: readonly string[]): number {
  process.stdout.write(withoutJobCommands(text));
  for (const name of failed) process.stderr.write(withoutJobCommands(`gate: target ${clean(name)} does not render\n`));
  if (unknown.length > 0) process.stderr.write(`gate: ${unknown.length} kinds are not granted: see the comments\n`);
  return failed.length > 0 ? 3 : 0;
}

/** Kinds that no API server serves under this name. */
const pseudo = new Set(['helm/Release']);

const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

function named(value: string, option: string): string {
  if (label.test(value)) return value;
  throw usage(`${option} ${JSON.stringify(value)} is no name`, 'Use lower case letters, digits and hyphens.');
}

function serviceAccount(value: string): { readonly namespace: string; readonly name: string } {
  const [namespace = '', name = '', ...rest] = value.split('/');
  if (rest.length > 0 || !label.test(namespace) || !label.test(name))
    throw usage(`--bind ${JSON.stringify(value)} names no ServiceAccount`, 'Write NAMESPACE/NAME: --bind gate/reader.');
  return { namespace, name };
}

import type { ContainerMetrics } from '../../core/cluster.ts';
import { cpuText, memoryText, quantile } from './figures.ts';
import { kindOf, type OwnerOf, type Workload } from './owners.ts';
import { isName, type Row } from './rows.ts';

export interface ContainerRows {
  /** Bytes. */
  readonly memory: readonly Row[];
  /** Cores. */
  readonly cpu: readonly Row[];
  /** Seconds. */
  readonly start: readonly Row[];
}

export interface ContainerResult {
  readonly metrics: readonly ContainerMetrics[];
  /** Pods of which it is not known to what they belong. */
  readonly unowned: ReadonlySet<string>;
}

interface Collected {
  readonly identity: Pick<ContainerMetrics, 'namespace' | 'kind' | 'name' | 'container'>;
  memory: number | undefined;
  cpu: number | undefined;
  /** Per pod: the starts of its container. */
  readonly starts: number[];
}

/**
 * Joins the rows of pods into figures of workloads. Memory and CPU: the largest of the pods, because a limit holds for
 * each of them; start: the 95th percentile of the starts. What is not known has no field.
 * @param keeps the namespaces asked for
 */
export function containersOf(
  rows: ContainerRows,
  ownerOf: OwnerOf,
  keeps: (namespace: string) => boolean,
): ContainerResult {
  const found = new Map<string, Collected>();
  const unowned = new Set<string>();
  const at = (row: Row): Collected | undefined => {
    const namespace = row.label('namespace');
    const container = row.label('container');
    if (!isName(namespace) || !isName(container) || !keeps(namespace)) return undefined;
    const owner = ownerOfRow(row, namespace, ownerOf, unowned);
    if (owner === undefined) return undefined;
    const { kind, name } = owner;
    const key = [namespace, kind, name, container].join('/');
    const known = found.get(key);
    if (known !== undefined) return known;
    const made: Collected = {
      identity: { namespace, kind, name, container },
      memory: undefined,
      cpu: undefined,
      starts: [],
    };
    found.set(key, made);
    return made;
  };
  for (const row of rows.memory) {
    const collected = memoryText(row.value) === undefined ? undefined : at(row);
    if (collected !== undefined) collected.memory = Math.max(collected.memory ?? 0, row.value);
  }
  for (const row of rows.cpu) {
    const collected = cpuText(row.value) === undefined ? undefined : at(row);
    if (collected !== undefined) collected.cpu = Math.max(collected.cpu ?? 0, row.value);
  }
  for (const row of rows.start) if (row.value >= 0 && row.value < 1e7) at(row)?.starts.push(row.value);
  const keys = [...found.keys()].toSorted();
  return { metrics: keys.map((key) => metricOf(found.get(key)!)), unowned };
}

function ownerOfRow(row: Row, namespace: string, ownerOf: OwnerOf, unowned: Set<string>): Workload | undefined {
  const workload = row.label('workload');
  // A query of the operator may name the workload itself.
  if (workload !== undefined) {
    const kind = kindOf(row.label('workload_type') ?? '');
    return kind === undefined || !isName(workload) ? undefined : { kind, name: workload };
  }
  const pod = row.label('pod');
  if (!isName(pod)) return undefined;
  const owner = ownerOf(namespace, pod);
  if (owner === undefined) unowned.add(`${namespace}/${pod}`);
  return owner;
}

function metricOf({ identity, memory, cpu, starts }: Collected): ContainerMetrics {
  const memoryWorkingSetP99 = memory === undefined ? undefined : memoryText(memory);
  const cpuP99 = cpu === undefined ? undefined : cpuText(cpu);
  const start = quantile(starts, 0.95);
  return {
    ...identity,
    ...(memoryWorkingSetP99 === undefined ? {} : { memoryWorkingSetP99 }),
    ...(cpuP99 === undefined ? {} : { cpuP99 }),
    ...(start === undefined ? {} : { startSecondsP95: Math.round(start) }),
  };
}

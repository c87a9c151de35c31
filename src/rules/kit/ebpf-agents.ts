import type { V1Container } from '@kubernetes/client-node';
import type { World } from '../../core/rule.ts';
import { readDocuments } from '../../core/yaml/read.ts';
import { imageBaseName, parseImage } from './image-reference.ts';
import { at, containersOf, listAt, numberAt, stringAt, workloads, type WorkloadEntry } from './pods.ts';
import { podReferences } from './references.ts';

/** A DaemonSet that loads BPF programs into the kernels of its nodes, reduced to what decides how far and how deep. */
export interface EbpfAgent {
  readonly workload: WorkloadEntry;
  /** `falco`, `cilium`, … or the container's name. */
  readonly product: string;
  /** How programs get into the kernel: `engine.kind modern_ebpf`, `FELIX_BPFENABLED true`. Sorted. */
  readonly drivers: readonly string[];
  /** `privileged`, `hostPID`, `capability BPF`, `mount /sys/kernel/debug`. Sorted. */
  readonly privileges: readonly string[];
  /** What keeps it to some nodes: `pool=canary`. Sorted; operating system and architecture do not count. */
  readonly pool: readonly string[];
  /** Tolerates every taint, so that it also runs on control-plane and special nodes. */
  readonly toleratesAll: boolean;
  /** Settings that decide how much is recorded, by name. */
  readonly volumes: ReadonlyMap<string, number>;
  /** `updates itself` and the argument or variable that says so. */
  readonly autoUpdate?: string;
  readonly image?: string;
  /** Major and minor of the image tag. */
  readonly version?: readonly [number, number];
  /** All containers have a CPU and a memory limit. */
  readonly bounded: boolean;
  /** `rollingUpdate.maxUnavailable` as written after defaults: 1, `100%`. */
  readonly maxUnavailable: number | string;
}

const products =
  /^(cilium|tetragon|falco(?:-no-driver|-driver-loader)?|tracee|parca-agent|beyla|kepler|retina-agent|coroot-node-agent|deepflow-agent|inspektor-gadget|pyroscope-ebpf|bpfman|(?:vizier-)?pem(?:_image)?|[a-z0-9-]*ebpf[a-z0-9-]*)$/;
const tracing = [
  '/sys/fs/bpf',
  '/sys/kernel/debug',
  '/sys/kernel/tracing',
  '/lib/modules',
  '/dev',
  '/boot',
  '/usr/src',
];
const heavy = new Set(['BPF', 'PERFMON', 'SYS_ADMIN', 'SYS_RESOURCE', 'SYS_PTRACE', 'SYS_MODULE', 'NET_ADMIN']);

/** Every agent of a scope on one side, by `namespace/name`. */
export function ebpfAgents(world: World, scope: string): ReadonlyMap<string, EbpfAgent> {
  const result = new Map<string, EbpfAgent>();
  for (const workload of workloads(world, scope)) {
    if (workload.entry.ref.kind !== 'DaemonSet') continue;
    const agent = agentOf(world, workload);
    if (agent !== undefined) result.set(`${workload.entry.ref.namespace ?? ''}/${workload.entry.ref.name}`, agent);
  }
  return result;
}

function agentOf(world: World, workload: WorkloadEntry): EbpfAgent | undefined {
  const { template } = workload;
  const containers = containersOf(template).map(({ container, list }) => ({ container, list }));
  const privileges = privilegesOf(workload);
  const environment = containers.flatMap(({ container }) => variables(container));
  const known =
    containers.find(({ container, list }) => list === 'containers' && productOf(container) !== undefined) ??
    containers.find(({ container }) => productOf(container) !== undefined);
  const calico = environment.some(({ name, value }) => name === 'FELIX_BPFENABLED' && /^true$/i.test(value));
  const custom =
    privileges.includes('capability BPF') ||
    (privileges.some((privilege) => privilege === 'privileged' || privilege === 'capability SYS_ADMIN') &&
      privileges.some((privilege) => /^mount \/sys\/(fs\/bpf|kernel\/)/.test(privilege)));
  const main = known?.container ?? containers.find(({ list }) => list === 'containers')?.container;
  if (main === undefined || (known === undefined && !calico && !custom)) return undefined;
  const settings = configuration(world, workload);
  const words = containers.flatMap(({ container }) =>
    [...listAt<unknown>(container, 'command'), ...listAt<unknown>(container, 'args')].filter(
      (word): word is string => typeof word === 'string' && word.length < 300,
    ),
  );
  const image = stringAt(main, 'image');
  const version = /^v?(\d{1,6})\.(\d{1,6})(?:\D|$)/.exec(parseImage(image ?? '')?.tag ?? '');
  const selfUpdate = autoUpdate(words, environment);
  return {
    workload,
    product: productOf(main) ?? (calico ? 'calico (eBPF)' : main.name),
    drivers: [...new Set([...driversIn(words, environment), ...settings.drivers])].sort(),
    privileges,
    pool: poolOf(workload),
    toleratesAll: listAt(template.spec, 'tolerations').some(
      (toleration) => stringAt(toleration, 'operator') === 'Exists' && stringAt(toleration, 'key') === undefined,
    ),
    volumes: new Map([...settings.volumes, ...sampling(words, environment)]),
    ...(selfUpdate === undefined ? {} : { autoUpdate: selfUpdate }),
    ...(image === undefined ? {} : { image }),
    ...(version === null ? {} : { version: [Number(version[1]), Number(version[2])] as const }),
    bounded: containers
      .filter(({ list }) => list === 'containers')
      .every(({ container }) =>
        ['cpu', 'memory'].every((name) => at(container, 'resources', 'limits', name) !== undefined),
      ),
    maxUnavailable: maxUnavailableOf(workload),
  };
}

function productOf(container: V1Container): string | undefined {
  if (container.name === 'system-probe') return 'datadog system-probe';
  const image = parseImage(stringAt(container, 'image') ?? '');
  const base = image === undefined ? '' : imageBaseName(image);
  return products.test(base)
    ? base.replace(/^falco-.*/, 'falco').replace(/^(vizier-)?pem(_image)?$/, 'pixie')
    : undefined;
}

function variables(container: V1Container): readonly { name: string; value: string }[] {
  return listAt(container, 'env').flatMap((variable) => {
    const name = stringAt(variable, 'name');
    const value = stringAt(variable, 'value');
    return name === undefined || value === undefined ? [] : [{ name, value }];
  });
}

function privilegesOf({ template }: WorkloadEntry): readonly string[] {
  const result = new Set<string>();
  for (const field of ['hostPID', 'hostNetwork', 'hostIPC'] as const)
    if (template.spec[field] === true) result.add(field);
  for (const { container } of containersOf(template)) {
    if (at(container, 'securityContext', 'privileged') === true) result.add('privileged');
    for (const name of listAt<unknown>(container, 'securityContext', 'capabilities', 'add')) {
      const plain = String(name).replace(/^CAP_/, '');
      if (heavy.has(plain)) result.add(`capability ${plain}`);
    }
  }
  for (const volume of listAt(template.spec, 'volumes')) {
    const path = stringAt(volume, 'hostPath', 'path');
    if (path !== undefined && tracing.some((prefix) => path === prefix || path.startsWith(`${prefix}/`)))
      result.add(`mount ${path}`);
  }
  return [...result].sort();
}

const everyNode = /^(?:beta\.)?kubernetes\.io\/(?:os|arch)$/;

function poolOf({ template }: WorkloadEntry): readonly string[] {
  const result = Object.entries(template.spec.nodeSelector ?? {})
    .filter(([key]) => !everyNode.test(key))
    .map(([key, value]) => `${key}=${value}`);
  const required = at(template.spec, 'affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution');
  for (const term of listAt(required, 'nodeSelectorTerms'))
    for (const expression of listAt(term, 'matchExpressions')) {
      const key = stringAt(expression, 'key') ?? '';
      if (!everyNode.test(key))
        result.push(
          `${key} ${stringAt(expression, 'operator') ?? ''} ${listAt(expression, 'values').join(',')}`.trim(),
        );
    }
  return [...new Set(result)].sort();
}

const driverWord = /^(?:--?)?(?:modern-bpf|kmod|module|ebpf|bpf|modern_ebpf|auto)$/;
const driverVariable = /^(?:FALCO_BPF_PROBE|FALCOCTL_DRIVER_TYPE|FELIX_BPFENABLED|TRACEE_BPF_FILE)$/;

function driversIn(
  words: readonly string[],
  environment: readonly { name: string; value: string }[],
): readonly string[] {
  return [
    ...words
      .filter((word) => driverWord.test(word) || /^(?:-o)?\s?engine\.kind=\w+$/.test(word))
      .map((word) => `argument ${word}`),
    ...environment.filter(({ name }) => driverVariable.test(name)).map(({ name, value }) => `${name} ${value}`),
  ];
}

function sampling(
  words: readonly string[],
  environment: readonly { name: string; value: string }[],
): [string, number][] {
  const result: [string, number][] = [];
  for (const word of words) {
    const found = /^--([\w.-]*sampl[\w.-]*(?:freq|rate|hz)[\w.-]*)=(\d{1,9})$/i.exec(word);
    if (found?.[1] !== undefined) result.push([found[1], Number(found[2])]);
  }
  for (const { name, value } of environment)
    if (/SAMPL\w*(?:FREQ|RATE|HZ)/.test(name) && /^\d{1,9}$/.test(value)) result.push([name, Number(value)]);
  return result;
}

function autoUpdate(
  words: readonly string[],
  environment: readonly { name: string; value: string }[],
): string | undefined {
  const variable = environment.find(({ name, value }) => /AUTO_?UPDATE/.test(name) && !/^(?:false|0|no)$/i.test(value));
  return variable?.name ?? words.find((word) => /^--?auto-?update(?:=true)?$/i.test(word));
}

function maxUnavailableOf({ entry }: WorkloadEntry): number | string {
  const way = ['spec', 'updateStrategy', 'rollingUpdate', 'maxUnavailable'] as const;
  return numberAt(entry.effective, ...way) ?? stringAt(entry.effective, ...way) ?? 1;
}

/** What the ConfigMaps of the agent say: Falco's `engine`, Cilium's datapath. */
function configuration(world: World, { entry, template }: WorkloadEntry) {
  const drivers: string[] = [];
  const volumes: [string, number][] = [];
  const names = new Set(
    podReferences(template).flatMap((reference) => (reference.kind === 'ConfigMap' ? [reference.name] : [])),
  );
  for (const name of names) {
    const map = world.get(entry.target.scope, '', 'ConfigMap', entry.ref.namespace, name);
    const data = at(map?.effective, 'data');
    for (const key of ['datapath-mode', 'kube-proxy-replacement']) {
      const value = stringAt(data, key);
      if (value !== undefined) drivers.push(`${key} ${value}`);
    }
    const engine = at(parsed(stringAt(data, 'falco.yaml')), 'engine');
    const kind = stringAt(engine, 'kind');
    if (kind === undefined) continue;
    drivers.push(`engine.kind ${kind}`);
    const preset = numberAt(engine, kind, 'buf_size_preset');
    if (preset !== undefined) volumes.push(['buf_size_preset', preset]);
  }
  return { drivers, volumes };
}

function parsed(text: string | undefined): unknown {
  if (text === undefined || text.length > 500_000) return undefined;
  try {
    return readDocuments(text)[0]?.value;
  } catch {
    // Not YAML, or with its own templating: nothing can be told from it.
    return undefined;
  }
}

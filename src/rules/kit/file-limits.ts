import type { Entry } from '../../core/model.ts';
import type { World } from '../../core/rule.ts';
import { imageBaseName, parseImage } from './image-reference.ts';
import { at, containersOf, listAt, podTemplate, stringAt, workloads } from './pods.ts';
import { formatRef } from './problem.ts';

/** A limit on open files that a text sets, in files; infinity as Number.POSITIVE_INFINITY. */
export interface FileLimit {
  /** `LimitNOFILE`, `ulimit -n`, `default-ulimits`. */
  readonly source: string;
  readonly soft: number;
}

function amount(text: string): number {
  return /^(infinity|unlimited|-1)$/i.test(text) ? Number.POSITIVE_INFINITY : Number(text);
}

/** Limits that systemd units, container runtime configurations and shell commands in a text set; the lowest per source. */
export function fileLimitsIn(text: string): readonly FileLimit[] {
  if (text.length > 200_000) return [];
  const patterns: readonly (readonly [string, RegExp])[] = [
    ['LimitNOFILE', /LimitNOFILE\s*=\s*(\d{1,12}|infinity)/gi],
    ['ulimit -n', /\bulimit\s+(?:-[SH]\s*)?-?S?H?n\s+(\d{1,12}|unlimited)/g],
    ['default-ulimit nofile', /default-ulimit[= ]nofile=(\d{1,12})/g],
    ['default-ulimits nofile', /"nofile"\s*:\s*\{[^}]{0,200}?"Soft"\s*:\s*(-?\d{1,12})/g],
    ['prlimit', /\bprlimit\b[^\n]{0,100}?--nofile=(\d{1,12}|unlimited)/g],
    ['worker_rlimit_nofile', /\bworker_rlimit_nofile\s+(\d{1,12})/g],
  ];
  return patterns.flatMap(([source, pattern]) => {
    const values = [...text.matchAll(pattern)].map((found) => amount(found[1] ?? ''));
    return values.length === 0 ? [] : [{ source, soft: Math.min(...values) }];
  });
}

/** How a node comes up, as far as Git says: text of its start-up and the image. */
export interface NodeSetup {
  readonly text: string;
  /** AMI family, alias, id or machine image. */
  readonly image: string;
}

const nodeKinds: Readonly<Record<string, (object: unknown) => NodeSetup>> = {
  'karpenter.k8s.aws/EC2NodeClass': (object) => ({
    text: stringAt(object, 'spec', 'userData') ?? '',
    image: JSON.stringify(at(object, 'spec', 'amiSelectorTerms') ?? stringAt(object, 'spec', 'amiFamily') ?? ''),
  }),
  'bootstrap.cluster.x-k8s.io/KubeadmConfigTemplate': (object) => ({
    text: [
      ...listAt(object, 'spec', 'template', 'spec', 'files').map((file) => stringAt(file, 'content') ?? ''),
      ...listAt<unknown>(object, 'spec', 'template', 'spec', 'preKubeadmCommands').map(String),
      ...listAt<unknown>(object, 'spec', 'template', 'spec', 'postKubeadmCommands').map(String),
    ].join('\n'),
    image: '',
  }),
  'infrastructure.cluster.x-k8s.io/AWSMachineTemplate': (object) => ({
    text: '',
    image: JSON.stringify(at(object, 'spec', 'template', 'spec', 'ami') ?? ''),
  }),
  'machineconfiguration.openshift.io/MachineConfig': (object) => ({
    text: listAt(object, 'spec', 'config', 'systemd', 'units')
      .flatMap((unit) => [
        stringAt(unit, 'contents') ?? '',
        ...listAt(unit, 'dropins').map((dropin) => stringAt(dropin, 'contents') ?? ''),
      ])
      .join('\n'),
    image: stringAt(object, 'spec', 'osImageURL') ?? '',
  }),
};

/** Undefined for objects that do not describe nodes. */
export function nodeSetup(entry: Entry): NodeSetup | undefined {
  const key = `${entry.ref.group}/${entry.ref.kind}`;
  return Object.hasOwn(nodeKinds, key) ? nodeKinds[key]?.(entry.object) : undefined;
}

/** Commands of the containers of a workload, by container. */
export function commandTexts(entry: Entry): ReadonlyMap<string, { readonly text: string; readonly path: string }> {
  const template = podTemplate(entry.effective);
  if (template === undefined) return new Map();
  return new Map(
    containersOf(template).map(({ container, path }) => [
      container.name,
      {
        text: [...listAt<unknown>(container, 'command'), ...listAt<unknown>(container, 'args')].map(String).join('\n'),
        path: container.command === undefined ? `${path}/args` : `${path}/command`,
      },
    ]),
  );
}

/** Programs that hold a file descriptor per connection or per segment. */
const hungry =
  /^(envoy|proxyv2|nginx|nginx-ingress|controller|haproxy|traefik|elasticsearch|opensearch|kafka|cassandra|scylla|mongo|mongodb|postgres|postgresql|mysql|mariadb|rabbitmq|redis|clickhouse-server|etcd|nats)$/;

/** Is this the image of a program that needs many open files? */
export function isHungry(image: string): boolean {
  const parsed = parseImage(image);
  return parsed !== undefined && hungry.test(imageBaseName(parsed));
}

/** Workloads of a scope that need many open files. */
export function hungryWorkloads(world: World, scope: string): readonly string[] {
  return workloads(world, scope).flatMap(({ entry, template }) =>
    containersOf(template).some(({ container }) => isHungry(container.image ?? '')) ? [formatRef(entry.ref)] : [],
  );
}

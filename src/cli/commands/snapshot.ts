import { setFlagsFromString } from 'node:v8';
import { clean } from '../../report/text.ts';
import { takeSnapshot } from '../../wire.ts';
import { usage } from '../options.ts';
import { createProgress, silentProgress } from '../progress.ts';

export interface SnapshotOptions {
  readonly output: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly clusterName?: string;
  readonly clusterTimeout: number;
  readonly namespace: readonly string[];
  readonly kind: readonly string[];
  readonly allKinds: boolean;
  readonly without: readonly string[];
  readonly redact: boolean;
  readonly prometheus?: string;
  readonly config?: string;
  readonly onIncomplete: 'fail' | 'warn';
  readonly quiet: boolean;
}

const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** `gate snapshot`: writes the chosen cluster into a file. The summary goes to stderr, so that stdout may be the file. */
export async function snapshot(options: SnapshotOptions): Promise<number> {
  for (const namespace of options.namespace) {
    if (!label.test(namespace)) {
      throw usage(`--namespace ${JSON.stringify(namespace)} is no name`, 'Use lower case letters, digits and hyphens.');
    }
  }
  keepHeapSmall();
  const { context, kubeconfig, clusterName, prometheus, config } = options;
  const summary = await takeSnapshot({
    evidence: {
      snapshots: [],
      live: [context],
      timeoutMs: options.clusterTimeout * 1000,
      ...(kubeconfig === undefined ? {} : { kubeconfig }),
      ...(clusterName === undefined ? {} : { clusterName }),
      ...(prometheus === undefined ? {} : { prometheus }),
    },
    output: options.output,
    choice: { kinds: options.kind, allKinds: options.allKinds, without: options.without },
    ...(options.namespace.length === 0 ? {} : { namespaces: options.namespace }),
    redact: options.redact,
    ...(config === undefined ? {} : { config }),
    progress: options.quiet ? silentProgress : createProgress(),
  });
  const { unread, notes } = summary;
  const say = (text: string): void => void process.stderr.write(`${clean(text)}\n`);
  for (const note of notes) say(`gate: ${note}`);
  // One missing rule may cover several kinds; what is missing is said even with --quiet.
  for (const { kind, namespaces, reason, next } of unread) {
    const where = namespaces === undefined ? '' : ` in ${namespaces.join(', ')}`;
    say(
      `gate: ${kind.replace(/^\//, '')}${where} could not be read: ${reason}${next === undefined ? '' : `\n  ${next}`}`,
    );
  }
  if (!options.quiet) {
    const where = options.output === '-' ? 'stdout' : options.output;
    say(
      `Snapshot of ${summary.name}: ${summary.objects} objects of ${summary.kinds} kinds in ${summary.seconds.toFixed(1)} s, ${sizeOf(summary.bytes)} in ${where}${unread.length === 0 ? '' : `; ${unread.length} kinds are missing`}`,
    );
  }
  return unread.length > 0 && options.onIncomplete === 'fail' ? 3 : 0;
}

/**
 * Pages of objects come and go. V8 would let hundreds of megabytes of them pile up before it looks: it shall look more
 * often instead, for a tenth more computing time and two thirds of the memory.
 */
function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=100');
}

function sizeOf(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

import type { V1Container } from '@kubernetes/client-node';
import { listAt, stringAt } from './pods.ts';

/** The heap bound that a container sets for its runtime. */
export interface Heap {
  readonly bytes: number;
  /** `-Xmx in JAVA_OPTS`. */
  readonly source: string;
  /** Share of the memory limit from which it is too much: GOMEMLIMIT counts the whole Go process, the others heap only. */
  readonly allowed: number;
}

const units: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** `-Xmx` of a JVM, `--max-old-space-size` (MiB) of Node.js, `GOMEMLIMIT` of Go, in env values, command and args. */
export function heapOf(container: V1Container): Heap | undefined {
  for (const variable of listAt(container, 'env')) {
    const name = stringAt(variable, 'name') ?? '';
    const value = stringAt(variable, 'value');
    if (value === undefined) continue;
    const go = name === 'GOMEMLIMIT' ? /^(\d{1,15})(B|KiB|MiB|GiB|TiB)?$/.exec(value.trim()) : null;
    if (go !== null) {
      const unit = (go[2] ?? 'B').toLowerCase().replace(/i?b$/, '');
      return { bytes: Number(go[1]) * (units[unit] ?? 1), source: 'GOMEMLIMIT', allowed: 1 };
    }
    const found = flagIn(value, name);
    if (found !== undefined) return found;
  }
  for (const field of ['command', 'args'] as const) {
    for (const argument of listAt<unknown>(container, field)) {
      const found = typeof argument === 'string' ? flagIn(argument, field) : undefined;
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function flagIn(text: string, where: string): Heap | undefined {
  // The last one wins, as in the JVM and in Node.js.
  const java = [...text.matchAll(/(?:^|\s|=|")-Xmx(\d{1,15})([kmgtKMGT]?)/g)].at(-1);
  if (java !== undefined)
    return {
      bytes: Number(java[1]) * (units[(java[2] ?? '').toLowerCase()] ?? 1),
      source: `-Xmx in ${where}`,
      allowed: 0.9,
    };
  const node = [...text.matchAll(/--max[-_]old[-_]space[-_]size=(\d{1,9})/g)].at(-1);
  return node === undefined
    ? undefined
    : { bytes: Number(node[1]) * 2 ** 20, source: `--max-old-space-size in ${where}`, allowed: 0.9 };
}

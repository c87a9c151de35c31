import { parseRequirement, type Requirement } from './requirements.ts';
import { shellCommands } from './shell-words.ts';

/** One call of a Python installer. */
export interface Install {
  readonly tool: 'pip' | 'uv-sync' | 'poetry' | 'pipenv' | 'pdm';
  /** `-r` files as written. */
  readonly requirementFiles: readonly string[];
  readonly constraintFiles: readonly string[];
  /** `-e` paths or URLs. */
  readonly editable: readonly string[];
  /** Local projects: `.`, `./pkg`, `.[prod]`. */
  readonly projects: readonly string[];
  /** Archives: `dist/*.whl`. */
  readonly archives: readonly string[];
  readonly packages: readonly Requirement[];
  readonly noDeps: boolean;
  readonly requireHashes: boolean;
  readonly indexUrl?: string;
  readonly extraIndexUrls: readonly string[];
  /** Only fills a wheel folder (`pip wheel`, `pip download`). */
  readonly wheelsOnly: boolean;
}

/** Options of `pip install` that take a value. */
const withValue = new Set([
  '-r',
  '--requirement',
  '-c',
  '--constraint',
  '-e',
  '--editable',
  '-i',
  '--index-url',
  '--extra-index-url',
  '-f',
  '--find-links',
  '-t',
  '--target',
  '--prefix',
  '--root',
  '--src',
  '--upgrade-strategy',
  '--platform',
  '--python-version',
  '--implementation',
  '--abi',
  '--only-binary',
  '--no-binary',
  '--trusted-host',
  '--proxy',
  '--retries',
  '--timeout',
  '--cache-dir',
  '--progress-bar',
  '--python',
  '-p',
  '-w',
  '--wheel-dir',
  '-d',
  '--dest',
  '--config-settings',
  '-C',
  '--global-option',
  '--use-feature',
  '--log',
  '--cert',
  '--index',
  '--default-index',
  '--root-user-action',
  '--group',
]);
const short: Readonly<Record<string, string>> = {
  '-r': '--requirement',
  '-c': '--constraint',
  '-e': '--editable',
  '-i': '--index-url',
  '--default-index': '--index-url',
  '--index': '--extra-index-url',
};

/** The installer calls in the text of a RUN instruction. */
export function findInstalls(text: string): readonly Install[] {
  return shellCommands(text).flatMap((words) => readCommand(words) ?? []);
}

function readCommand(given: readonly string[]): Install | undefined {
  const words = withoutPrefix(given);
  const [program = '', first = '', second = '', third = ''] = words;
  const name = program.slice(program.lastIndexOf('/') + 1);
  if (/^pip[\d.]*$/.test(name)) return pip(words.slice(1));
  if (/^python[\d.]*$/.test(name) && first === '-m' && /^pip[\d.]*$/.test(second)) return pip(words.slice(3));
  if (name === 'uv' && first === 'pip') return second === 'sync' ? uvPipSync(words.slice(3)) : pip(words.slice(2));
  if (name === 'uv' && first === 'sync') return empty('uv-sync', { noDeps: words.includes('--no-deps') });
  if (name === 'poetry' && (first === 'install' || first === 'sync')) return empty('poetry');
  if (name === 'pipenv' && (first === 'install' || first === 'sync')) return empty('pipenv');
  if (name === 'pdm' && (first === 'install' || first === 'sync')) return empty('pdm');
  if (/^python[\d.]*$/.test(name) && /(^|\/)setup\.py$/.test(first)) {
    if (second === 'develop') return empty('pip', { editable: ['.'] });
    if (second === 'install' || third === 'install') return empty('pip', { projects: ['.'] });
  }
  return undefined;
}

/** Skips `sudo`, `env`, `exec`, `VAR=value` and `.venv/bin/` in front of the program. */
function withoutPrefix(words: readonly string[]): readonly string[] {
  let start = 0;
  while (start < words.length && /^(?:sudo|env|exec|time|set|then|do|if|[A-Za-z_]\w*=.*)$/.test(words[start] ?? ''))
    start += 1;
  return words.slice(start);
}

function empty(tool: Install['tool'], rest: Partial<Install> = {}): Install {
  return {
    tool,
    requirementFiles: [],
    constraintFiles: [],
    editable: [],
    projects: [],
    archives: [],
    packages: [],
    noDeps: false,
    requireHashes: false,
    extraIndexUrls: [],
    wheelsOnly: false,
    ...rest,
  };
}

function uvPipSync(words: readonly string[]): Install {
  return empty('pip', { requirementFiles: words.filter((word) => !word.startsWith('-')) });
}

function pip(words: readonly string[]): Install | undefined {
  const command = words.findIndex((word) => !word.startsWith('-'));
  const verb = words[command];
  if (verb !== 'install' && verb !== 'wheel' && verb !== 'download') return undefined;
  const values = new Map<string, string[]>();
  const flags = new Set<string>();
  const names: string[] = [];
  for (let at = command + 1; at < words.length; at++) {
    const word = words[at] ?? '';
    if (/^\d?>|^</.test(word)) break;
    const glued = /^(-[rcei])([^-=].*)$/.exec(word);
    const equals = /^(--[\w-]+)=(.*)$/.exec(word);
    const option = glued?.[1] ?? equals?.[1] ?? word;
    if (!option.startsWith('-') || option === '-') names.push(word);
    else if (glued !== null || equals !== null || withValue.has(option)) {
      const key = short[option] ?? option;
      const value = glued?.[2] ?? equals?.[2] ?? words[++at] ?? '';
      values.set(key, [...(values.get(key) ?? []), value]);
    } else flags.add(option);
  }
  const isLocal = (word: string): boolean => /^(?:\.{1,2}(?:[/[]|$)|\/)/.test(word);
  const isArchive = (word: string): boolean =>
    /\.(?:whl|tar\.gz|zip)(?:\[|$)/.test(word) || (isLocal(word) && word.includes('*'));
  const indexUrl = values.get('--index-url')?.at(-1);
  return {
    tool: 'pip',
    requirementFiles: values.get('--requirement') ?? [],
    constraintFiles: values.get('--constraint') ?? [],
    editable: values.get('--editable') ?? [],
    projects: names.filter((word) => isLocal(word) && !isArchive(word)),
    archives: names.filter(isArchive),
    // A word with a variable or a wildcard cannot be told.
    packages: names
      .filter((word) => !isLocal(word) && !isArchive(word) && !/[$*`]/.test(word))
      .flatMap((word) => parseRequirement(word) ?? []),
    noDeps: flags.has('--no-deps'),
    requireHashes: flags.has('--require-hashes'),
    extraIndexUrls: values.get('--extra-index-url') ?? [],
    wheelsOnly: verb !== 'install',
    ...(indexUrl === undefined ? {} : { indexUrl }),
  };
}

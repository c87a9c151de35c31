import type { BuildFile } from '../../core/model.ts';
import { folderOf, type BuildSide } from './build-files.ts';
import { parseRequirement, type Requirement } from './requirements.ts';

/** What a project file says about its Python and its dependencies. */
export interface PythonProject {
  readonly file: string;
  /** `requires-python` / `python_requires` as a PEP 440 specifier, with its line. */
  readonly requiresPython?: { readonly specifier: string; readonly line: number };
  readonly dependencies: readonly Requirement[];
  /** Dependencies of extras and groups, by name. */
  readonly optional: ReadonlyMap<string, readonly Requirement[]>;
}

/** Reads the project files of a folder: pyproject.toml (PEP 621 and Poetry), setup.cfg, setup.py. */
export function projectsIn(side: BuildSide, folder: string): readonly PythonProject[] {
  const files = [
    ...side.inFolder(folder, 'pyproject'),
    ...side.inFolder(folder, 'setup-cfg'),
    ...side.inFolder(folder, 'python-source').filter(({ path }) => /(^|\/)setup\.py$/.test(path)),
  ];
  return files.map(readProject);
}

/** The version that `.python-version` of a folder names, as `3.11`. */
export function pinnedPython(
  side: BuildSide,
  folder: string,
): { readonly version: string; readonly file: string } | undefined {
  const file = side.inFolder(folder, 'python-version')[0];
  const version = /^\s*(?:cpython-?)?(\d+\.\d+)/m.exec(file?.text ?? '')?.[1];
  return file === undefined || version === undefined ? undefined : { version, file: file.path };
}

function readProject(file: BuildFile): PythonProject {
  if (file.type === 'pyproject') return readPyproject(file);
  return file.type === 'setup-cfg' ? readSetupCfg(file) : readSetupPy(file);
}

/**
 * The tables and keys of pyproject.toml that matter, by a scan of its lines: strings, and arrays of strings over several lines.
 * Not a TOML parser; what it cannot read is left out.
 */
function readPyproject({ path, text }: BuildFile): PythonProject {
  const dependencies: Requirement[] = [];
  const optional = new Map<string, Requirement[]>();
  let requiresPython: PythonProject['requiresPython'];
  for (const { table, key, value, line } of tomlEntries(text)) {
    const group = /^(?:project\.optional-dependencies|dependency-groups)$/.test(table)
      ? key
      : /^tool\.poetry\.(?:group\.([^.]+)\.dependencies|(dev)-dependencies)$/
          .exec(table)
          ?.slice(1)
          .find((name) => name !== undefined);
    if (table === 'project' && key === 'requires-python') requiresPython = { specifier: unquote(value), line };
    else if (table === 'project' && key === 'dependencies') dependencies.push(...requirementsOf(value, line));
    else if (table === 'tool.poetry.dependencies' && key === 'python') {
      const specifier = poetrySpecifier(unquote(value));
      if (specifier !== '') requiresPython = { specifier, line };
    } else if (table === 'tool.poetry.dependencies') dependencies.push(...poetryRequirement(key, value, line));
    else if (group !== undefined) {
      const found = table.startsWith('tool.poetry') ? poetryRequirement(key, value, line) : requirementsOf(value, line);
      optional.set(group, [...(optional.get(group) ?? []), ...found]);
    }
  }
  return { file: path, dependencies, optional, ...(requiresPython === undefined ? {} : { requiresPython }) };
}

/** Key and value of each line, with arrays joined. The line is that of the key. */
function* tomlEntries(
  text: string,
): Generator<{ readonly table: string; readonly key: string; readonly value: string; readonly line: number }> {
  let table = '';
  const lines = text.split(/\r?\n/);
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? '';
    const header = /^\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$/.exec(line)?.[1];
    if (header !== undefined && !line.includes('=')) {
      table = header.replaceAll('"', '');
      continue;
    }
    const [, key, start] = /^\s*["']?([\w.-]+)["']?\s*=\s*(\S.*)$/.exec(line) ?? [];
    if (key === undefined || start === undefined) continue;
    const first = index + 1;
    const values = [start];
    if (start.startsWith('['))
      while (!closes(values.at(-1) ?? '', values.length === 1) && index + 1 < lines.length)
        values.push(lines[++index] ?? '');
    yield { table, key, value: values.join('\n'), line: first };
  }
}

/** Does an array end in this line? A bracket inside of a string does not count. */
function closes(line: string, first: boolean): boolean {
  const bare = line.replace(/"[^"]*"|'[^']*'/g, '').replace(/#.*$/, '');
  const [opened, closed] = [bare.split('[').length - 1, bare.split(']').length - 1];
  return first ? closed >= opened : closed > opened;
}

function requirementsOf(array: string, line: number): readonly Requirement[] {
  const found: Requirement[] = [];
  for (const [offset, text] of array.split('\n').entries()) {
    const withoutNote = /^\s*#/.test(text) ? '' : text;
    for (const match of withoutNote.matchAll(/"([^"]*)"|'([^']*)'/g)) {
      const requirement = parseRequirement(match[1] ?? match[2] ?? '', line + offset);
      if (requirement !== undefined) found.push(requirement);
    }
  }
  return found;
}

/** `name = "^1.2"`, `name = {version = "^1.2", optional = true}`. */
function poetryRequirement(key: string, value: string, line: number): readonly Requirement[] {
  const version = value.startsWith('{') ? /\bversion\s*=\s*["']([^"']*)["']/.exec(value)?.[1] : unquote(value);
  if (/\boptional\s*=\s*true/.test(value)) return [];
  const requirement = parseRequirement(`${key}${poetrySpecifier(version ?? '')}`, line) ?? parseRequirement(key, line);
  return requirement === undefined ? [] : [requirement];
}

/** Poetry's `^` and `~` as ranges of PEP 440; a bare version is a pin. '' when it is not read. */
function poetrySpecifier(text: string): string {
  if (text === '' || text === '*' || text.includes('|')) return '';
  const parts = text.split(',').map((raw) => {
    const part = raw.trim();
    const [, sign, version = ''] = /^([\^~])\s*v?(\d[\w.]*)$/.exec(part) ?? [];
    if (sign === undefined) return /^\d/.test(part) ? `==${part}` : part.replace(/\s+/g, '');
    const numbers = version.split('.').map((number) => Number.parseInt(number, 10));
    const fixed =
      sign === '~' ? Math.min(2, numbers.length) : Math.max(1, numbers.findIndex((number) => number > 0) + 1);
    const upper = numbers.slice(0, fixed).map((number, index) => (index === fixed - 1 ? number + 1 : number));
    return `>=${version},<${upper.join('.')}`;
  });
  return parts.join(',');
}

function readSetupCfg({ path, text }: BuildFile): PythonProject {
  const dependencies: Requirement[] = [];
  let requiresPython: PythonProject['requiresPython'];
  let section = '';
  let key = '';
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const header = /^\[([^\]]+)\]/.exec(line)?.[1];
    if (header !== undefined) {
      section = header;
      key = '';
      continue;
    }
    const [, name, value] = /^([\w-]+)\s*[=:]\s*(.*)$/.exec(line) ?? [];
    if (name !== undefined) key = name;
    if (section !== 'options') continue;
    if (key === 'python_requires' && name !== undefined)
      requiresPython = { specifier: (value ?? '').trim(), line: index + 1 };
    const item = (name === undefined ? line : (value ?? '')).trim();
    if (key !== 'install_requires' || item === '' || item.startsWith('#')) continue;
    const requirement = parseRequirement(item, index + 1);
    if (requirement !== undefined) dependencies.push(requirement);
  }
  return { file: path, dependencies, optional: new Map(), ...(requiresPython === undefined ? {} : { requiresPython }) };
}

/** Only literal lists; a setup.py that computes its dependencies says nothing here. */
function readSetupPy({ path, text }: BuildFile): PythonProject {
  const lineOf = (offset: number): number => text.slice(0, offset).split('\n').length;
  const python = /\bpython_requires\s*=\s*["']([^"']+)["']/.exec(text);
  const list = /\binstall_requires\s*=\s*\[([^\]]*)\]/.exec(text);
  return {
    file: path,
    dependencies: list === null ? [] : requirementsOf(list[1] ?? '', lineOf(list.index)),
    optional: new Map(),
    ...(python === null ? {} : { requiresPython: { specifier: python[1] ?? '', line: lineOf(python.index) } }),
  };
}

function unquote(text: string): string {
  return /^\s*(["'])(.*?)\1/.exec(text)?.[2] ?? text.trim();
}

/** Names of the packages in a lock file; undefined for a format that is not read. */
export function lockedNames(lock: BuildFile): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  if (lock.path.endsWith('Pipfile.lock')) {
    for (const match of lock.text.matchAll(/^ {8}"([A-Za-z0-9._-]+)": \{/gm))
      names.add((match[1] ?? '').replace(/[-_.]+/g, '-').toLowerCase());
  } else {
    for (const match of lock.text.matchAll(/^name = "([A-Za-z0-9._-]+)"/gm))
      names.add((match[1] ?? '').replace(/[-_.]+/g, '-').toLowerCase());
  }
  return names.size === 0 ? undefined : names;
}

/** The nearest lock file at or above a folder. */
export function lockFor(side: BuildSide, folder: string): BuildFile | undefined {
  for (let at: string | undefined = folder; at !== undefined; at = at === '' ? undefined : folderOf(at)) {
    const lock = side.inFolder(at, 'python-lock')[0];
    if (lock !== undefined) return lock;
  }
  return undefined;
}

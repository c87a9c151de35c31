import { DockerfileParser, type From, type Instruction } from 'dockerfile-ast';
import { parseImage, type ImageReference } from './image-reference.ts';
import { findInstalls, type Install } from './pip-commands.ts';

/** A `COPY` or `ADD`. */
export interface Copy {
  readonly sources: readonly string[];
  readonly destination: string;
  /** Stage name or index, or an image; absent: the build context. */
  readonly from?: string;
  readonly line: number;
}

export interface Step {
  /** 1-based. */
  readonly line: number;
  readonly keyword: string;
  /** Arguments with continuations joined; for RUN with heredocs followed by their text. */
  readonly text: string;
  readonly copy?: Copy;
  readonly installs: readonly Install[];
}

export interface Stage {
  readonly index: number;
  readonly name?: string;
  /** As written. */
  readonly base: string;
  /** With ARG defaults filled in. */
  readonly resolvedBase: string;
  /** The stage that this one starts from. */
  readonly parent?: number;
  /** Absent for a stage, `scratch`, or when a variable has no default. */
  readonly image?: ImageReference;
  readonly platform?: string;
  readonly line: number;
  readonly steps: readonly Step[];
}

export interface Dockerfile {
  readonly stages: readonly Stage[];
}

/** A Dockerfile larger than this is generated; it is not read. */
const maximumCharacters = 64 * 1024;
/** The parser takes quadratic time for the variables of one instruction. */
const longestLine = 8 * 1024;
const mostVariables = 1500;

/** Parses a Dockerfile. One that has no FROM, or that the parser cannot read, has no stages. */
export function parseDockerfile(text: string): Dockerfile {
  if (text.length > maximumCharacters) return { stages: [] };
  const lines = text.split('\n');
  if (lines.some((line) => line.length > longestLine) || text.split('$').length > mostVariables) return { stages: [] };
  const parsed = DockerfileParser.parse(text);
  const globals = new Map<string, string>();
  const stages: { head: Omit<Stage, 'steps'>; steps: Step[] }[] = [];
  for (const instruction of parsed.getInstructions()) {
    const keyword = instruction.getKeyword();
    if (keyword === 'FROM')
      stages.push({
        head: readFrom(
          instruction as From,
          globals,
          stages.map(({ head }) => head),
        ),
        steps: [],
      });
    else if (stages.length === 0) {
      if (keyword === 'ARG') readArguments(instruction, globals);
    } else stages.at(-1)?.steps.push(readStep(instruction, lines));
  }
  return { stages: stages.map(({ head, steps }) => ({ ...head, steps })) };
}

function readArguments(instruction: Instruction, globals: Map<string, string>): void {
  for (const argument of instruction.getArguments()) {
    const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/.exec(argument.getValue()) ?? [];
    if (name !== undefined && value !== undefined)
      globals.set(name, expand(value.replace(/^(["'])(.*)\1$/, '$2'), globals) ?? '');
  }
}

function readFrom(
  from: From,
  globals: ReadonlyMap<string, string>,
  before: readonly Omit<Stage, 'steps'>[],
): Omit<Stage, 'steps'> {
  const base = (from.getImage() ?? '').replace(/^(["'])(.*)\1$/, '$2');
  const name = from.getBuildStage()?.toLowerCase();
  const resolved = expand(base, globals);
  const parent = before.findLast(
    (stage) => stage.name !== undefined && stage.name === (resolved ?? base).toLowerCase(),
  )?.index;
  const image =
    parent === undefined && resolved !== undefined && resolved !== 'scratch' ? parseImage(resolved) : undefined;
  const platform = from.getPlatformFlag()?.getValue() ?? undefined;
  const shownPlatform = platform === undefined ? undefined : expand(platform, globals);
  return {
    index: before.length,
    base,
    resolvedBase: resolved ?? base,
    line: from.getRange().start.line + 1,
    ...(name === undefined || name === null ? {} : { name }),
    ...(parent === undefined ? {} : { parent }),
    ...(image === undefined ? {} : { image }),
    ...(shownPlatform === undefined ? {} : { platform: shownPlatform }),
  };
}

/**
 * Fills in `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+other}` (Dockerfile reference, "Environment replacement").
 * @returns undefined when a variable has no default
 */
function expand(text: string, variables: ReadonlyMap<string, string>): string | undefined {
  let known = true;
  const result = text.replace(
    /\$(?:\{([A-Za-z_]\w*)(?::([-+])([^}]*))?\}|([A-Za-z_]\w*))/g,
    (
      _,
      braced: string | undefined,
      operator: string | undefined,
      word: string | undefined,
      plain: string | undefined,
    ) => {
      const value = variables.get(braced ?? plain ?? '') ?? '';
      if (operator === '+') return value === '' ? '' : (word ?? '');
      if (value !== '') return value;
      if (operator === '-' && !(word ?? '').includes('$')) return word ?? '';
      known = false;
      return '';
    },
  );
  return known ? result : undefined;
}

function readStep(instruction: Instruction, lines: readonly string[]): Step {
  const keyword = instruction.getKeyword();
  const { start, end } = instruction.getRange();
  const line = start.line + 1;
  const words = instruction.getArguments().map((argument) => argument.getValue());
  if (keyword === 'RUN') {
    // Heredocs belong to the instruction's range, so its raw text holds them; flags such as --mount come first.
    const raw = withoutContinuations(lines.slice(start.line, end.line + 1).join('\n'))
      .replace(/^\s*RUN\s+/i, '')
      .replace(/^(?:--\w[\w-]*(?:=\S+)?\s+)+/, '');
    return { line, keyword, text: raw, installs: findInstalls(shellForm(raw)) };
  }
  const content = instruction.getArgumentsContent() ?? '';
  if (keyword !== 'COPY' && keyword !== 'ADD') return { line, keyword, text: content, installs: [] };
  const json = jsonWords(content);
  const parts = json ?? words;
  const flags =
    (instruction as unknown as { getFlags?: () => { getName(): string; getValue(): string | null }[] }).getFlags?.() ??
    [];
  const from = flags.find((flag) => flag.getName() === 'from')?.getValue() ?? undefined;
  const copy: Copy = {
    sources: parts.slice(0, -1),
    destination: parts.at(-1) ?? '',
    line,
    ...(from === undefined || from === null ? {} : { from: from.toLowerCase() }),
  };
  return { line, keyword, text: content, copy, installs: [] };
}

/** Comment lines inside of a continued RUN are dropped; the continuation itself is left to the shell splitter. */
function withoutContinuations(text: string): string {
  const heredoc = /<<-?\s*["']?\w+/.test(text);
  return heredoc
    ? text
    : text
        .split('\n')
        .filter((line, index) => index === 0 || !/^\s*#/.test(line))
        .join('\n')
        .replace(/\\[ \t]*\r?\n/g, ' ');
}

/** `["pip", "install", "x"]` as one command line. */
function shellForm(text: string): string {
  const words = jsonWords(text.trim());
  return words === undefined ? text : words.map((word) => `'${word.replaceAll("'", '')}'`).join(' ');
}

function jsonWords(text: string): readonly string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The stages that end up in the image that is built by default: the last one, those that it starts from, and those that any
 * of them copies from. Stages for development or tests that nothing else uses are not among them.
 */
export function deployedStages({ stages }: Dockerfile): readonly Stage[] {
  const wanted = new Set<number>();
  const final = finalStage(stages);
  const todo = final === undefined ? [] : [final.index];
  for (let index = todo.pop(); index !== undefined; index = todo.pop()) {
    const stage = stages[index];
    if (stage === undefined || wanted.has(index)) continue;
    wanted.add(index);
    if (stage.parent !== undefined) todo.push(stage.parent);
    for (const { copy } of stage.steps) {
      const source = copy?.from === undefined ? undefined : stageNamed(stages, copy.from);
      if (source !== undefined) todo.push(source.index);
    }
  }
  return stages.filter((stage) => wanted.has(stage.index));
}

/** The last stage; where that is one for development or tests, the last one named as the product. */
export function finalStage(stages: readonly Stage[]): Stage | undefined {
  const last = stages.at(-1);
  if (last?.name === undefined || !/^(dev|test|debug|lint|ci)|[-_](dev|test|debug)$/.test(last.name)) return last;
  return (
    stages.findLast((stage) => /^(prod|production|release|runtime|final|app|deploy)([-_]|$)/.test(stage.name ?? '')) ??
    last
  );
}

/** The final stage with those that it starts from, in the order in which they run. */
export function finalLineage({ stages }: Dockerfile): readonly Stage[] {
  return lineageOf(stages, finalStage(stages));
}

/** A stage with those that it starts from, in the order in which they run. */
export function lineageOf(stages: readonly Stage[], last: Stage | undefined): readonly Stage[] {
  const lineage: Stage[] = [];
  for (
    let stage = last;
    stage !== undefined && lineage.length < stages.length;
    stage = stage.parent === undefined ? undefined : stages[stage.parent]
  ) {
    lineage.unshift(stage);
  }
  return lineage;
}

export function stageNamed(stages: readonly Stage[], name: string): Stage | undefined {
  return stages.findLast((stage) => stage.name === name) ?? (/^\d+$/.test(name) ? stages[Number(name)] : undefined);
}

import { deployedStages, finalLineage, type Dockerfile, type Stage } from './dockerfile.ts';
import { imageName } from './image-reference.ts';

export interface EditableInstall {
  /** As written: `.`, `.[dev]`, `./libs/x`. */
  readonly what: string;
  /** Absolute folder in the image. */
  readonly directory: string;
  readonly line: number;
  /** Made in a stage that the final one only copies from, without its source. */
  readonly inOtherStage: boolean;
}

/** How a Dockerfile installs Python packages in the stages that reach the image. */
export interface InstallModes {
  readonly requirementFiles: readonly string[];
  readonly editable: readonly EditableInstall[];
  /** Projects installed without -e. */
  readonly projects: readonly string[];
  /** Number of installs from wheels. */
  readonly archives: number;
  /** `poetry`, `uv-sync`, ... */
  readonly tools: readonly string[];
  /** Something is installed in the final stage, or in a stage from which packages are copied. */
  readonly reachesFinal: boolean;
  /** Repository of the image that the final stage starts from; '' for none that is known. */
  readonly base: string;
  /** A RUN of the final stage mentions an installer or a script that this does not read. */
  readonly mentionsInstaller: boolean;
  /** An install with dependencies of a file, a project or a lock. */
  readonly installsDependencies: boolean;
  readonly noDepsLine?: number;
  /** Line of a requirements install that comes after the whole context was copied. */
  readonly sourceBeforeRequirements?: number;
  /** Folders of the context that are copied, without `./`. */
  readonly copiedFolders: readonly string[];
  /** `COPY . …` */
  readonly copiesContext: boolean;
  /** Line of the first install, else of the final FROM, else 1. */
  readonly firstLine: number;
}

const unreadInstaller = /\b(pip\d?|uv|poetry|pipenv|pdm|conda|mamba|make|tox|requirements)\b|\.sh\b/;

export function installModes(file: Dockerfile | undefined): InstallModes {
  const stages = file === undefined ? [] : deployedStages(file);
  const lineage = file === undefined ? [] : finalLineage(file);
  const inFinal = new Set(lineage.map((stage) => stage.index));
  const modes = {
    requirementFiles: [] as string[],
    editable: [] as EditableInstall[],
    projects: [] as string[],
    archives: 0,
    tools: [] as string[],
    copiedFolders: [] as string[],
    copiesContext: false,
    installsDependencies: false,
  };
  let noDepsLine: number | undefined;
  let sourceBeforeRequirements: number | undefined;
  let firstLine: number | undefined;
  let reachesFinal = false;
  for (const stage of stages) {
    let directory = workDirectoryOf(file, stage);
    let whole = false;
    for (const step of stage.steps) {
      if (step.keyword === 'WORKDIR') directory = absolute(directory, step.text.trim());
      const { copy } = step;
      if (copy !== undefined && copy.from === undefined) {
        for (const source of copy.sources.map(contextPath)) {
          if (source === '') whole = true;
          else modes.copiedFolders.push(source);
        }
        modes.copiesContext ||= whole;
      }
      for (const install of step.installs) {
        if (install.wheelsOnly) continue;
        const { requirementFiles, projects, editable, archives, tool } = install;
        const deep = requirementFiles.length > 0 || projects.length > 0 || editable.length > 0 || tool !== 'pip';
        if (!deep && archives.length === 0) continue;
        firstLine ??= step.line;
        modes.requirementFiles.push(...requirementFiles);
        modes.projects.push(...projects);
        modes.archives += archives.length;
        if (tool !== 'pip') modes.tools.push(tool);
        for (const what of editable.filter((path) => !path.includes('://'))) {
          const source = absolute(directory, what.replace(/\[[^\]]*\]$/, ''));
          modes.editable.push({
            what,
            directory: source,
            line: step.line,
            inOtherStage: !inFinal.has(stage.index) && !copiesFolder(lineage, stage, source),
          });
        }
        if (install.noDeps) noDepsLine ??= step.line;
        else if (deep) modes.installsDependencies = true;
        if (requirementFiles.length > 0 && whole) sourceBeforeRequirements ??= step.line;
        reachesFinal = reachesFinal || inFinal.has(stage.index) || isCopiedFrom(stages, stage);
      }
    }
  }
  return {
    ...modes,
    base: lineage[0]?.image === undefined ? '' : imageName(lineage[0].image),
    mentionsInstaller: lineage.some((stage) =>
      stage.steps.some((step) => step.keyword === 'RUN' && unreadInstaller.test(step.text)),
    ),
    reachesFinal,
    firstLine: firstLine ?? lineage.at(-1)?.line ?? 1,
    ...(noDepsLine === undefined ? {} : { noDepsLine }),
    ...(sourceBeforeRequirements === undefined ? {} : { sourceBeforeRequirements }),
  };
}

/** "requirements.txt and . in editable mode"; "nothing" when no installer runs. */
export function describeModes(modes: InstallModes): string {
  const parts = [
    ...new Set([
      ...modes.requirementFiles.map((file) => `-r ${file}`),
      ...modes.projects,
      ...modes.editable.map(({ what }) => `-e ${what}`),
      ...(modes.archives > 0 ? ['wheels'] : []),
      ...modes.tools.map((tool) => tool.replace('-', ' ')),
    ]),
  ];
  return parts.length === 0 ? 'nothing' : parts.join(', ');
}

/** The working directory at the start of a stage: that at the end of its parent. */
function workDirectoryOf(file: Dockerfile | undefined, stage: Stage): string {
  let directory = '/';
  const parents: Stage[] = [];
  for (let parent = stage.parent; parent !== undefined && parents.length < 50; parent = file?.stages[parent]?.parent) {
    const found = file?.stages[parent];
    if (found === undefined) break;
    parents.unshift(found);
  }
  for (const parent of parents)
    for (const step of parent.steps) if (step.keyword === 'WORKDIR') directory = absolute(directory, step.text.trim());
  return directory;
}

function absolute(directory: string, path: string): string {
  const all = path.startsWith('/') ? path : `${directory}/${path}`;
  const parts: string[] = [];
  for (const part of all.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** Source of a COPY relative to the context; '' for all of it. */
function contextPath(source: string): string {
  return source
    .replace(/^(\.?\/)+/, '')
    .replace(/^\.$/, '')
    .replace(/\/(\.|\*)?$/, '')
    .replace(/^\*$/, '');
}

function isCopiedFrom(stages: readonly Stage[], wanted: Stage): boolean {
  return stages.some(
    (stage) =>
      stage.steps.some(
        ({ copy }) => copy?.from !== undefined && (copy.from === wanted.name || copy.from === String(wanted.index)),
      ) || stage.parent === wanted.index,
  );
}

/** Does the final stage also copy the source folder itself, to the same place, from that stage? */
function copiesFolder(lineage: readonly Stage[], from: Stage, folder: string): boolean {
  return lineage.some((stage) =>
    stage.steps.some(({ copy }) => {
      if (copy?.from === undefined || (copy.from !== from.name && copy.from !== String(from.index))) return false;
      return copy.sources.some((source) => {
        const path = absolute('/', source);
        return path === '/' || folder === path || folder.startsWith(`${path}/`);
      });
    }),
  );
}

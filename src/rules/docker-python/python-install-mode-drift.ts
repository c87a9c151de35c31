import { Type } from 'typebox';
import { defineRule, type Problem, type RuleContext } from '../../core/rule.ts';
import { buildSide, deploymentFacts, deploymentsOf, type BuildSide, type Deployment } from '../kit/build-files.ts';
import { applicationFolder, isForDevelopment, variantKey } from '../kit/build-variants.ts';
import { problemInFile } from '../kit/file-problem.ts';
import { describeModes, installModes, type InstallModes } from '../kit/install-modes.ts';
import { listAt, containersOf, podTemplate } from '../kit/pods.ts';
import { lockFor } from '../kit/python-project.ts';
import { examples } from './examples/python-install-mode-drift.ts';

interface Case {
  readonly context: RuleContext;
  readonly after: BuildSide;
  readonly path: string;
  readonly now: InstallModes;
  readonly old: InstallModes | undefined;
  readonly deployments: readonly Deployment[];
}

function problem(item: Case, line: number, rest: Parameters<typeof problemInFile>[2]): Problem {
  const target = item.deployments[0]?.entry.target.id;
  const facts = [...(rest.evidence?.facts ?? []), ...deploymentFacts(item.deployments)];
  const before = item.old === undefined ? undefined : describeModes(item.old);
  return problemInFile(item.path, line, {
    ...rest,
    evidence: {
      ...(before === undefined ? {} : { before }),
      after: describeModes(item.now),
      ...(facts.length === 0 ? {} : { facts }),
    },
    ...(target === undefined ? {} : { target }),
  });
}

/** `pip install -e` in an image that is deployed. With one lock for the whole tree this is a chosen way of working. */
function* checkEditable(item: Case): Iterable<Problem> {
  const { now, old, path, after } = item;
  const first = now.editable[0];
  if (first === undefined || isForDevelopment(path)) return;
  const mask = maskedBy(item, first.directory);
  const maskedBefore = old !== undefined && old.editable.length > 0;
  if (maskedBefore || (mask === undefined && lockFor(after, applicationFolder(path)) !== undefined)) return;
  if (first.inOtherStage) {
    yield problem(item, first.line, {
      message: `The editable install of ${first.what} is made in another stage than the final one: it only leaves a link to the source folder of that stage, and the final image finds no module there.`,
      severity: 'high',
      fix: 'Build a wheel, or install without -e, in the stage that is copied from.',
    });
  } else if (mask !== undefined) {
    yield problem(item, first.line, {
      message: `${first.what} is installed in editable mode from ${first.directory}, and ${mask}: the volume hides the source that the installed package is a link to.`,
      severity: 'high',
      fix: 'Install without -e, or mount the volume elsewhere.',
    });
  } else {
    yield problem(item, first.line, {
      message: `The image now installs ${first.what} in editable mode: the package is a link into its source folder, so package data, entry points and files that are missing from the package are never noticed, and a volume over ${first.directory} hides the code.`,
      fix: 'Install without -e, or build a wheel once and install that everywhere.',
    });
  }
}

/** A volume of the deployed pods that lies over the source folder. */
function maskedBy({ deployments }: Case, directory: string): string | undefined {
  for (const { entry, container } of deployments) {
    const template = podTemplate(entry.effective);
    const found =
      template === undefined
        ? []
        : containersOf(template).filter((candidate) => candidate.container.name === container);
    for (const { container: spec } of found) {
      for (const mount of listAt<{ mountPath?: unknown; subPath?: unknown }>(spec, 'volumeMounts')) {
        const path = typeof mount.mountPath === 'string' ? mount.mountPath.replace(/\/+$/, '') : '';
        if (path !== '' && mount.subPath === undefined && (directory === path || directory.startsWith(`${path}/`))) {
          return `${entry.ref.kind} ${entry.ref.name} mounts a volume at ${path}`;
        }
      }
    }
  }
  return undefined;
}

/** Production installs a requirements file, the variant for development or tests installs the project: two sets of packages. */
function* checkVariants(item: Case, before: BuildSide): Iterable<Problem> {
  const { after, path, now, old, context } = item;
  if (lockFor(after, applicationFolder(path)) !== undefined) return;
  const key = variantKey(path);
  for (const other of after.dockerfiles) {
    if (other === path || variantKey(other) !== key || isForDevelopment(other) === isForDevelopment(path)) continue;
    const theirs = installModes(after.dockerfile(other));
    const [production, development] = isForDevelopment(path) ? [theirs, now] : [now, theirs];
    if (!differs(production, development)) continue;
    const theirsBefore = installModes(before.dockerfile(other));
    const thenModes = old ?? installModes(undefined);
    const [productionBefore, developmentBefore] = isForDevelopment(path)
      ? [theirsBefore, thenModes]
      : [thenModes, theirsBefore];
    if (differs(productionBefore, developmentBefore) || (context.changedPaths.has(other) && other < path)) continue;
    const line = now.firstLine;
    yield problem(item, line, {
      message: `Production installs ${describeModes(production)}, development ${describeModes(development)}: what the project itself requires is only tested in one of them, so a package that is missing from the requirements file is first missed in production.`,
      evidence: { facts: [`${path}: ${describeModes(now)}`, `${other}: ${describeModes(theirs)}`] },
      fix: 'Install the same way in all variants: build the wheel once, or install the same requirements file and the project with --no-deps.',
    });
  }
}

function differs(production: InstallModes, development: InstallModes): boolean {
  const onlyFiles =
    production.requirementFiles.length > 0 &&
    production.projects.length === 0 &&
    production.editable.length === 0 &&
    production.archives === 0;
  return (
    onlyFiles &&
    (development.editable.length > 0 || development.projects.length > 0) &&
    development.requirementFiles.length === 0
  );
}

/** Dependencies that the image had and now lacks. */
function* checkLosses(item: Case): Iterable<Problem> {
  const { now, old, path } = item;
  if (old === undefined || isForDevelopment(path)) return;
  // Another base may bring the packages, and a script may install them.
  const elsewhere = now.base !== old.base || now.mentionsInstaller;
  if (old.reachesFinal && !now.reachesFinal && !elsewhere) {
    yield problem(item, now.firstLine, {
      message: `The image that is built from ${path} no longer installs the dependencies: neither the final stage nor one that it copies from runs the installer that was there before (${describeModes(old)}).`,
      severity: 'high',
      fix: 'Install the requirements in the final stage, or copy the folder with the installed packages from the stage that installs them.',
    });
  }
  if (now.noDepsLine !== undefined && old.noDepsLine === undefined && !now.installsDependencies) {
    yield problem(item, now.noDepsLine, {
      message:
        'Packages are now installed with --no-deps, and nothing else installs what they require: a missing package shows at its first import.',
      fix: 'Install a complete lock first, or leave --no-deps out.',
    });
  }
  if (
    now.sourceBeforeRequirements !== undefined &&
    old.sourceBeforeRequirements === undefined &&
    old.requirementFiles.length > 0
  ) {
    yield problem(item, now.sourceBeforeRequirements, {
      message:
        'The whole source is copied before the requirements are installed: every change of the code installs all packages anew, and floating ones get other versions each time.',
      severity: 'low',
      fix: 'Copy the requirements files and install them first, then copy the source.',
    });
  }
}

/** A package folder that was copied into the image and no longer is, while its modules are still in the tree. */
function* checkCopies(item: Case): Iterable<Problem> {
  const { now, old, after, path } = item;
  if (old === undefined || isForDevelopment(path) || now.copiesContext) return;
  const context = applicationFolder(path);
  for (const source of old.copiedFolders) {
    const kept = now.copiedFolders.some(
      (folder) => source === folder || source.startsWith(`${folder}/`) || folder.startsWith(`${source}/`),
    );
    if (kept) continue;
    const modules = [...after.files.values()].filter(
      (file) =>
        file.type === 'python-source' &&
        [source, context === '' ? source : `${context}/${source}`].some((folder) => file.path.startsWith(`${folder}/`)),
    );
    const first = modules[0];
    if (first === undefined) continue;
    yield problem(item, now.firstLine, {
      message: `${source} is no longer copied into the image, and its modules are still in the tree (${first.path}): importing them fails in the container.`,
      severity: 'high',
      confidence: 'likely',
      fix: `Copy ${source} again, or install it as a package.`,
    });
  }
}

export default defineRule({
  id: 'python-install-mode-drift',
  since: '0.1.0',
  family: 'Docker and Python drift',
  title: 'Python install mode drift',
  severity: 'medium',
  reversibility: 'instant',
  confidence: 'determined',
  needs: 'transition',
  kinds: ['apps/Deployment', 'apps/StatefulSet', 'apps/DaemonSet'],
  live: [],
  summary: 'Production installs the application in another way than the environments where it is tested.',
  docs: {
    why: 'With `pip install -e .` in development and `pip install -r requirements.txt` in production two lists decide what is installed: `install_requires` of the project is tested, the requirements file is deployed, and a package that is only in the first is missed at the first import in production. An editable install is a link to the source folder: it works without a correct package, breaks when a volume is mounted over the folder, and is empty when only `site-packages` is copied into the final stage.',
    fix: 'Build a wheel once and install the same wheel, with the same lock, in all environments.',
    ignoreWhen: 'One lock file (uv, Poetry, PDM) decides for all environments and the editable install is part of it.',
  },
  references: [
    'https://setuptools.pypa.io/en/latest/userguide/development_mode.html',
    'https://pip.pypa.io/en/stable/topics/local-project-installs/',
    'https://docs.docker.com/build/cache/optimize/',
  ],
  options: Type.Object({}),
  examples,
  *check(context: RuleContext) {
    const before = buildSide(context.buildFiles.before);
    const after = buildSide(context.buildFiles.after);
    for (const path of after.dockerfiles) {
      if (!context.changedPaths.has(path)) continue;
      const oldFile = before.dockerfile(path);
      const item: Case = {
        context,
        after,
        path,
        now: installModes(after.dockerfile(path)),
        old: oldFile === undefined ? undefined : installModes(oldFile),
        deployments: deploymentsOf(context, path),
      };
      yield* checkEditable(item);
      yield* checkVariants(item, before);
      yield* checkLosses(item);
      yield* checkCopies(item);
    }
  },
});

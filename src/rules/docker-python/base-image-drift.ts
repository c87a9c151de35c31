import { Type } from 'typebox';
import { defineRule, type Problem, type RuleContext } from '../../core/rule.ts';
import { distributionOf, endedParts, floatingReason, pythonOf } from '../kit/base-image.ts';
import { buildSide, deploymentFacts, deploymentsOf, type BuildSide, type Deployment } from '../kit/build-files.ts';
import { applicationFolder, isForDevelopment, variantKey, variantOf } from '../kit/build-variants.ts';
import { deployedStages, finalLineage, type Stage } from '../kit/dockerfile.ts';
import { problemInFile } from '../kit/file-problem.ts';
import { formatImage, imageBaseName, imageName } from '../kit/image-reference.ts';
import { at } from '../kit/pods.ts';
import { pinnedPython, projectsIn } from '../kit/python-project.ts';
import { satisfiesSpecifier } from '../kit/requirements.ts';
import { examples } from './examples/base-image-drift.ts';

interface Case {
  readonly context: RuleContext;
  readonly before: BuildSide;
  readonly after: BuildSide;
  readonly path: string;
  readonly deployments: readonly Deployment[];
}

/** What all problems of a file share: the target that deploys it, and who that is. */
function problem(
  { path, deployments }: Case,
  line: number,
  facts: readonly string[],
  rest: Parameters<typeof problemInFile>[2],
): Problem {
  const target = deployments[0]?.entry.target.id;
  const all = [...facts, ...(rest.evidence?.facts ?? []), ...deploymentFacts(deployments)];
  return problemInFile(path, line, {
    ...rest,
    evidence: { ...rest.evidence, ...(all.length === 0 ? {} : { facts: all }) },
    ...(target === undefined ? {} : { target }),
  });
}

/** A stage's counterpart on the other side: by name, else by position, else the only one with the same base repository. */
function counterpart(stage: Stage, count: number, stages: readonly Stage[]): Stage | undefined {
  const named = stage.name === undefined ? undefined : stages.find((other) => other.name === stage.name);
  if (named !== undefined) return named;
  const { image } = stage;
  const samePlace = stages[stage.index];
  if (count === stages.length && (samePlace?.name === undefined || stage.name === undefined)) return samePlace;
  const same = stages.filter(
    (other) => image !== undefined && other.image !== undefined && imageName(other.image) === imageName(image),
  );
  return same.length === 1 ? same[0] : undefined;
}

/** Tag, digest, distribution and end of life of the bases that reach the image. */
function* checkBases(item: Case): Iterable<Problem> {
  const file = item.after.dockerfile(item.path);
  const old = item.before.dockerfile(item.path);
  if (file === undefined || isForDevelopment(item.path)) return;
  for (const stage of deployedStages(file)) {
    const { image } = stage;
    if (image === undefined) continue;
    const was = counterpart(stage, file.stages.length, old?.stages ?? [])?.image;
    const sameName = was !== undefined && imageName(was) === imageName(image);
    const shown = formatImage(image);
    const evidence = { ...(was === undefined ? {} : { before: formatImage(was) }), after: shown };
    const reason = floatingReason(image);
    if (reason !== undefined && (was === undefined || floatingReason(was) === undefined)) {
      yield problem(item, stage.line, [], {
        message: `The base image ${shown} ${reason}: a rebuild of the same commit can give another version or another distribution, and the image that was tested cannot be built again.`,
        evidence,
        fix: `Name a full version and a digest: ${imageName(image)}:<version>@sha256:…`,
      });
    } else if (sameName && was.digest !== undefined && image.digest === undefined) {
      yield problem(item, stage.line, [], {
        message: `The digest of the base image ${imageName(image)} was removed: the tag ${image.tag ?? 'latest'} can be moved by its publisher, so a rebuild can give another image than the one that was tested.`,
        evidence,
        severity: 'low',
        fix: `Keep the digest beside the tag: ${shown}@sha256:…`,
      });
    }
    if (was === undefined) continue;
    const [now, then] = [distributionOf(image), distributionOf(was)];
    if (now !== undefined && then !== undefined && now.name !== then.name) {
      const libc = now.libc !== then.libc;
      const wheels = imageBaseName(image) === 'python' ? ' such as manylinux wheels' : '';
      const detail = !libc
        ? 'system packages have other names and versions, and binaries that were copied from another stage may miss their libraries.'
        : now.libc === 'musl'
          ? `musl replaces glibc: prebuilt binaries${wheels} do not fit, so that packages are compiled or fail, and DNS search domains resolve differently.`
          : 'glibc replaces musl: binaries that were built on Alpine do not start, and system packages have other names.';
      yield problem(item, stage.line, [], {
        message: `The base of ${item.path} changes from ${then.name} to ${now.name}: ${detail}`,
        evidence,
        severity: libc && now.libc === 'musl' ? 'medium' : 'low',
        fix: 'Change the distribution in all variants of the image at once, and run the tests in the new image before it is deployed.',
      });
    }
    const knownEnded = new Set(endedParts(was).map((part) => part.line));
    for (const ended of endedParts(image)) {
      if (knownEnded.has(ended.line)) continue;
      yield problem(item, stage.line, [`${ended.what} has had no security fixes since ${ended.since}`], {
        message: `The base image ${shown} is past its end of life (${ended.what}, since ${ended.since}): known holes stay open and packages disappear from its mirrors, which breaks rebuilds.`,
        evidence,
        fix: 'Use a version that is still maintained.',
      });
    }
  }
}

/** The Python of the image that is built by default. */
function pythonOfFile(side: BuildSide, path: string): { readonly version: string; readonly line: number } | undefined {
  const file = side.dockerfile(path);
  const root = file === undefined ? undefined : finalLineage(file)[0];
  const version = root?.image === undefined ? undefined : pythonOf(root.image);
  return root === undefined || version === undefined ? undefined : { version, line: root.line };
}

/** The same application's Dockerfiles for other environments. */
function* checkVariants(item: Case): Iterable<Problem> {
  const own = pythonOfFile(item.after, item.path);
  if (own === undefined) return;
  const key = variantKey(item.path);
  const variant = variantOf(item.path);
  const before = pythonOfFile(item.before, item.path);
  for (const other of item.after.dockerfiles) {
    if (other === item.path || variantKey(other) !== key || variantOf(other) === variant) continue;
    const theirs = pythonOfFile(item.after, other);
    if (theirs === undefined || theirs.version === own.version) continue;
    const theirsBefore = pythonOfFile(item.before, other);
    const differedBefore =
      before !== undefined && theirsBefore !== undefined && before.version !== theirsBefore.version;
    // Two changed files give one problem: the one with the smaller path tells it.
    if (differedBefore || (item.context.changedPaths.has(other) && other < item.path)) continue;
    yield problem(
      item,
      own.line,
      [`${item.path} (${variant}): Python ${own.version}`, `${other} (${variantOf(other)}): Python ${theirs.version}`],
      {
        message: `${item.path} runs Python ${own.version} and ${other} Python ${theirs.version}: what is tested in one does not show what happens in the other.`,
        evidence: { ...(before === undefined ? {} : { before: before.version }), after: own.version },
        fix: 'Take the version from one ARG or one base image for all variants, and change them together.',
      },
    );
  }
}

/** `requires-python` and `.python-version` beside or above the Dockerfile. */
function* checkProject(item: Case): Iterable<Problem> {
  const own = pythonOfFile(item.after, item.path);
  if (own === undefined) return;
  const before = pythonOfFile(item.before, item.path);
  const folder = applicationFolder(item.path);
  for (const { file, requiresPython } of projectsIn(item.after, folder)) {
    if (requiresPython === undefined || satisfiesSpecifier(`${own.version}.99`, requiresPython.specifier) !== false)
      continue;
    const old = projectsIn(item.before, folder).find((project) => project.file === file)?.requiresPython;
    if (
      before !== undefined &&
      old !== undefined &&
      satisfiesSpecifier(`${before.version}.99`, old.specifier) === false
    )
      continue;
    yield problem(item, own.line, [`${file}:${requiresPython.line} requires Python ${requiresPython.specifier}`], {
      message: `The image has Python ${own.version}, and ${file} requires ${requiresPython.specifier}: pip refuses to install the project, or the code uses what this Python does not have.`,
      evidence: { ...(before === undefined ? {} : { before: before.version }), after: own.version },
      fix: `Use a base image with a Python that satisfies ${requiresPython.specifier}.`,
    });
  }
  const pin = pinnedPython(item.after, folder);
  if (pin === undefined || pin.version === own.version) return;
  const oldPin = pinnedPython(item.before, folder);
  if (oldPin !== undefined && before !== undefined && oldPin.version !== before.version) return;
  yield problem(item, own.line, [`${pin.file} names Python ${pin.version}`], {
    message: `The image has Python ${own.version}, and ${pin.file} says ${pin.version}: people and CI work with another Python than the one that is deployed.`,
    evidence: { ...(before === undefined ? {} : { before: before.version }), after: own.version },
    severity: 'low',
    fix: `Change ${pin.file} and the base image together.`,
  });
}

const architectures: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64' };

/** A platform that is fixed in the Dockerfile, against the nodes that the pods may run on. */
function* checkPlatform(item: Case): Iterable<Problem> {
  const file = item.after.dockerfile(item.path);
  const stage = file === undefined ? undefined : finalLineage(file)[0];
  const wanted = architectureOf(stage?.platform);
  if (stage === undefined || wanted === undefined) return;
  const old = item.before.dockerfile(item.path);
  if (old !== undefined && architectureOf(finalLineage(old)[0]?.platform) === wanted) return;
  for (const { entry } of item.deployments) {
    const selector = nodeArchitecture(entry.effective);
    const nodes = item.context.live(entry.target.scope);
    const present = new Set(
      nodes?.covers('', 'Node') === true
        ? nodes.ofKind('', 'Node').map((node) => String(at(node, 'status', 'nodeInfo', 'architecture')))
        : [],
    );
    const misfit = selector !== undefined ? selector !== wanted : present.size > 0 && !present.has(wanted);
    if (!misfit) continue;
    const where =
      selector === undefined
        ? `the nodes of the cluster are ${[...present].join(', ')}`
        : `the pods of ${entry.ref.kind} ${entry.ref.name} run on ${selector} nodes`;
    yield problem(item, stage.line, [], {
      message: `The image is built for ${wanted}, and ${where}: its containers end with "exec format error".`,
      evidence: { after: stage.platform ?? '' },
      severity: 'high',
      fix: 'Build for the platform of the nodes, or for several platforms without --platform in FROM.',
    });
    return;
  }
}

function architectureOf(platform: string | undefined): string | undefined {
  const name = platform?.split('/')[1];
  return name === undefined ? undefined : (architectures[name] ?? name);
}

function nodeArchitecture(object: unknown): string | undefined {
  const value = at(object, 'spec', 'template', 'spec', 'nodeSelector', 'kubernetes.io/arch');
  return typeof value === 'string' ? value : undefined;
}

export default defineRule({
  id: 'base-image-drift',
  since: '0.1.0',
  family: 'Docker and Python drift',
  title: 'Base image drift',
  severity: 'medium',
  reversibility: 'instant',
  confidence: 'determined',
  needs: 'transition',
  kinds: ['/Node'],
  live: ['/Node'],
  summary:
    'A Dockerfile starts from an image that moves, is out of support, or differs from that of the other environments.',
  docs: {
    why: '`FROM` decides the Python, the C library and the system packages of everything above it. A tag without a full version, or without digest, gives another image whenever it is rebuilt. From Debian to Alpine the C library changes from glibc to musl: prebuilt `manylinux` wheels do not install, and the resolver treats search domains differently. When the variants of one application (production, development, test) start from different Python versions, a passing test says little about production.',
    fix: 'Pin the base by version and digest, take the version of all variants from one `ARG`, and change distribution or Python version in all of them in one pull request.',
    ignoreWhen:
      'The image is only for development, or the base is rebuilt and re-tested on purpose (a tool moves the digest).',
  },
  references: [
    'https://docs.docker.com/build/building/best-practices/#pin-base-image-versions',
    'https://peps.python.org/pep-0656/',
    'https://devguide.python.org/versions/',
  ],
  options: Type.Object({}),
  examples,
  *check(context: RuleContext) {
    const before = buildSide(context.buildFiles.before);
    const after = buildSide(context.buildFiles.after);
    for (const path of after.dockerfiles) {
      if (!context.changedPaths.has(path)) continue;
      const item: Case = { context, before, after, path, deployments: deploymentsOf(context, path) };
      yield* checkBases(item);
      yield* checkVariants(item);
      yield* checkProject(item);
      yield* checkPlatform(item);
    }
  },
});

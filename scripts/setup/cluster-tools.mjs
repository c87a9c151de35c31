// etcd and the programs of Kubernetes, for tests against real API servers. `go install` refuses modules with
// `replace` lines, so each version is built from a temporary module: the requirements of the program's own go.mod, with
// its replacements by folders of its repository turned into the published modules.
import { copyFileSync, chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programName } from './paths.mjs';
import { gist, run } from './run.mjs';
import { SetupError, say, ticking } from './say.mjs';
import { goEnvironment, publish, withWorkFolder } from './store.mjs';

/** The folder of the module cache that holds the sources. */
async function sourcesOf(module, version, go, env, cwd) {
  const { code, output } = await run(go, ['mod', 'download', '-json', `${module}@v${version}`], { cwd, env });
  // Progress lines may come before the JSON.
  const json = /^\{[\s\S]*^\}/m.exec(output)?.[0];
  const answer = json === undefined ? {} : JSON.parse(json);
  if (code === 0 && typeof answer.Dir === 'string') return answer.Dir;
  throw new SetupError(
    `the sources of ${module} ${version} cannot be had:\n${gist(answer.Error ?? output)}`,
    'check the network and GOPROXY, then run this again',
  );
}

/**
 * The go.mod that builds `module` as a dependency. Kubernetes publishes v1.34.3 of itself together with v0.34.3 of each
 * staging module (kubernetes/publishing-bot); etcd publishes its modules under one version, which go.mod requires.
 */
export function moduleFileFor(goMod, module, version) {
  const staging = `v0.${version.split('.').slice(1).join('.')}`;
  const lines = goMod.split('\n').flatMap((line) => {
    if (line.startsWith('module ')) return [`module cluster-tools`, '', `require ${module} v${version}`];
    // The toolchain of the release would be downloaded; any newer one builds it.
    if (line.startsWith('toolchain ')) return [];
    if (!/=> \.\.?\//.test(line)) return [line];
    const inStaging = /=> \.\/staging\/src\/(\S+)$/.exec(line)?.[1];
    return inStaging === undefined ? [] : [line.replace(/=> .*/, `=> ${inStaging} ${staging}`)];
  });
  return lines.join('\n');
}

/** Without these the programs say that they are v0.0.0-master, which clients compare. */
function linkerFlags({ module, version }) {
  if (module !== 'k8s.io/kubernetes') return '-s -w';
  const [major, minor] = version.split('.');
  const values = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor };
  const packages = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'];
  const settings = packages.flatMap((name) =>
    Object.entries(values).map(([key, value]) => `-X ${name}.${key}=${value}`),
  );
  return ['-s', '-w', ...settings].join(' ');
}

/** Builds tools of one version of one module, in one folder so that what they share is compiled once. @throws SetupError */
export async function buildClusterTools(tools, go) {
  const { module, version } = tools[0];
  await withWorkFolder(`${module.replaceAll('/', '-')}-${version}`, async (work) => {
    const env = goEnvironment(go, work);
    const sources = await sourcesOf(module, version, go, env, work);
    writeFileSync(join(work, 'go.mod'), moduleFileFor(readFileSync(join(sources, 'go.mod'), 'utf8'), module, version));
    copyFileSync(join(sources, 'go.sum'), join(work, 'go.sum'));
    // Files of the module cache are read-only, and -mod=mod adds the checksums of the staging modules.
    chmodSync(join(work, 'go.sum'), 0o644);
    for (const tool of tools) await buildOne(tool, go, env, work);
  });
}

async function buildOne(tool, go, env, work) {
  const label = `${tool.name} ${tool.version}`;
  const folder = join(work, tool.name);
  const file = join(folder, programName(tool.name));
  mkdirSync(folder);
  const stop = ticking(`building ${label} with go build (once per user, about ${tool.about})`);
  const args = ['build', '-mod=mod', '-trimpath', `-ldflags=${linkerFlags(tool)}`, '-o', file, tool.package];
  const { code, output } = await run(go, args, { cwd: work, env });
  const seconds = stop();
  if (code !== 0 || !existsSync(file)) {
    throw new SetupError(
      `building ${label} failed after ${seconds} s (${go} ${args.join(' ')}):\n${gist(output)}`,
      `check the network, GOPROXY and the version of Go (1.26 or newer), or put ${label} on PATH`,
    );
  }
  publish(tool, folder);
  say(`${label} is ready after ${seconds} s`);
}

// Sets up what a fresh checkout lacks: packages, helm, kustomize, API servers. Runs on Node 20 without any package.
//   node scripts/setup.mjs            what the program needs
//   node scripts/setup.mjs --all      also the second Helm line, which tests need
//   node scripts/setup.mjs --cluster  also etcd, kube-apiserver and the like, which tests against a real cluster need
//   node scripts/setup.mjs --only kustomize[,helm]    only these tools, no packages
import { ensurePackages } from './setup/packages.mjs';
import { which } from './setup/paths.mjs';
import { ensurePrometheus } from './setup/prometheus.mjs';
import { stopChildren } from './setup/run.mjs';
import { SetupError, say } from './setup/say.mjs';
import { ensureTools, pinnedTools } from './setup/tools.mjs';

function readArguments(args) {
  const wanted = { all: false, cluster: false, only: undefined };
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '--all') wanted.all = true;
    else if (args[i] === '--cluster') wanted.cluster = true;
    else if (args[i] === '--only' && args[i + 1] !== undefined) wanted.only = args[++i].split(',');
    else throw new SetupError(`unknown argument ${args[i]}`, 'use --all, --cluster, or --only kustomize,helm');
  }
  return wanted;
}

async function main() {
  if (Number(process.versions.node.split('.')[0]) < 20) {
    throw new SetupError(`Node ${process.versions.node} is too old`, 'install Node.js 20 or newer: https://nodejs.org');
  }
  const { all, cluster, only } = readArguments(process.argv.slice(2));
  if (which('git') === undefined) {
    throw new SetupError('git was not found on PATH', 'install git: https://git-scm.com/downloads');
  }
  let worked = false;
  if (only === undefined) worked = await ensurePackages();
  const tools = pinnedTools().filter((tool) => {
    if (only !== undefined) return only.includes(tool.name);
    if (tool.line.startsWith('cluster')) return cluster;
    return tool.line !== 'second' || all;
  });
  worked = (await ensureTools(tools)) || worked;
  if (cluster && only === undefined) worked = (await ensurePrometheus()) || worked;
  if (worked) say('everything is in place');
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
]) {
  process.on(signal, () => {
    stopChildren();
    // `exit` handlers release locks and remove temporary folders.
    process.exit(code);
  });
}

main().catch((error) => {
  process.stderr.write(`setup: ${error instanceof SetupError ? error.message : error.stack}\n`);
  if (error instanceof SetupError && error.next !== undefined) process.stderr.write(`setup: next: ${error.next}\n`);
  process.exitCode = 1;
});

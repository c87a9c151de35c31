import { Argument, Command, Help, Option, type CommanderError } from 'commander';
import { seconds } from './options.ts';
import { version } from './version.ts';

/** Gathers the values of a repeatable option. */
function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

function withComparison(command: Command): Command {
  return command
    .option('--base <ref>', 'commit or branch to compare with (default: merge-base with the default branch)')
    .option('--head <ref>', 'commit or branch to judge (default: the working tree)')
    .option('--before <dir>', 'compare two folders instead of commits: the old one')
    .option('--after <dir>', 'compare two folders instead of commits: the new one')
    .option('-C, --directory <dir>', 'repository to work in', '.')
    .option('--live', 'ask the cluster of the current kubeconfig context (or the one gate runs in)', false)
    .option('--context <name>', 'ask the cluster of this kubeconfig context; repeatable', collect, [])
    .option('--kubeconfig <file>', 'kubeconfig to use instead of $KUBECONFIG and ~/.kube/config')
    .option(
      '--cluster-name <name>',
      'what the targets call the live cluster (default: gate.yaml by URL, else the context)',
    )
    .option('--cluster-timeout <seconds>', 'for everything that a live cluster is asked', seconds, 60)
    .option('--prometheus <url>', 'Prometheus with the metrics of the cluster (default: gate.yaml)')
    .option(
      '--snapshot <path>',
      'cluster snapshot: file or folder, also plain kubectl get -o yaml output; repeatable',
      collect,
      [],
    )
    .option('--config <file>', "operator's gate.yaml, used instead of the one on the base side")
    .option('--environment <name>', 'only targets of this environment')
    .option('--target <glob>', 'only targets whose id or name matches; repeatable', collect, [])
    .option('--all', 'render every target, also those that the change cannot reach', false)
    .option('--no-cache', 'neither read nor write the render cache');
}

function withCommon(command: Command): Command {
  return command
    .option('--debug', 'print stack traces', false)
    .option('-q, --quiet', 'no progress on stderr', false)
    .option('--no-color', 'plain text (NO_COLOR works too)');
}

const plainHelp = new Help();

/** commander also says of a switch that it is off, and of a repeatable option that nothing was given. */
function optionDescription(option: Option): string {
  return plainHelp.optionDescription(option).replace(/ ?\(default: (?:false|\[\])\)$/, '');
}

/** The command line of gate. Commands are loaded when they are called, so that `gate --version` stays instant. */
export function buildProgram(finish: (code: number) => void): Command {
  // Commands inherit this at their creation. commander has printed its message; asking for help is no error.
  const onExit = (error: CommanderError): never => process.exit(error.exitCode === 0 ? 0 : 2);
  const program = new Command('gate')
    .description(
      'GitOps pre-sync gate: renders what would be applied before and after a change and judges the transition.',
    )
    .version(version, '-v, --version')
    .showSuggestionAfterError()
    .exitOverride(onExit)
    .showHelpAfterError('(run with --help for examples)')
    .configureHelp({ optionDescription })
    .addHelpText(
      'after',
      `
Start with:
  gate doctor                  what would be used here
  gate check --list-targets    what would be rendered, and why
  gate check                   judge the working tree
gate COMMAND --help shows the options of a command, with examples.`,
    );

  withCommon(withComparison(program.command('check')))
    .description('judge a change: pass, comment, approval, block or incomplete')
    .addOption(
      new Option('--fail-on <verdict>', 'exit with 1 from this verdict on')
        .choices(['approval', 'block', 'never'])
        .default('approval'),
    )
    .addOption(
      new Option('--on-incomplete <action>', 'when something could not be evaluated')
        .choices(['fail', 'warn'])
        .default('fail'),
    )
    .option(
      '-o, --output <format[=file]>',
      'terminal, json, markdown, sarif, junit or html; repeatable; without =file to stdout',
      collect,
      [],
    )
    .option('--approvals <file>', 'decisions about findings (JSON, docs/schema/approvals.schema.json)')
    .option('--dry-run', 'let the API server try each changed object (needs --live and the right to patch)', false)
    .option('--dry-run-pods', 'let it also try a pod of each changed template: quota, limits, pod security', false)
    .option(
      '--causes',
      'find the lines that cause the findings: renders targets again, 20 times and 5 seconds at most',
      false,
    )
    .option('--list-targets', 'only list the targets and why each is rendered or not', false)
    .addHelpText(
      'after',
      `
Examples:
  gate check                                       the working tree against the merge-base with the default branch
  gate check --head HEAD                           only what is committed, for a pipeline
  gate check --base v1.4.0 --head v1.5.0           two commits, as they are: not their merge-base
  gate check --before old/ --after new/            two folders, no git needed
  gate check --snapshot cluster.yaml               with evidence from a snapshot of the cluster
  gate check --live                                with evidence from the cluster itself, read only
  gate check --context prod-eu --dry-run           and let its API server try what changes
  gate check -o terminal -o json=gate.json         two reports
  gate check -o junit=gate.xml -o sarif=gate.sarif for Jenkins, GitLab and code scanning
  gate check --environment production --causes     one environment, with the lines that cause its findings
  gate check --list-targets                        what would be rendered, and why

Exit codes: 0 pass or comment, 1 held by policy, 2 usage or configuration, 3 could not evaluate, 130 interrupted`,
    )
    .action(async (options) => finish(await (await import('./commands/check.ts')).check(options)));

  withCommon(withComparison(program.command('diff')))
    .description('print what the change does to the rendered objects')
    .addHelpText(
      'after',
      `
Examples:
  gate diff                                        the working tree against the merge-base with the default branch
  gate diff --target "*shop*"                      only some targets
  gate diff --base v1.4.0 --head v1.5.0            two commits
  gate diff --live                                 also which changes are drift: somebody edited the cluster

Exit codes: 0 everything was compared, 2 usage or configuration, 3 something could not be, 130 interrupted`,
    )
    .action(async (options) => finish(await (await import('./commands/diff.ts')).diff(options)));

  withCommon(withComparison(program.command('render')))
    .description('print the objects that the targets render on one side')
    .addOption(new Option('--side <side>', 'which side').choices(['before', 'after']).default('after'))
    .addHelpText(
      'after',
      `
Examples:
  gate render                                      what the change reaches, as it would be applied
  gate render --all > all.yaml                     everything
  gate render --target shop --side before          one target, before the change

Exit codes: 0 everything was rendered, 2 usage or configuration, 3 something could not be, 130 interrupted`,
    )
    .action(async (options) => finish(await (await import('./commands/render.ts')).render(options)));

  withCommon(withComparison(program.command('rbac')))
    .description('print the roles that gate check --live needs for this repository, or gate snapshot, and nothing more')
    .addOption(new Option('--for <command>', 'whose rights').choices(['check', 'snapshot']).default('check'))
    .option('--name <name>', 'of the roles and bindings', 'gate')
    .option('--bind <namespace/name>', 'also a ServiceAccount of that name, bound to the roles')
    .option('--namespace <name>', 'Roles in this namespace instead of cluster-wide rights; repeatable', collect, [])
    .option('--dry-run', 'also the rights of --dry-run: the API server authorises it like the real request', false)
    .option('--dry-run-pods', 'also the rights of --dry-run-pods: to create pods', false)
    .addHelpText(
      'after',
      `
Examples:
  gate rbac                                        list, and only what the targets and rules of this repository need
  gate rbac --live                                 without the kinds that the cluster does not serve
  gate rbac --bind gate/reader | kubectl apply -f -
  gate rbac --namespace shop --namespace billing   Roles there; other namespaces stay unknown to the check
  gate rbac --for snapshot --live                  what gate snapshot reads of this cluster, whatever the repository
  gate rbac --name gate-dry-run --dry-run --dry-run-pods --bind gate/dry-run`,
    )
    .action(async (options) => finish(await (await import('./commands/rbac.ts')).rbac(options)));

  withCommon(program.command('snapshot'))
    .description('write what a cluster holds into a file, for checks that must not hold its credentials')
    .option('-o, --output <file>', 'snapshot.yaml, .yaml.gz, .json or .json.gz; - for stdout', 'snapshot.yaml.gz')
    .option('--context <name>', 'kubeconfig context (default: the current one, or the cluster gate runs in)')
    .option('--kubeconfig <file>', 'kubeconfig to use instead of $KUBECONFIG and ~/.kube/config')
    .option('--cluster-name <name>', 'what the targets call the cluster (default: --config by URL, else the context)')
    .option(
      '--cluster-timeout <seconds>',
      'for everything the cluster is asked; ten times that of a check',
      seconds,
      600,
    )
    .option('--namespace <name>', 'kinds of namespaces only there; repeatable (default: all namespaces)', collect, [])
    .option('--kind <group/kind>', 'also this kind, for example example.org/Widget; repeatable', collect, [])
    .option('--all-kinds', 'all kinds that can be listed, but events, leases and the like', false)
    .option('--without <group/kind>', 'not this kind, for example Secret; repeatable', collect, [])
    .option(
      '--redact',
      'also hide values of ConfigMaps, environment literals, annotations and names of nodes; not commands and arguments',
      false,
    )
    .option('--prometheus <url>', 'add figures of a Prometheus (default: that of --config)')
    .option('--config <file>', 'gate.yaml with names of clusters and questions to Prometheus')
    .addOption(
      new Option('--on-incomplete <action>', 'when a kind could not be read').choices(['fail', 'warn']).default('fail'),
    )
    .addHelpText(
      'after',
      `
Examples:
  gate snapshot                                    the current context into snapshot.yaml.gz
  gate snapshot -o eu-1.yaml --context eu-1 --cluster-name production
  gate snapshot --namespace shop --namespace billing --without Secret
  gate snapshot --kind example.org/Widget          also a custom kind that targets use
  gate snapshot -o - | less
  gate check --snapshot snapshot.yaml.gz           use it

Values of Secrets are never written, only fingerprints. Compare them elsewhere: set GATE_FINGERPRINT_KEY in both places.
Exit codes: 0 written, 1 never, 2 usage or configuration, 3 no snapshot, or written and some kinds could not be read`,
    )
    .action(async (options) => finish(await (await import('./commands/snapshot.ts')).snapshot(options)));

  withCommon(program.command('explain <rule>'))
    .description('what a rule looks for, why, how to fix it, with examples')
    .addHelpText('after', '\nExample:\n  gate explain pdb-blocks-all-evictions')
    .action(async (rule, options) => finish(await (await import('./commands/explain.ts')).explain(rule, options)));

  withCommon(program.command('rules'))
    .description('list all rules')
    .option('--json', 'as JSON', false)
    .addHelpText('after', '\nExamples:\n  gate rules\n  gate rules --json | jq -r ".[].id"')
    .action(async (options) => finish(await (await import('./commands/rules.ts')).listRules(options)));

  withCommon(program.command('init'))
    .description('write a commented gate.yaml from what is detected')
    .option('-C, --directory <dir>', 'repository to work in', '.')
    .option('--force', 'overwrite an existing gate.yaml', false)
    .option('--stdout', 'print it instead', false)
    .addHelpText(
      'after',
      '\nExamples:\n  gate init --stdout           look at it first\n  gate init -C ../deployments  another repository',
    )
    .action(async (options) => finish(await (await import('./commands/init.ts')).init(options)));

  withCommon(program.command('doctor'))
    .description('show the tools, caches and repository that gate would use')
    .option('-C, --directory <dir>', 'repository to work in', '.')
    .addHelpText('after', '\nExample:\n  gate doctor -C ../deployments\n\nExit codes: 0 ready, 2 something is missing')
    .action(async (options) => finish(await (await import('./commands/doctor.ts')).doctor(options)));

  const cache = program.command('cache').description('the render and chart cache');
  withCommon(cache.command('clear'))
    .description('remove all cached renders and charts')
    .action(async () => finish(await (await import('./commands/cache.ts')).clearCache()));
  withCommon(cache.command('info'))
    .description('where the cache is and how large')
    .action(async () => finish(await (await import('./commands/cache.ts')).cacheInfo()));

  withCommon(program.command('completion'))
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .description('print a completion script')
    .addHelpText(
      'after',
      `
Examples:
  source <(gate completion bash)                   in ~/.bashrc
  source <(gate completion zsh)                    in ~/.zshrc, after compinit
  gate completion fish > ~/.config/fish/completions/gate.fish`,
    )
    .action(async (shell) => finish(await (await import('./commands/completion.ts')).completion(shell, program)));
  return program;
}

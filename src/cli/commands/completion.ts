import type { Command } from 'commander';
import { GateError } from '../../core/errors.ts';

interface Flag {
  readonly name: string;
  /** Values to choose from; [] = any. */
  readonly values: readonly string[];
  readonly description: string;
  readonly takesValue: boolean;
}

interface Word {
  readonly name: string;
  readonly description: string;
  readonly options: readonly Flag[];
  /** What may follow instead of an option: subcommands, rules, shells. [] = files. */
  readonly words: readonly string[];
}

function wordOf(command: Command, ruleIds: readonly string[]): Word {
  const options = command.options.flatMap((option) =>
    option.long === undefined || option.long === null
      ? []
      : [
          {
            name: option.long,
            values: option.argChoices ?? [],
            description: option.description,
            takesValue: option.required || option.optional,
          },
        ],
  );
  const choices = command.registeredArguments.flatMap((argument) => argument.argChoices ?? []);
  return {
    name: command.name(),
    description: command.description(),
    options: [...options, { name: '--help', values: [], description: 'display help', takesValue: false }],
    words: command.name() === 'explain' ? ruleIds : [...command.commands.map((child) => child.name()), ...choices],
  };
}

/** `gate completion bash|zsh|fish`: made from the commands themselves, so it cannot fall behind. */
export async function completion(shell: string, program: Command): Promise<number> {
  const { rules } = await import('../../rules/index.generated.ts');
  const ruleIds = rules.map((rule) => rule.id);
  const words = program.commands.map((command) => wordOf(command, ruleIds));
  const scripts: Readonly<Record<string, () => string>> = {
    bash: () => bash(words),
    zsh: () => `autoload -U +X bashcompinit && bashcompinit\n${bash(words)}`,
    fish: () => fish(words),
  };
  const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
  if (script === undefined) {
    throw new GateError({
      code: 'usage.shell',
      message: `no completion for "${shell}"`,
      fault: 'user',
      next: 'Use bash, zsh or fish.',
    });
  }
  process.stdout.write(script());
  return 0;
}

function bash(words: readonly Word[]): string {
  const complete = (candidates: readonly string[]) =>
    `COMPREPLY=($(compgen -W "${candidates.join(' ')}" -- "$current"))`;
  const cases = words.map(({ name, options, words: others }) => {
    const values = options
      .filter((option) => option.values.length > 0)
      .map((option) => `      ${name}:${option.name}) ${complete(option.values)}; return ;;`);
    return {
      name,
      values,
      line: `    ${name}) ${complete([...options.map((option) => option.name), ...others])} ;;`,
      files: others.length === 0,
    };
  });
  const withFiles = cases.filter(({ files }) => files).map(({ name }) => name);
  return `_gate() {
  local current="\${COMP_WORDS[COMP_CWORD]}" command="\${COMP_WORDS[1]}"
  if [ "$COMP_CWORD" -eq 1 ]; then
    ${complete([...words.map((word) => word.name), '--help', '--version'])}
    return
  fi
  case "$command:\${COMP_WORDS[COMP_CWORD-1]}" in
${cases.flatMap(({ values }) => values).join('\n')}
  esac
  case "$command" in
${cases.map(({ line }) => line).join('\n')}
  esac
  case "$command" in
    ${withFiles.join('|')}) [[ $current == -* ]] || COMPREPLY=($(compgen -f -- "$current")) ;;
  esac
}
complete -o filenames -F _gate gate
`;
}

function fish(words: readonly Word[]): string {
  const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = ['complete -c gate -f -n __fish_use_subcommand -l version -l help'];
  for (const { name, description, options, words: others } of words) {
    lines.push(`complete -c gate -f -n __fish_use_subcommand -a ${name} -d ${quoted(description)}`);
    const seen = `complete -c gate -n '__fish_seen_subcommand_from ${name}'`;
    for (const option of options) {
      const value =
        option.values.length > 0 ? ` -x -a ${quoted(option.values.join(' '))}` : option.takesValue ? ' -r' : '';
      lines.push(`${seen} -l ${option.name.replace(/^--/, '')}${value} -d ${quoted(option.description)}`);
    }
    if (others.length > 0) lines.push(`${seen} -f -a ${quoted(others.join(' '))}`);
  }
  return `${lines.join('\n')}\n`;
}

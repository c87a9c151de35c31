import type { Command } from 'commander';
import { GateError } from '../../core/errors.ts';

interface Word {
  readonly name: string;
  readonly options: readonly string[];
  readonly description: string;
}

/** `gate completion bash|zsh|fish`: made from the commands themselves, so it cannot fall behind. */
export async function completion(shell: string, program: Command): Promise<number> {
  const words = program.commands.map((command) => ({
    name: command.name(),
    description: command.description(),
    options: [...command.options.map((option) => option.long ?? ''), '--help'].filter((flag) => flag !== ''),
  }));
  const { rules } = await import('../../rules/index.generated.ts');
  const ruleIds = rules.map((rule) => rule.id);
  const scripts: Readonly<Record<string, () => string>> = {
    bash: () => bash(words, ruleIds),
    zsh: () => `autoload -U +X bashcompinit && bashcompinit\n${bash(words, ruleIds)}`,
    fish: () => fish(words, ruleIds),
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

function bash(words: readonly Word[], ruleIds: readonly string[]): string {
  const cases = words
    .map((word) => {
      const candidates = word.name === 'explain' ? [...ruleIds, ...word.options] : word.options;
      return `    ${word.name}) COMPREPLY=($(compgen -W "${candidates.join(' ')}" -- "$current")); [[ $current == -* || ${word.name} == explain ]] || COMPREPLY=($(compgen -f -- "$current")) ;;`;
    })
    .join('\n');
  return `_gate() {
  local current="\${COMP_WORDS[COMP_CWORD]}"
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${words.map((word) => word.name).join(' ')} --help --version" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases}
  esac
}
complete -F _gate gate
`;
}

function fish(words: readonly Word[], ruleIds: readonly string[]): string {
  const lines = ['complete -c gate -f -n __fish_use_subcommand -l version -l help'];
  for (const word of words) {
    const description = word.description.replaceAll("'", '’');
    lines.push(`complete -c gate -f -n __fish_use_subcommand -a ${word.name} -d '${description}'`);
    for (const option of word.options) {
      lines.push(`complete -c gate -n '__fish_seen_subcommand_from ${word.name}' -l ${option.replace(/^--/, '')}`);
    }
  }
  lines.push(`complete -c gate -f -n '__fish_seen_subcommand_from explain' -a '${ruleIds.join(' ')}'`);
  return `${lines.join('\n')}\n`;
}

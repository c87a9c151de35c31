import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { buildProgram } from '../../src/cli/main.ts';

const root = new URL('../../', import.meta.url).pathname;
const program = buildProgram(() => {});

/** Every command, subcommands too, by what a user types: `cache info`. */
const commands: readonly (readonly [string, Command])[] = program.commands.flatMap((command) => [
  [command.name(), command] as const,
  ...command.commands.map((child) => [`${command.name()} ${child.name()}`, child] as const),
]);

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text;
}

/** What is wrong with a command line that begins with `gate`: a command or an option that does not exist. */
function mistakes(line: string): string[] {
  const [, first = '', ...rest] = line.replace(/\s[|>&;].*$/, '').split(/\s+/);
  if (first === '' || first === 'COMMAND' || first.startsWith('-')) return [];
  const command = program.commands.find((candidate) => candidate.name() === first);
  if (command === undefined) return [`there is no command ${first}`];
  const known = new Set(command.options.flatMap((option) => [option.long, option.short]));
  return rest
    .map((word) => word.replace(/[`.,)\]]+$/, '').split('=', 1)[0] ?? '')
    .filter((word) => /^--?[A-Za-z]/.test(word) && word !== '--help' && !known.has(word))
    .map((word) => `gate ${first} has no ${word}`);
}

describe('--help', () => {
  it.each(commands)('of %s has a description and says nothing twice', (_name, command) => {
    const help = helpOf(command);
    expect(command.description()).not.toBe('');
    expect(help).not.toMatch(/\(default: (?:false|\[\])\)/);
    for (const option of command.options) expect(option.description, option.flags).not.toBe('');
  });

  it.each(commands.filter(([name]) => !name.startsWith('cache')))('of %s has examples that exist', (name, command) => {
    const examples = [...helpOf(command).matchAll(/^ +(?:source <\()?(gate .*)$/gm)].map(([, line = '']) => line);
    expect(examples.length).toBeGreaterThan(0);
    expect(examples.flatMap(mistakes)).toEqual([]);
    expect(examples.some((line) => line.startsWith(`gate ${name}`))).toBe(true);
  });

  it('keeps a default that says something', () => {
    const check = commands.find(([name]) => name === 'check')?.[1];
    expect(check === undefined ? '' : helpOf(check).replace(/\s+/g, ' ')).toContain('default: "approval"');
  });
});

describe('the documentation', () => {
  const pages = ['README.md', ...readdirSync(`${root}docs/guide`).map((name) => `docs/guide/${name}`)];

  it.each(pages.filter((page) => page.endsWith('.md')))('%s names commands and options that exist', (page) => {
    const text = readFileSync(root + page, 'utf8');
    const fenced = [...text.matchAll(/^```[^\n]*\n([\s\S]*?)^```/gm)].map(([, block = '']) =>
      block.replace(/\\\n/g, ' '),
    );
    const lines = [
      ...fenced.flatMap((block) =>
        [...block.matchAll(/^(?:\$ |.*&& )?(gate [a-z].*)$/gm)].map(([, line = '']) => line),
      ),
      ...[...text.matchAll(/`(gate [a-z][^`\n]*)`/g)].map(([, line = '']) => line),
    ].filter((line) => !line.startsWith('gate /'));
    expect(lines.flatMap(mistakes)).toEqual([]);
  });

  it('would be found wrong', () => {
    expect(mistakes('gate chek')).toEqual(['there is no command chek']);
    expect(mistakes('gate check --snapshots x.yaml -o json=a -C ..')).toEqual(['gate check has no --snapshots']);
  });
});

describe('gate completion', () => {
  const script = (shell: string) =>
    execFileSync(process.execPath, [`${root}src/cli/bin.ts`, 'completion', shell], { encoding: 'utf8' });
  const bash = script('bash');

  /** What bash offers at the end of a line. */
  function offers(line: string): string[] {
    const words = line.split(' ');
    const ask = `${bash}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _gate; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const answer = execFileSync('bash', ['-c', ask], { encoding: 'utf8', cwd: `${root}docs` });
    return answer.split('\n').filter((word) => word !== '');
  }

  it('offers commands, options, values and rules in bash', () => {
    expect(offers('gate ch')).toEqual(['check']);
    expect(offers('gate check --fail')).toEqual(['--fail-on']);
    expect(offers('gate check --fail-on ')).toEqual(['approval', 'block', 'never']);
    expect(offers('gate cache i')).toEqual(['info']);
    expect(offers('gate completion ')).toContain('fish');
    expect(offers('gate explain pdb-blocks')).toEqual(['pdb-blocks-all-evictions']);
    expect(offers('gate check --snapshot gui')).toEqual(['guide']);
  });

  it('knows every command and every option in each shell', () => {
    const fish = script('fish');
    for (const command of program.commands) {
      expect(fish).toContain(`-a ${command.name()} `);
      for (const { long } of command.options) {
        expect(bash).toContain(long);
        expect(fish).toContain(` -l ${long?.slice(2)}`);
      }
    }
    expect(script('zsh')).toContain('bashcompinit');
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCommands } from '../../src/forge/commands.ts';

const id = '3f2a9c1b7d04';

describe('a command', () => {
  it('approves a finding, with a reason', () => {
    expect(parseCommands(`/gate approve ${id} we drain the node first`)).toEqual([
      { kind: 'approve', line: 1, finding: id, reason: 'we drain the node first' },
    ]);
  });

  it('waives a finding until a day', () => {
    expect(
      parseCommands(`Looked at it.\n\n  /gate  waive ${id}\tuntil 2028-02-29  moved to the new pool  \r\nThanks`),
    ).toEqual([{ kind: 'waive', line: 3, finding: id, until: '2028-02-29', reason: 'moved to the new pool' }]);
  });

  it('may come several times, and the ones that are wrong say how it is done', () => {
    const commands = parseCommands(
      [
        `/gate approve ${id} fine`,
        '/gate aprove x y',
        '/gate',
        '/gate approve',
        '/gate approve not-an-id because',
        `/gate approve ${id}`,
        `/gate approve ${id} ...`,
        `/gate waive ${id} because`,
        `/gate waive ${id} until 2027-02-30 because`,
        `/gate waive ${id} until tomorrow because`,
        `/gate waive ${id} until 2027-02-28`,
      ].join('\n'),
    );
    expect(commands.map((command) => (command.kind === 'invalid' ? command.problem : command.kind))).toEqual([
      'approve',
      '"aprove" is no command; did you mean "approve"?',
      'a command is missing',
      'the finding is missing',
      '"not-an-id" is no id of a finding',
      'the reason is missing',
      'the reason is missing',
      '"until" and a date are missing',
      '"2027-02-30" is no date',
      '"tomorrow" is no date',
      'the reason is missing',
    ]);
    expect(commands[1]).toMatchObject({ line: 2, usage: '/gate approve FINDING REASON' });
  });

  it.each([
    ['a quotation', `> /gate approve ${id} fine`],
    ['a quotation that goes on', `> they said\nand\n/gate approve ${id} fine`],
    ['code', `\`/gate approve ${id} fine\``],
    ['indented code', `    /gate approve ${id} fine`],
    ['a fence', `\`\`\`\n/gate approve ${id} fine\n\`\`\``],
    ['a fence of tildes', `~~~sh\n/gate approve ${id} fine\n~~~`],
    ['a longer fence', `\`\`\`\`\n\`\`\`\n/gate approve ${id} fine\n\`\`\`\``],
    ['a fence that does not end', `\`\`\`\n/gate approve ${id} fine`],
    ['an HTML comment', `<!-- template\n/gate approve ${id} fine\n-->`],
    ['an HTML comment that does not end', `text <!--\n/gate approve ${id} fine`],
    ['the line of an HTML comment', `/gate approve ${id} fine <!-- not really -->`],
    ['a sentence', `You could say /gate approve ${id} fine`],
    ['another word', `/gateway approve ${id} fine`],
    ['a list', `- /gate approve ${id} fine`],
  ])('in %s is none', (_, body) => {
    expect(parseCommands(body)).toEqual([]);
  });

  it.each([
    ['a fence', `\`\`\`\nx\n\`\`\`\n/gate approve ${id} fine`],
    ['a quotation', `> they said\n\n/gate approve ${id} fine`],
    ['an HTML comment', `<!-- a --> b <!--\n-->\n/gate approve ${id} fine`],
  ])('behind %s counts', (_, body) => {
    expect(parseCommands(body)).toMatchObject([{ kind: 'approve' }]);
  });
});

describe('hostile comments', () => {
  it('never throw, and every command is on its line', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.string({ unit: 'binary' }),
            fc.constantFrom('/gate approve', '```', '<!--', '-->', `/gate waive ${id} until`),
          ),
        ),
        (lines) => {
          for (const command of parseCommands(lines.join('\n'))) expect(command.line).toBeGreaterThan(0);
        },
      ),
    );
  });

  it('are read in no time', () => {
    const start = performance.now();
    parseCommands('<!---->'.repeat(9_000));
    parseCommands(`/gate ${' '.repeat(65_000)}x`);
    expect(parseCommands(`/gate approve ${id} x\n`.repeat(3_000))).toHaveLength(50);
    expect(performance.now() - start).toBeLessThan(500);
  });
});

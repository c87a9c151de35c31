import { describe, expect, it } from 'vitest';
import { mayDecide, type Decision } from '../../src/forge/authority.ts';
import { ownerRule, parseCodeowners } from '../../src/forge/codeowners.ts';
import { addPull, type Token } from '../kit/github/state.ts';
import { forgeOf, github, operations } from './kit.ts';

const codeowners = parseCodeowners('/envs/prod/ @acme/platform\n/envs/stage/ @Mia\n/docs/ docs@example.org\n/free/\n');

async function decide(
  changes: Partial<Decision>,
  token: Partial<Token> = { permissions: { 'pull-requests': 'read', members: 'read' } },
) {
  const server = await github();
  addPull(server.state, { number: 7 });
  for (const [login, role] of [
    ['mia', 'maintain'],
    ['tom', 'write'],
    ['eve', 'triage'],
    ['dev', 'admin'],
    ['helper[bot]', 'admin'],
  ] as const)
    server.state.collaborators.set(login, role);
  server.state.teams.set('acme/platform', ['tom']);
  const forge = await forgeOf(server, token);
  const authority = await mayDecide(forge, {
    login: 'mia',
    edited: false,
    pullRequest: await forge.pullRequest(7),
    paths: ['README.md'],
    ownersOf: (path) => ownerRule(codeowners, path)?.owners ?? [],
    ...changes,
  });
  return { authority, server };
}

describe('who may decide', () => {
  it.each([
    [{}],
    [{ paths: ['envs/stage/values.yaml', 'free/x'] }],
    [{ login: 'tom', paths: ['envs/prod/values.yaml'] }],
    [{ login: 'tom', paths: [] }],
  ] as const)('%j may', async (changes) => {
    expect((await decide(changes)).authority).toEqual({ allowed: true });
  });

  it.each([
    [{ edited: true }, 'was edited'],
    [{ login: 'dev' }, 'author of the pull request'],
    [{ login: 'DEV' }, 'author of the pull request'],
    [{ login: 'eve' }, 'no write permission (triage)'],
    [{ login: 'stranger' }, 'no write permission (none)'],
    [{ login: 'helper[bot]' }, 'a bot'],
    [
      { login: 'mia', paths: ['envs/prod/values.yaml'] },
      'does not own envs/prod/values.yaml (its owners are @acme/platform)',
    ],
    [{ login: 'tom', paths: ['envs/prod/values.yaml', 'envs/stage/x'] }, 'does not own envs/stage/x'],
    [{ paths: ['docs/a.md'] }, 'cannot be told'],
  ] as const)('%j may not: %s', async (changes, reason) => {
    const { authority } = await decide(changes);
    expect(authority).toEqual({ allowed: false, reason: expect.stringContaining(reason) });
  });

  it('a token that may not ask for the team allows nothing, and says what it lacks', async () => {
    const { authority } = await decide({ login: 'tom', paths: ['envs/prod/values.yaml'] }, {});
    expect(authority).toEqual({ allowed: false, reason: expect.stringContaining('members: read') });
  });

  it('asks for a team once', async () => {
    const paths = ['envs/prod/a.yaml', 'envs/prod/b.yaml', 'envs/prod/c.yaml'];
    const { server } = await decide({ login: 'tom', paths });
    expect(operations(server).filter((name) => name.startsWith('teams/'))).toHaveLength(1);
  });
});

import { describe, expect, it } from 'vitest';
import { findingId } from '../../src/core/finding-id.ts';
import type { Finding } from '../../src/core/model.ts';
import { readDecisions } from '../../src/forge/decisions.ts';
import { withCommentMarker } from '../../src/forge/marker.ts';
import { approvable, digest } from '../kit/approval.ts';
import { addPull, headSha, nextId, now } from '../kit/github/state.ts';
import { forgeOf, github, operations } from './kit.ts';

const one = approvable();
const two = approvable({ fingerprint: `012345${'e'.repeat(10)}`, objectDigest: digest('c') });
const id = findingId(one) ?? '';

interface Said {
  readonly user: string;
  readonly body: string;
  readonly edited?: true;
}

async function decide(
  said: readonly Said[],
  {
    codeowners,
    base = {},
    findings = [one, two],
    paths = ['envs/prod/values.yaml'],
  }: {
    codeowners?: string;
    base?: Readonly<Record<string, string>>;
    findings?: readonly Finding[];
    paths?: readonly string[];
  } = {},
) {
  const server = await github();
  const { state } = server;
  addPull(state, { number: 7 });
  for (const login of ['mia', 'tom', 'dev']) state.collaborators.set(login, 'write');
  state.collaborators.set('eve', 'read');
  state.teams.set('acme/platform', ['tom']);
  if (codeowners !== undefined) state.files.set('main:CODEOWNERS', codeowners);
  for (const { user, body, edited } of said) {
    const createdAt = now(state);
    state.comments.push({
      id: nextId(state),
      pull: 7,
      user,
      body,
      createdAt,
      updatedAt: edited === true ? '2026-11-21T10:00:00Z' : createdAt,
    });
  }
  const forge = await forgeOf(server, { permissions: { 'pull-requests': 'read', members: 'read', contents: 'read' } });
  const decisions = await readDecisions(forge, {
    number: 7,
    repository: 'acme/shop-gitops',
    findings,
    affected: () => paths,
    readBase: (path) => base[path],
  });
  return { ...decisions, server };
}

const approve = (user: string, of = id): Said => ({
  user,
  body: `Looked at it.\n\n/gate approve ${of} load was measured`,
});

describe('readDecisions', () => {
  it('makes a record of a comment by somebody who may', async () => {
    const { approvals, refused, author } = await decide([
      approve('mia'),
      { user: 'tom', body: `/gate waive ${findingId(two)} until 2026-11-30 incident 4711` },
    ]);
    expect(author).toBe('dev');
    expect(refused).toEqual([]);
    const { fingerprint, ruleId, resource, target, severity } = one;
    expect(approvals).toEqual([
      {
        kind: 'approve',
        finding: fingerprint,
        ruleId,
        resource,
        target,
        digest: one.objectDigest,
        severity,
        by: 'mia',
        reason: 'load was measured',
        at: expect.stringMatching(/^2026-11-20T/),
        url: expect.stringContaining('#issuecomment-'),
      },
      expect.objectContaining({ kind: 'waive', finding: two.fingerprint, by: 'tom', expires: '2026-11-30' }),
    ]);
  });

  it.each<[string, Said, string]>([
    ['the author', approve('dev'), 'the author of the pull request cannot decide'],
    ['somebody without write permission', approve('eve'), 'no write permission (read)'],
    ['an edited comment', { ...approve('mia'), edited: true }, 'was edited'],
    ['another state', approve('mia', findingId({ ...one, objectDigest: digest('b') })), 'approved for another state'],
    ['no state', approve('mia', one.fingerprint), `the whole id is ${id} now`],
    ['a short id', approve('mia', one.fingerprint.slice(0, 8)), 'the whole id is'],
    ['an id of two findings', approve('mia', '012345'), '2 findings begin with this id'],
    ['an unknown finding', approve('mia', 'f'.repeat(56)), 'no finding of this run'],
    ['a mistake', { user: 'mia', body: '/gate aprove abc' }, 'did you mean "approve"?; write `/gate approve'],
  ])('refuses %s with a sentence', async (_what, said, why) => {
    const { approvals, refused } = await decide([said]);
    expect(approvals).toEqual([]);
    expect(refused).toMatchObject([{ by: said.user, inForce: false, why: expect.stringContaining(why) }]);
  });

  it('two findings of one rule at one place have one id', async () => {
    const { approvals } = await decide([approve('mia')], { findings: [one, { ...one, message: 'Another.' }] });
    expect(approvals).toHaveLength(1);
  });

  it('a finding whose state is not known cannot be approved', async () => {
    const { objectDigest: _none, ...unknown } = one;
    const { refused } = await decide([approve('mia')], { findings: [unknown] });
    expect(refused).toMatchObject([{ why: expect.stringContaining('did not render') }]);
  });

  it('asks owners of CODEOWNERS; where it names nobody, of the catalog on the base side', async () => {
    const base = { 'envs/catalog-info.yaml': 'kind: Component\nspec: {owner: platform}\n' };
    const who = async (user: string, options: Parameters<typeof decide>[1]) =>
      (await decide([approve(user)], options)).approvals.length === 1;
    expect(await who('mia', { codeowners: '/envs/ @acme/platform\n' })).toBe(false);
    expect(await who('tom', { codeowners: '/envs/ @acme/platform\n' })).toBe(true);
    expect(await who('mia', { codeowners: '/other/ @acme/platform\n', base })).toBe(false);
    expect(await who('tom', { codeowners: '/other/ @acme/platform\n', base })).toBe(true);
    // The line says that nobody owns it, and CODEOWNERS is nearer to the forge than the catalog.
    expect(await who('mia', { codeowners: '/envs/\n', base })).toBe(true);
    expect(await who('mia', { codeowners: '/envs/ @mia\n', base })).toBe(true);
    expect(await who('mia', { base: { 'catalog-info.yaml': 'spec: [' } })).toBe(false);
    expect(await who('mia', { base, paths: ['docs/x.md'] })).toBe(true);
  });

  it('takes no words out of its own comment, and none that are quoted', async () => {
    const own = withCommentMarker('production', { headSha, order: [1, 1] }, `## block\n\n/gate approve ${id} yes`, 'x');
    const { approvals, refused } = await decide([
      { user: 'mia', body: own },
      { user: 'mia', body: `> /gate approve ${id} yes` },
      { user: 'mia', body: 'Nothing to see.' },
    ]);
    expect([...approvals, ...refused]).toEqual([]);
  });

  it('asks once per person, and no more than it needs', async () => {
    const { server } = await decide([approve('mia'), approve('mia', findingId(two)), { user: 'zoe', body: 'hello' }]);
    const sent = operations(server);
    expect(sent.filter((operation) => operation.includes('permission'))).toHaveLength(1);
    const quiet = operations((await decide([{ user: 'zoe', body: 'hello' }])).server);
    expect(quiet).toHaveLength(2);
  });
});

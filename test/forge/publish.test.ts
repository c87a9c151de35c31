import { describe, expect, it } from 'vitest';
import type { Publication } from '../../src/core/forge.ts';
import { createNoForge } from '../../src/forge/none.ts';
import { publish } from '../../src/forge/publish.ts';
import { addPull, headSha, type Area, type Level } from '../kit/github/state.ts';
import { check, forgeOf, github, sticky } from './kit.ts';

const levels = ['low', 'medium', 'high', 'critical'].map((level) => `risk: ${level}`);
const publication: Publication = {
  pullRequest: 7,
  comment: sticky({ bodies: ['## block'] }),
  check: check({ conclusion: 'failure', title: 'block' }),
  labels: { add: { name: 'risk: high', color: 'd93f0b' }, remove: levels },
  review: {
    instance: 'production',
    headSha,
    comments: [{ fingerprint: 'f', path: 'envs/prod/values.yaml', line: 3, body: 'memory' }],
  },
};

describe('a run', () => {
  it('writes check, comment, label and review', async () => {
    const server = await github();
    const pull = addPull(server.state, { number: 7, labels: ['risk: low', 'team: shop'] });
    const forge = await forgeOf(server);
    const published = await publish(forge, publication);
    expect(published.degradations).toEqual([]);
    expect(server.state.checkRuns).toHaveLength(1);
    expect(server.state.comments).toHaveLength(1);
    expect(server.state.reviewComments).toHaveLength(1);
    expect(pull.labels).toEqual(['team: shop', 'risk: high']);
    expect(server.state.labels.get('risk: high')).toBe('d93f0b');
  });

  it('takes at most 12 requests and no time of its own without inline comments', async () => {
    const server = await github();
    addPull(server.state, { number: 7, labels: ['risk: low'] });
    server.state.files.set('main:.github/CODEOWNERS', '* @mia');
    const { review: _, ...rest } = publication;
    const counts: number[] = [];
    // The first run creates comment, check and label; the others find them.
    for (const body of ['## block', '## pass', '## pass']) {
      const forge = await forgeOf(server);
      const start = Date.now();
      await forge.pullRequest(7);
      await forge.comments(7);
      await forge.codeowners('main');
      const published = await publish(forge, { ...rest, comment: sticky({ bodies: [body] }) });
      expect(published.degradations).toEqual([]);
      expect(Date.now() - start).toBeLessThan(2_500);
      counts.push(forge.requests);
    }
    expect(server.log).toHaveLength(counts.reduce((sum, count) => sum + count, 0));
    expect(counts).toEqual([12, 8, 7]);
  });

  it('without a pull request writes the check only', async () => {
    const server = await github();
    const { pullRequest: _, ...rest } = publication;
    await publish(await forgeOf(server), rest);
    expect(server.state.checkRuns).toHaveLength(1);
    expect(server.state.comments).toEqual([]);
  });
});

describe('a token that may not do everything', () => {
  const everything: Partial<Record<Area, Level>> = {
    contents: 'read',
    'pull-requests': 'write',
    checks: 'write',
    statuses: 'write',
  };

  it.each([
    [{ checks: 'none' }, [['check', 'status']]],
    [{ checks: 'none', statuses: 'none' }, [['check', 'job summary']]],
    [
      { 'pull-requests': 'read' },
      [
        ['comment', 'check'],
        ['labels', 'nothing'],
        ['review', 'check'],
      ],
    ],
    [
      { 'pull-requests': 'read', checks: 'read', statuses: 'read' },
      [
        ['check', 'job summary'],
        ['comment', 'job summary'],
        ['labels', 'nothing'],
        ['review', 'job summary'],
      ],
    ],
  ] as const)('%j', async (less, expected) => {
    const server = await github();
    addPull(server.state, { number: 7 });
    const forge = await forgeOf(server, { permissions: { ...everything, ...less } });
    const { degradations, status } = await publish(forge, publication);
    expect(degradations.map(({ wanted, instead }) => [wanted, instead])).toEqual(expected);
    expect(degradations.every(({ problem }) => problem.next?.includes(': write`') === true)).toBe(true);
    if ('checks' in less && !('statuses' in less)) {
      expect(status?.outcome).toBe('created');
      expect(server.state.statuses).toMatchObject([
        { state: 'failure', context: 'gate / production', description: 'block' },
      ]);
    }
  });

  it('an adapter that throws is a degradation too', async () => {
    const forge = { ...createNoForge(() => undefined), writeCheck: () => Promise.reject(new Error('slip')) };
    const { degradations } = await publish(forge, publication);
    expect(degradations).toMatchObject([{ wanted: 'check', instead: 'status', problem: { code: 'forge.crash' } }]);
  });
});

describe('labels', () => {
  it('cost one look when they are right already', async () => {
    const server = await github();
    addPull(server.state, { number: 7, labels: ['risk: high'] });
    const forge = await forgeOf(server);
    expect((await forge.writeLabels(7, publication.labels!)).outcome).toBe('unchanged');
    expect(forge.requests).toBe(1);
  });

  it('a name with separators of a URL is removed', async () => {
    const server = await github();
    const pull = addPull(server.state, { number: 7, labels: ['risk/eu 1?: low#'] });
    const forge = await forgeOf(server);
    await forge.writeLabels(7, { add: { name: 'risk/eu 1?: high#', color: 'd93f0b' }, remove: ['risk/eu 1?: low#'] });
    expect(pull.labels).toEqual(['risk/eu 1?: high#']);
  });

  it('keep the colour that somebody gave them', async () => {
    const server = await github();
    addPull(server.state, { number: 7 });
    server.state.labels.set('risk: high', '123456');
    await (await forgeOf(server)).writeLabels(7, publication.labels!);
    expect(server.state.labels.get('risk: high')).toBe('123456');
  });
});

it('without a forge says what it would do', async () => {
  const printed: string[] = [];
  const { degradations } = await publish(
    createNoForge((text) => printed.push(text)),
    publication,
  );
  expect(degradations).toEqual([]);
  expect(printed).toEqual([
    'Would set the check "gate / production" to failure: block (0 annotations)',
    'Would leave this comment for production on pull request #7:\n\n## block',
    'Would label pull request #7 "risk: high"',
    'Would write on lines of pull request #7:\n\nenvs/prod/values.yaml:3\nmemory',
  ]);
});

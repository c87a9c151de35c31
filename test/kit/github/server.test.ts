import { describe, expect, it } from 'vitest';
import { addPull } from './state.ts';
import { startGitHub, type GitHub } from './server.ts';

async function request(github: GitHub, token: string, method: string, path: string, body?: unknown): Promise<Response> {
  return fetch(`${github.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

const repository = '/repos/acme/shop-gitops';

describe('the GitHub of the tests', () => {
  it.each([
    ['GET', `${repository}/pull/7`, undefined, 'no such operation'],
    ['GET', `${repository}/pulls/seven`, undefined, 'pull_number: / must be integer'],
    ['GET', `${repository}/issues/7/comments?per_page=500`, undefined, 'per_page 500'],
    ['GET', `${repository}/issues/7/comments?perpage=5`, undefined, 'query parameter perpage is unknown'],
    ['POST', `${repository}/issues/7/comments`, { body: 5 }, '/body must be string'],
    ['POST', `${repository}/issues/7/comments`, undefined, 'the body is missing'],
    ['POST', `${repository}/issues/7/comments`, { body: 'x', colour: 'red' }, 'body property colour is unknown'],
    [
      'POST',
      `${repository}/check-runs`,
      { name: 'x', head_sha: 'y', status: 'completed', conclusion: 'fine' },
      '/conclusion',
    ],
    [
      'POST',
      `${repository}/check-runs`,
      {
        name: 'x',
        head_sha: 'y',
        output: {
          title: 't',
          summary: 's',
          annotations: Array.from({ length: 51 }, () => ({
            path: 'a',
            start_line: 1,
            end_line: 1,
            annotation_level: 'notice',
            message: 'm',
          })),
        },
      },
      'must NOT have more than 50 items',
    ],
    ['GET', `${repository}/pulls/7/commits`, undefined, 'does not play this operation'],
  ])('%s %s %j fails the test', async (method, path, body, expected) => {
    const github = await startGitHub();
    addPull(github.state, { number: 7 });
    await request(github, github.token().token, method, path, body);
    expect(github.violations.join('\n')).toContain(expected);
    await expect(github.close()).rejects.toThrow(expected);
  });

  it('answers in pages with links, and 401 to a token that it does not know', async () => {
    const github = await startGitHub();
    addPull(github.state, { number: 7 });
    for (let id = 0; id < 5; id += 1)
      github.state.comments.push({
        id,
        pull: 7,
        user: 'mia',
        body: `${id}`,
        createdAt: '2026-11-20T10:00:00Z',
        updatedAt: '2026-11-20T10:00:00Z',
      });
    const { token } = github.token();
    const second = await request(github, token, 'GET', `${repository}/issues/7/comments?per_page=2&page=2`);
    expect(((await second.json()) as { body: string }[]).map((comment) => comment.body)).toEqual(['2', '3']);
    expect(second.headers.get('link')).toMatch(/page=1>; rel="prev".*page=3>; rel="next".*page=3>; rel="last"/);
    expect((await request(github, 'ghs_other', 'GET', `${repository}/pulls/7`)).status).toBe(401);
    expect((await request(github, token, 'GET', '/repos/acme/elsewhere/pulls/7')).status).toBe(404);
    await github.close();
  });
});

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readEvent } from '../../src/action/event.ts';
import { tempDir } from '../kit/tmp.ts';

// Every field of a payload that is looked at is a text or a map of texts.
type Payload = string & { readonly [key: string]: Payload };

/** GitHub's own examples of payloads. */
const examples = JSON.parse(
  readFileSync(
    new URL('../../node_modules/@octokit/webhooks-examples/api.github.com/index.json', import.meta.url),
    'utf8',
  ),
) as { name: string; examples: Record<string, Payload>[] }[];

const of = (name: string) => examples.find((entry) => entry.name === name)?.examples ?? [];
const folder = tempDir('event');

function read(event: string, payload: unknown, more: Record<string, string> = {}, base?: string) {
  const file = join(folder, 'event.json');
  writeFileSync(file, JSON.stringify(payload));
  return readEvent({ GITHUB_EVENT_NAME: event, GITHUB_EVENT_PATH: file, ...more }, base);
}

const sha = (digit: string) => digit.repeat(40);

describe('the event', () => {
  it.each(of('pull_request').map((payload) => [String(payload['action']), payload]))(
    'pull_request %s',
    (_, payload) => {
      expect(read('pull_request', payload)).toEqual({
        pullRequest: payload['number'],
        decidedIn: payload['number'],
        headSha: payload['pull_request']?.['head']?.['sha'],
        baseBranch: payload['pull_request']?.['base']?.['ref'],
      });
    },
  );

  it.each(of('merge_group').map((payload) => [String(payload['action']), payload]))('merge_group %s', (_, payload) => {
    const group = payload['merge_group'];
    expect(read('merge_group', payload)).toEqual({
      headSha: group?.['head_sha'],
      base: group?.['base_sha'],
      baseBranch: 'main',
      decidedIn: Number(/pr-(\d+)/.exec(group?.['head_ref'] ?? '')?.[1]),
    });
  });

  it.each([
    ['refs/heads/gh-readonly-queue/release/2.x/pr-31-' + sha('b'), 31],
    ['refs/heads/gh-readonly-queue/main/pr-1-x/pr-31-' + sha('b'), 31],
    ['refs/heads/feature/gh-readonly-queue/main/pr-31-' + sha('b'), undefined],
    ['refs/heads/main', undefined],
  ])('merge_group of %s: decided in pull request %s', (ref, number) => {
    const group = { head_sha: sha('a'), base_sha: sha('b'), base_ref: 'refs/heads/main', head_ref: ref };
    expect(read('merge_group', { merge_group: group })?.decidedIn).toBe(number);
  });

  it.each(of('push').map((payload, index) => [`${index} ${payload['ref']}`, payload]))('push %s', (_, payload) => {
    if (String(payload['deleted']) === 'true') {
      expect(read('push', payload)).toBeUndefined();
    } else if (String(payload['ref']).startsWith('refs/tags/')) {
      expect(() => read('push', payload)).toThrow('is no branch');
    } else if (/^0+$/.test(String(payload['before']))) {
      expect(() => read('push', payload)).toThrow('the first push of the default branch');
    } else {
      expect(read('push', payload)).toMatchObject({ headSha: payload['after'] });
    }
  });

  it('a new branch is compared with the default branch, and the first push of that one with nothing', () => {
    const repository = { default_branch: 'main' };
    const payload = { before: sha('0'), after: sha('a'), repository };
    expect(read('push', { ...payload, ref: 'refs/heads/change' })).toEqual({ headSha: sha('a') });
    expect(() => read('push', { ...payload, ref: 'refs/heads/main' })).toThrow('has nothing to be compared with');
    expect(read('push', { ...payload, ref: 'refs/heads/main' }, {}, 'v1')).toEqual({ headSha: sha('a'), base: 'v1' });
  });

  it('a push to another branch than the default one goes to that branch', () => {
    const payload = { ref: 'refs/heads/release/1', before: sha('b'), after: sha('a'), repository: {} };
    expect(read('push', payload)).toEqual({ headSha: sha('a'), base: sha('b'), baseBranch: 'release/1' });
  });

  it.each(
    examples
      .map(({ name }) => name)
      .filter((name) => !/^(?:pull_request|merge_group|push|workflow_dispatch)$/.test(name)),
  )('%s is refused', (name) => {
    expect(() => read(name, of(name)[0])).toThrow(/event|pull_request_target|issue_comment/);
  });

  it.each([
    ['pull_request', { pull_request: { number: 1, head: { sha: '--upload-pack=x' }, base: { ref: 'main' } } }],
    ['pull_request', { pull_request: { number: '1', head: { sha: sha('a') }, base: { ref: 'main' } } }],
    ['merge_group', { merge_group: { head_sha: sha('a'), base_sha: '../x', base_ref: 'refs/heads/main' } }],
    ['push', { ref: 'refs/heads/main', before: 'HEAD', after: sha('a') }],
    ['push', []],
    ['push', null],
  ])('%s with other than commit ids is refused: %j', (event, payload) => {
    expect(() => read(event, payload)).toThrow(`not one of ${event}`);
  });
});

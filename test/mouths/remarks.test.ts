import { afterEach, describe, expect, it } from 'vitest';
import { checkout, commit, runAction, type ActionOptions, type Checkout } from '../kit/action.ts';
import { git } from '../kit/gate.ts';
import { startGitHub, type GitHub } from '../kit/github/server.ts';
import { addPull, push, type FileState } from '../kit/github/state.ts';
import { markdownProblems } from '../kit/markdown.ts';

const open: GitHub[] = [];
afterEach(async () => {
  // Throws when a request was one that GitHub's description does not allow.
  for (const github of open.splice(0)) await github.close();
});

const production = 'envs/production.yaml';

/** A values file with three settings that are far from each other: lines 2, 12 and 22. */
function values(level: string, minAvailable: number, image: string): string {
  const lines = Array.from({ length: 24 }, (_, index) => `# line ${index + 1}`);
  lines[1] = `level: ${level}`;
  lines[6] = 'replicas: 3';
  lines[11] = `minAvailable: ${minAvailable}`;
  lines[21] = `image: registry.example.org/shop:${image}`;
  return `${lines.join('\n')}\n`;
}
const before = { [production]: values('info', 1, '1.4.0') };
const after = { [production]: values('debug', 3, '1.4.1') };

/** What GitHub says of a changed file: hunks without file headers. */
function changed(folder: string, base: string, head: string, filename: string): FileState {
  const diff = git(folder, 'diff', base, head, '--', filename);
  return { filename, status: 'modified', patch: diff.slice(diff.indexOf('@@')) };
}

async function pull(change: Readonly<Record<string, string>> = after) {
  const github = await startGitHub({});
  open.push(github);
  const clone = checkout(change, before);
  const files = [changed(clone.folder, clone.base, clone.head, production)];
  const state = addPull(github.state, { number: 7, headSha: clone.head, baseSha: clone.base, files });
  return { github, clone, state };
}

function run(github: GitHub, { folder, base, head }: Checkout, more: Partial<ActionOptions> = {}) {
  const payload = { number: 7, pull_request: { number: 7, head: { sha: head }, base: { sha: base, ref: 'main' } } };
  return runAction({
    folder,
    event: 'pull_request',
    payload,
    github,
    environment: { GITHUB_BASE_REF: 'main' },
    ...more,
  });
}

const said = (github: GitHub) => github.state.reviewComments.map(({ path, line }) => [path, line]);

describe('remarks on lines', () => {
  it('stand on the one of three changed places that causes the finding, and are made once', async () => {
    const { github, clone, state } = await pull();
    expect((state.files[0]?.patch ?? '').match(/^@@/gm)).toHaveLength(3);
    const first = await run(github, clone);
    expect(first.code).toBe(1);
    expect(said(github)).toEqual([[production, 12]]);
    const { body, commit: at } = github.state.reviewComments[0]!;
    expect(at).toBe(clone.head);
    expect(body).toContain('PodDisruptionBudget shop/shop');
    expect(body).toContain(`Caused by: \`${production}:12\``);
    expect(markdownProblems(body.replace(/^<!--.*-->\n/, ''), [])).toEqual([]);

    await run(github, clone, { runNumber: 8 });
    expect(said(github)).toHaveLength(1);

    // The next push moves the line; the thread is there, whatever became of it.
    const head = commit(clone.folder, { [production]: `# moved\n${after[production]}` });
    push(state, head);
    state.files = [changed(clone.folder, clone.base, head, production)];
    github.state.reviewComments[0]!.resolved = true;
    const next = await run(github, { ...clone, head }, { runNumber: 9 });
    expect(next.code).toBe(1);
    expect(github.state.comments[0]?.body).toContain(`${production}:13`);
    expect(said(github)).toEqual([[production, 12]]);
  });

  it.each([{ inline: 'false' }, { comment: 'false' }])('%j: none, and nothing is asked for them', async (inputs) => {
    const { github, clone } = await pull();
    const ended = await run(github, clone, { inputs });
    expect(ended.code).toBe(1);
    expect(said(github)).toEqual([]);
    expect(github.log.filter(({ path }) => /\/(?:files|reviews|pulls\/7\/comments)\b/.test(path))).toEqual([]);
    expect(github.state.comments.map(({ body }) => body).join('')).not.toContain('Caused by');
  });

  it('no cause, no remark: two changed places that do it only together are not blamed', async () => {
    const together = { [production]: values('info', 2, '1.4.0').replace('replicas: 3', 'replicas: 2') };
    const { github, clone } = await pull(together);
    const ended = await run(github, clone);
    expect(ended.code).toBe(1);
    expect(github.state.comments[0]?.body).toContain('PodDisruptionBudget shop/shop');
    expect(github.state.reviewComments.filter(({ body }) => body.includes('PodDisruptionBudget'))).toEqual([]);
  });

  it('none where the diff of the pull request does not show the file', async () => {
    const { github, clone, state } = await pull();
    state.files = [{ filename: production, status: 'modified' }];
    const ended = await run(github, clone);
    expect(ended.code).toBe(1);
    expect(said(github)).toEqual([]);
    expect(github.state.comments).toHaveLength(1);
  });
});

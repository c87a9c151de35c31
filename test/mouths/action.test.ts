import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Ajv } from 'ajv';
import { gateReportSchema } from '../../src/report/schema.ts';
import { checkout, commit, runAction, type ActionOptions, type Checkout } from '../kit/action.ts';
import { writeFiles } from '../kit/gate.ts';
import { startGitHub, type GitHub } from '../kit/github/server.ts';
import { addPull, push } from '../kit/github/state.ts';
import { markdownProblems } from '../kit/markdown.ts';

const open: GitHub[] = [];
afterEach(async () => {
  // Throws when a request was one that GitHub's description does not allow.
  for (const github of open.splice(0)) await github.close();
});

async function startServer(options: Parameters<typeof startGitHub>[0] = {}): Promise<GitHub> {
  const github = await startGitHub(options);
  open.push(github);
  return github;
}

const risky = { 'envs/production.yaml': 'replicas: 3\nminAvailable: 3\n' };

/** Event payload of a pull request, cut to what other tests of GitHub's payloads show to be there. */
function pullPayload(head: string, base: string, number = 7): unknown {
  return {
    action: 'synchronize',
    number,
    pull_request: { number, head: { sha: head, ref: 'change' }, base: { sha: base, ref: 'main' } },
    repository: { default_branch: 'main', full_name: 'acme/shop-gitops' },
  };
}

/** A pull request on the server and in a clone. */
async function pull(change: Readonly<Record<string, string>>, base: Readonly<Record<string, string>> = {}) {
  const github = await startServer();
  const clone = checkout(change, base);
  const state = addPull(github.state, { number: 7, headSha: clone.head, baseSha: clone.base });
  return { github, clone, state };
}

function onPull(github: GitHub, clone: Checkout, more: Partial<ActionOptions> = {}): ActionOptions {
  return {
    folder: clone.folder,
    event: 'pull_request',
    payload: pullPayload(clone.head, clone.base),
    github,
    environment: { GITHUB_BASE_REF: 'main' },
    ...more,
  };
}

const conclusions = (github: GitHub) =>
  Object.fromEntries(github.state.checkRuns.map((run) => [run.name, run.conclusion]));

describe('a pull request', () => {
  it('gets a comment, a check per environment, outputs, report files and a summary; the exit code is the verdict', async () => {
    const { github, clone } = await pull(risky);
    const ended = await runAction(onPull(github, clone, { inputs: { labels: 'true' } }));

    expect(ended.log).toContain('::error::approval, risk');
    expect(ended.code).toBe(1);
    expect(conclusions(github)).toEqual({ 'gate / production': 'failure', 'gate / staging': 'success' });
    expect(github.state.checkRuns.map((run) => run.headSha)).toEqual([clone.head, clone.head]);

    const [comment] = github.state.comments;
    expect(github.state.comments).toHaveLength(1);
    expect(comment?.body).toContain('## ✋ approval');
    expect(comment?.body).toContain('PodDisruptionBudget shop/shop');
    expect(comment?.body).toContain(clone.head.slice(0, 10));
    const links = ['https://github.example/acme/shop-gitops/'];
    expect(markdownProblems(comment!.body.replace(/^<!--.*-->\n/, ''), links)).toEqual([]);
    expect(github.state.pulls.get(7)?.labels).toEqual(['risk: high']);

    expect(ended.outputs).toMatchObject({
      verdict: 'approval',
      'comment-url': expect.stringContaining('#issuecomment'),
    });
    expect(Number(ended.outputs['score'])).toBeGreaterThanOrEqual(30);
    const report = JSON.parse(readFileSync(ended.outputs['report-json']!, 'utf8')) as unknown;
    expect(new Ajv({ strict: false }).validate(gateReportSchema, report)).toBe(true);
    for (const name of ['report-markdown', 'report-html']) expect(existsSync(ended.outputs[name]!)).toBe(true);
    expect(ended.summary).toContain('## ✋ approval');
    // The remark on a line asks for the diff.
    const withoutRemarks = github.log.filter(({ operation }) => operation !== 'pulls/list-files');
    expect(withoutRemarks.length).toBeLessThanOrEqual(12);
  });

  it('passes when nothing is at risk', async () => {
    const { github, clone } = await pull({ 'envs/staging.yaml': 'replicas: 3\n' });
    const ended = await runAction(onPull(github, clone));
    expect(ended.code).toBe(0);
    expect(ended.outputs['verdict']).toBe('pass');
    expect(conclusions(github)).toEqual({ 'gate / production': 'success', 'gate / staging': 'success' });
    expect(github.log.length).toBeLessThanOrEqual(12);
  });

  it('updates its comment on the next push, and leaves it alone when nothing else is to be said', async () => {
    const { github, clone, state } = await pull(risky);
    await runAction(onPull(github, clone));
    const first = github.state.comments[0]!.body;
    await runAction(onPull(github, clone, { runNumber: 8 }));
    expect(github.state.comments.map(({ body }) => body)).toEqual([first]);

    const head = commit(clone.folder, { 'envs/production.yaml': 'replicas: 3\n' });
    push(state, head);
    const ended = await runAction(onPull(github, { ...clone, head }, { runNumber: 9 }));
    expect(ended.code).toBe(0);
    expect(github.state.comments).toHaveLength(1);
    expect(github.state.comments[0]!.body).toContain('## ✅ pass');
    expect(github.state.comments[0]!.body).toContain(head.slice(0, 10));
  });

  it('says the same of the same broken change, and names files of the repository only', async () => {
    const { github, clone } = await pull({ 'envs/production.yaml': 'replicas: {{\n' });
    const first = await runAction(onPull(github, clone));
    expect(first.code).toBe(3);
    expect(github.state.comments[0]?.body).toContain('failed to parse envs/production.yaml');
    expect(github.state.comments[0]?.body).toContain('Risk at least');
    const second = await runAction(onPull(github, clone, { runNumber: 8 }));
    expect(second.log).toContain('comment: unchanged');
  });

  it('does not overwrite the comment of a newer push', async () => {
    const { github, clone, state } = await pull(risky);
    push(state, 'c'.repeat(40));
    const ended = await runAction(onPull(github, clone));
    expect(ended.code).toBe(1);
    expect(github.state.comments).toEqual([]);
    expect(ended.log).toContain('comment: not written: a newer commit or run was judged');
  });

  it('carries the name of its environment, and judges that alone', async () => {
    const { github, clone } = await pull(risky);
    const ended = await runAction(onPull(github, clone, { inputs: { environment: 'staging' } }));
    expect(ended.code).toBe(0);
    expect(conclusions(github)).toEqual({ 'gate / staging': 'success' });
    expect(github.state.comments[0]?.body).toContain('· staging');
  });

  it('comment: changes stays silent where nothing changes, and brings a comment that is there up to date', async () => {
    const { github, clone, state } = await pull({ 'README.md': 'Hello.\n' });
    const inputs = { comment: 'changes' };
    expect((await runAction(onPull(github, clone, { inputs }))).code).toBe(0);
    expect(github.state.comments).toEqual([]);
    expect(conclusions(github)).toEqual({ 'gate / production': 'success', 'gate / staging': 'success' });

    const head = commit(clone.folder, risky);
    push(state, head);
    await runAction(onPull(github, { ...clone, head }, { inputs, runNumber: 8 }));
    expect(github.state.comments[0]?.body).toContain('## ✋ approval');

    const undone = commit(clone.folder, { 'envs/production.yaml': 'replicas: 3\n' });
    push(state, undone);
    await runAction(onPull(github, { ...clone, head: undone }, { inputs, runNumber: 9 }));
    expect(github.state.comments).toHaveLength(1);
    expect(github.state.comments[0]?.body).toContain('## ✅ pass');
  });

  it('takes evidence of the cluster and the operator’s configuration from files of the workspace', async () => {
    const { github, clone } = await pull(risky);
    const folder = clone.folder;
    writeFiles(folder, {
      'evidence/eu-1.yaml': `apiVersion: gate/v1
kind: ClusterSnapshot
metadata: {name: eu-1}
takenAt: 2026-11-20T10:00:00Z
kubernetesVersion: v1.34.3
`,
      'evidence/gate.yaml': `${readFileSync(join(folder, 'gate.yaml'), 'utf8')}rules: {pdb-blocks-all-evictions: off}\n`,
    });
    const inputs = { snapshot: 'evidence/eu-1.yaml', config: 'evidence/gate.yaml' };
    const ended = await runAction(onPull(github, clone, { inputs }));
    expect(ended.log).not.toContain('::error');
    expect(ended.code).toBe(0);
    expect(github.state.comments[0]?.body).toContain('snapshot of 2026-11-20T10:00:00Z');
  });

  it('works on an Enterprise Server', async () => {
    const github = await startServer({ prefix: '/api/v3' });
    const clone = checkout(risky);
    addPull(github.state, { number: 7, headSha: clone.head, baseSha: clone.base });
    expect((await runAction(onPull(github, clone))).code).toBe(1);
    expect(github.state.comments).toHaveLength(1);
  });

  it('leaves one comment when two processes run at once', async () => {
    const github = await startServer({ delay: 50 });
    const clone = checkout(risky);
    addPull(github.state, { number: 7, headSha: clone.head, baseSha: clone.base });
    const both = await Promise.all([
      runAction(onPull(github, clone)),
      runAction(onPull(github, clone, { runNumber: 8 })),
    ]);
    expect(both.map(({ code }) => code)).toEqual([1, 1]);
    expect(github.state.comments).toHaveLength(1);
  });

  it('says a finding of 200 kB in a comment that fits and lets nothing of it act', async () => {
    const noise = '</details>```@everyone #1 <img src=x onerror=alert(1)> ::error::x '.repeat(3_200);
    const { github, clone } = await pull({
      'charts/shop/values.yaml': `replicas: 2\nminAvailable: 1\nimage: ${JSON.stringify(noise)}\n`,
      'charts/shop/templates/all.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: {{ .Values.image | quote }}}\n---\n{{ fail .Values.image }}\n`,
    });
    const ended = await runAction(onPull(github, clone));
    expect(ended.code).toBe(3);
    expect(github.state.comments).toHaveLength(1);
    const { body } = github.state.comments[0]!;
    expect(Array.from(body).length).toBeLessThanOrEqual(65_536);
    expect(markdownProblems(body.replace(/^<!--.*-->\n/, ''), ['https://github.example/acme/shop-gitops/'])).toEqual(
      [],
    );
    // Nothing of the change reaches the runner as a command.
    for (const line of ended.log.split('\n').filter((text) => text.trimStart().startsWith('::')))
      expect(line).toMatch(/^::(?:error|warning|notice)::/);
    expect(Buffer.byteLength(ended.summary)).toBeLessThanOrEqual(1024 * 1024);
  });
});

describe('permissions', () => {
  it('without any, the summary has the result, the log says which to add, and the exit code decides', async () => {
    const { github, clone } = await pull(risky);
    const token = github.token({ permissions: { contents: 'read', 'pull-requests': 'read' } });
    const ended = await runAction(onPull(github, clone, { inputs: { 'github-token': token.token } }));
    expect(ended.code).toBe(1);
    expect(github.state.comments).toEqual([]);
    expect(ended.log).toMatch(/::warning::Cannot write the check .*Add `checks: /);
    expect(ended.log).toMatch(/::warning::Cannot comment on pull request #7.*pull-requests: write/);
    expect(ended.summary).toContain('## ✋ approval');
    expect(ended.outputs['verdict']).toBe('approval');
  });

  it('without checks, commit statuses are written', async () => {
    const { github, clone } = await pull(risky);
    const token = github.token({ permissions: { contents: 'read', 'pull-requests': 'write', statuses: 'write' } });
    const ended = await runAction(onPull(github, clone, { inputs: { 'github-token': token.token } }));
    expect(ended.code).toBe(1);
    expect(github.state.statuses.map(({ context, state }) => [context, state])).toEqual([
      ['gate / staging', 'success'],
      ['gate / production', 'failure'],
    ]);
    expect(github.state.comments).toHaveLength(1);
  });

  it('without a token a good change still passes, and the log says so', async () => {
    const { github, clone } = await pull({ 'envs/staging.yaml': 'replicas: 3\n' });
    const ended = await runAction(onPull(github, clone, { inputs: { 'github-token': '' } }));
    expect(ended.code).toBe(0);
    expect(github.log).toEqual([]);
    expect(ended.log).toContain('There is no GitHub token');
  });

  it('in an archived repository the log says that', async () => {
    const { github, clone } = await pull(risky);
    github.state.archived = true;
    const ended = await runAction(onPull(github, clone));
    expect(ended.code).toBe(1);
    expect(ended.log).toContain('unarchive it');
  });
});

describe('other events', () => {
  const repository = { default_branch: 'main', full_name: 'acme/shop-gitops' };

  it('merge_group: judged against what it is merged onto, without a comment', async () => {
    const github = await startServer();
    const { folder, base, head } = checkout(risky);
    const payload = {
      action: 'checks_requested',
      merge_group: {
        head_sha: head,
        head_ref: `refs/heads/gh-readonly-queue/main/pr-7-${base}`,
        base_sha: base,
        base_ref: 'refs/heads/main',
      },
      repository,
    };
    const ended = await runAction({ folder, event: 'merge_group', payload, github });
    expect(ended.code).toBe(1);
    expect(conclusions(github)).toEqual({ 'gate / production': 'failure', 'gate / staging': 'success' });
    expect(github.state.checkRuns[0]?.headSha).toBe(head);
    expect(github.state.comments).toEqual([]);
  });

  it('push: the verdict is written for the commit that will be synced', async () => {
    const github = await startServer();
    const { folder, base, head } = checkout(risky);
    const payload = { ref: 'refs/heads/main', before: base, after: head, repository };
    const ended = await runAction({ folder, event: 'push', payload, github });
    expect(ended.code).toBe(1);
    expect(github.state.checkRuns.map((run) => run.headSha)).toEqual([head, head]);
  });

  it('push that deletes a branch: nothing to judge', async () => {
    const { folder, base } = checkout(risky);
    const payload = { ref: 'refs/heads/old', before: base, after: '0'.repeat(40), repository };
    const ended = await runAction({ folder, event: 'push', payload });
    expect(ended.code).toBe(0);
    expect(ended.log).toContain('nothing to judge');
  });

  it('workflow_dispatch: compared with the base that is named', async () => {
    const github = await startServer();
    const { folder, base, head } = checkout(risky);
    const run = (inputs: Record<string, string>) =>
      runAction({
        folder,
        event: 'workflow_dispatch',
        payload: { inputs: {}, repository },
        inputs,
        github,
        environment: { GITHUB_SHA: head, GITHUB_REF_NAME: 'main' },
      });
    expect((await run({ base })).code).toBe(1);
    const unnamed = await run({});
    expect(unnamed.code).toBe(2);
    expect(unnamed.log).toContain('Set the input `base`');
  });

  it.each(['issue_comment', 'pull_request_target', 'schedule', ''])('%s: refused in one sentence', async (event) => {
    const { folder } = checkout(risky);
    const ended = await runAction({ folder, event, payload: {} });
    expect(ended.code).toBe(2);
    expect(ended.log.trim().split('\n')).toHaveLength(1);
    expect(ended.log).toMatch(/^::error::gate: .*`on: pull_request`/);
  });

  it.each(['pull_request', 'merge_group', 'push'])('%s with the payload of another event is refused', async (event) => {
    const { folder } = checkout(risky);
    const ended = await runAction({ folder, event, payload: { zen: 'Design for failure.', hook: {} } });
    expect(ended.code).toBe(3);
    expect(ended.log).toContain(`the event payload is not one of ${event}`);
  });
});

describe('a run that comes to no judgement', () => {
  it('fails closed and says so where reviewers look', async () => {
    const { github, clone } = await pull(risky);
    const shallow = checkout({});
    const ended = await runAction(onPull(github, clone, { folder: shallow.folder }));
    expect(ended.code).toBe(2);
    expect(ended.outputs['verdict']).toBe('incomplete');
    expect(conclusions(github)).toEqual({ gate: 'failure' });
    expect(github.state.comments[0]?.body).toContain('## ❔ incomplete');
    expect(github.state.comments[0]?.body).toContain('fetch-depth: 0');
  });

  it('reports incomplete when its time is near the end', async () => {
    const { github, clone } = await pull({
      'charts/shop/templates/slow.yaml':
        '{{- range $i := until 100000 }}{{ range $j := until 20000 }}{{ end }}{{ end }}\n',
    });
    const ended = await runAction(onPull(github, clone, { inputs: { 'time-limit': '4' } }));
    expect(ended.code).toBe(3);
    expect(ended.milliseconds).toBeLessThan(6_000);
    expect(ended.outputs['verdict']).toBe('incomplete');
    expect(github.state.comments[0]?.body).toContain('the time limit of 4 s was near');
    expect(conclusions(github)).toEqual({ gate: 'failure' });
  });

  it('publishes, and fails, when a report cannot be written', async () => {
    const { github, clone } = await pull({ 'envs/staging.yaml': 'replicas: 3\n' });
    const ended = await runAction(onPull(github, clone, { inputs: { 'report-directory': 'gate.yaml/reports' } }));
    expect(ended.code).toBe(2);
    expect(ended.log).toContain('::error::gate:');
    expect(github.state.comments).toHaveLength(1);
  });

  it.each([
    [{ 'fail-on': 'high' }, 'the input fail-on is "high". Use one of approval, block, never.'],
    [{ labels: 'yes' }, 'the input labels is "yes". Use true or false.'],
    [{ targets: 'shop*' }, 'Set the input `name`'],
    [{ 'dry-run': 'true' }, 'Set `live: true` or `context`.'],
    [{ 'time-limit': '1h' }, 'Use a number of seconds.'],
  ])('a wrong input %j is named', async (inputs, said) => {
    const { folder } = checkout({});
    const ended = await runAction({ folder, event: 'pull_request', payload: {}, inputs });
    expect(ended.code).toBe(2);
    expect(ended.log).toContain(said);
  });
});

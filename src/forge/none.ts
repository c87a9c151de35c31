import { GateError } from '../core/errors.ts';
import type { Forge, Written } from '../core/forge.ts';
import { maxReviewComments } from './limits.ts';

/** The forge port without a forge, for local use: reads nothing and says what it would write, one paragraph per thing. */
export function createNoForge(print: (text: string) => void): Forge {
  const none = (what: string): Promise<never> =>
    Promise.reject(
      new GateError({
        code: 'forge.none',
        message: `Cannot ${what}: gate is not connected to a forge`,
        fault: 'user',
        next: 'Run it in a workflow of GitHub Actions, or set GITHUB_TOKEN and GITHUB_REPOSITORY.',
      }),
    );
  const say = (text: string): Promise<Written> => {
    print(text);
    return Promise.resolve({ outcome: 'created' });
  };
  return {
    name: 'none',
    requests: 0,
    pullRequest: (number) => none(`read pull request #${number}`),
    changedFiles: (number) => none(`list the files of pull request #${number}`),
    comments: (number) => none(`read the comments of pull request #${number}`),
    permission: (login) => none(`read the permission of ${login}`),
    isTeamMember: () => Promise.resolve(undefined),
    codeowners: () => none('read CODEOWNERS'),
    workflowRun: (id) => none(`read workflow run ${id}`),
    writeComment: (number, comment) =>
      say(`Would leave this comment for ${comment.instance} on pull request #${number}:\n\n${comment.bodies[0]}`),
    writeReview: async (number, { comments }) => {
      const said = comments.slice(0, maxReviewComments);
      if (said.length === 0) return { outcome: 'unchanged', posted: 0 };
      const lines = said.map(({ path, line, body }) => `${path}:${line}\n${body}`);
      await say(`Would write on lines of pull request #${number}:\n\n${lines.join('\n\n')}`);
      return { outcome: 'created', posted: said.length };
    },
    writeCheck: (check) =>
      say(
        `Would set the check "${check.name}" to ${check.conclusion}: ${check.title} (${check.annotations.length} annotations)`,
      ),
    writeStatus: (status) =>
      say(`Would set the commit status "${status.context}" to ${status.state}: ${status.description}`),
    writeLabels: (number, { add }) => say(`Would label pull request #${number} "${add.name}"`),
  };
}

import manifest from '../../package.json' with { type: 'json' };
import type { Forge, Revision } from '../core/forge.ts';
import { createGitHub } from '../forge/github.ts';
import { byteLength, githubLength, maxCheckOutputBytes, maxComment } from '../forge/limits.ts';
import { commentRoom, readCommentMarker } from '../forge/marker.ts';
import { readDecisions } from '../forge/decisions.ts';
import { placeOnDiff } from '../forge/patch.ts';
import { publish } from '../forge/publish.ts';

export { placeOnDiff, publish, readDecisions };

export interface ForgeChoices {
  readonly token: string;
  /** GITHUB_API_URL. */
  readonly apiUrl: string;
  /** `owner/name`. */
  readonly repository: string;
  /** ms since 1970. */
  readonly deadline: number;
  /** Login that the token writes as, where gate cannot tell. */
  readonly author?: string;
  readonly note: (text: string) => void;
}

/** Connects the forge port to GitHub. @throws GateError forge.repository, forge.token, forge.api-url */
export function openForge(choices: ForgeChoices): Promise<Forge> {
  return createGitHub({ ...choices, version: manifest.version });
}

/** Whether a comment of that instance is on the pull request. @throws GateError forge.* */
export async function hasComment(forge: Forge, pullRequest: number, instance: string): Promise<boolean> {
  const comments = await forge.comments(pullRequest);
  return comments.some(({ body }) => readCommentMarker(body)?.instance === instance);
}

/** How long texts may be, counted as the forge counts. */
export const rooms = {
  comment: (instance: string, revision: Revision, digest: string) => ({
    limit: Math.min(maxComment, commentRoom(instance, revision, digest)),
    length: githubLength,
  }),
  check: { limit: maxCheckOutputBytes, length: byteLength },
  /** A job summary takes 1 MiB a step; beyond it the runner drops the summary of the step. */
  summary: { limit: 1024 * 1024 - 1024, length: byteLength },
};

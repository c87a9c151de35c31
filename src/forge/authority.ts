import type { Forge, PullRequest } from '../core/forge.ts';

/** Somebody who gave a command in a comment. */
export interface Decision {
  readonly login: string;
  /** The comment was changed after it was written: with write permission everybody can change everybody's words. */
  readonly edited: boolean;
  readonly pullRequest: PullRequest;
  /** Files that the finding is about, relative to the root of the repository. */
  readonly paths: readonly string[];
  /** Who owns a file: `@login`, `@organization/team`, an e-mail address. Empty: nobody. Names of CODEOWNERS. */
  readonly ownersOf: (path: string) => readonly string[];
}

export type Authority = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

/**
 * Whether somebody may approve or waive a finding: not the author of the pull request, with write permission, by a comment
 * that nobody edited, and an owner of every affected file that has owners. What cannot be told is not allowed.
 * @throws GateError when the forge cannot be asked for the permission
 */
export async function mayDecide(forge: Forge, decision: Decision): Promise<Authority> {
  const { login, pullRequest } = decision;
  if (decision.edited) return no('the comment was edited after it was written; write it again as a new one');
  if (login.endsWith('[bot]')) return no('a bot cannot decide');
  // Logins of GitHub are the same in any letter case.
  if (same(login, pullRequest.author)) return no('the author of the pull request cannot decide about it');
  const permission = await forge.permission(login);
  if (permission !== 'write' && permission !== 'maintain' && permission !== 'admin')
    return no(`${login} has no write permission (${permission})`);
  const asked = new Map<string, Promise<boolean | undefined>>();
  for (const path of decision.paths) {
    const owners = decision.ownersOf(path);
    if (owners.length === 0) continue;
    const answer = await isOwner(forge, login, owners, asked);
    if (answer === false) return no(`${login} does not own ${path} (its owners are ${owners.join(', ')})`);
    if (answer === undefined)
      return no(
        `whether ${login} owns ${path} cannot be told (its owners are ${owners.join(', ')}): name logins, or give the token \`members: read\` of the organization`,
      );
  }
  return { allowed: true };
}

function no(reason: string): Authority {
  return { allowed: false, reason };
}

function same(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}

/** Undefined: not by name, and a team or an address that cannot be looked up is among the owners. */
async function isOwner(
  forge: Forge,
  login: string,
  owners: readonly string[],
  asked: Map<string, Promise<boolean | undefined>>,
): Promise<boolean | undefined> {
  if (owners.some((owner) => same(owner, `@${login}`))) return true;
  let unknown = false;
  for (const owner of owners) {
    const [, organization, slug] = /^@([^/]+)\/(.+)$/.exec(owner) ?? [];
    if (organization === undefined || slug === undefined) {
      // GitHub finds the account of an address; its API does not tell it.
      unknown ||= !owner.startsWith('@');
      continue;
    }
    const key = owner.toLowerCase();
    const answer = asked.get(key) ?? forge.isTeamMember({ organization, slug }, login);
    asked.set(key, answer);
    const member = await answer;
    if (member === true) return true;
    unknown ||= member === undefined;
  }
  return unknown ? undefined : false;
}

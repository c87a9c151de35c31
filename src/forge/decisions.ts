import { findNamed } from '../core/finding-id.ts';
import type { Forge, ForgeComment, PullRequest } from '../core/forge.ts';
import type { Approval, ApprovalOutcome, Decisions, Finding } from '../core/model.ts';
import { mayDecide } from './authority.ts';
import { catalogOwners } from './catalog.ts';
import { ownerRule, parseCodeowners } from './codeowners.ts';
import { parseCommands, type Command } from './commands.ts';
import { readCommentMarker } from './marker.ts';

/** More than this in one pull request is nobody's decision. */
const maxCommands = 200;

/**
 * Reads the decisions of a pull request from its comments, anew in every run: what somebody deletes is taken back, and
 * what was edited is no word of its author. A command counts when it names a finding of this run in its present state
 * (`core/finding-id.ts`) and its author may decide (`authority.ts`): write permission, not the author of the pull request,
 * owner of the affected files by CODEOWNERS of the base branch or, where that names nobody, by the nearest
 * `catalog-info.yaml` of the base side. Everything else comes back refused, with one sentence why.
 *
 * It fits `GatePorts.decisions`: `{...ports, decisions: (run) => readDecisions(forge, {number, repository, ...run})}`.
 * Requests: the pull request, its comments; CODEOWNERS and one permission per person only where a command asks for it.
 *
 * @param run.number of the pull request
 * @param run.repository `owner/name`; the owner is the organization of teams in `catalog-info.yaml`
 * @param run.findings of this run, with `objectDigest`
 * @param run.affected changed files that a finding comes from, relative to the root of the repository
 * @param run.readBase text of a file on the base side
 * @throws GateError forge.* when the forge does not answer: nothing is approved then
 */
export async function readDecisions(
  forge: Forge,
  run: {
    readonly number: number;
    readonly repository: string;
    readonly findings: readonly Finding[];
    readonly affected: (finding: Finding) => readonly string[];
    readonly readBase: (path: string) => string | undefined;
  },
): Promise<Decisions> {
  const pullRequest = await forge.pullRequest(run.number);
  const given = (await forge.comments(run.number))
    // Texts of gate quote what the change holds; nobody decides in them.
    .filter(({ body }) => readCommentMarker(body) === undefined)
    .flatMap((comment) => parseCommands(comment.body).map((command) => ({ comment, command })))
    .slice(-maxCommands);
  const approvals: Approval[] = [];
  const refused: ApprovalOutcome[] = [];
  const asking = rememberingPermissions(forge);
  let ownersOf: ((path: string) => readonly string[]) | undefined;
  for (const { comment, command } of given) {
    const refuse = (why: string) => refused.push(refusal(comment, command, why));
    if (command.kind === 'invalid') {
      refuse(`${command.problem}; write \`${command.usage}\``);
      continue;
    }
    const named = findNamed(command.finding, run.findings);
    if ('problem' in named) {
      refuse(named.problem);
      continue;
    }
    ownersOf ??= await readOwners(forge, pullRequest, run);
    const { author: login, edited } = comment;
    const paths = run.affected(named.finding);
    const authority = await mayDecide(asking, { login, edited, pullRequest, paths, ownersOf });
    if (authority.allowed) approvals.push(approvalOf(comment, command, named.finding));
    else refuse(authority.reason);
  }
  return { approvals, refused, author: pullRequest.author };
}

function approvalOf(
  { author, createdAt, url }: ForgeComment,
  command: Exclude<Command, { kind: 'invalid' }>,
  { fingerprint, ruleId, resource, target, severity, objectDigest = '' }: Finding,
): Approval {
  return {
    kind: command.kind,
    finding: fingerprint,
    ruleId,
    resource,
    target,
    digest: objectDigest,
    severity,
    by: author,
    reason: command.reason,
    at: createdAt,
    ...(command.kind === 'waive' ? { expires: command.until } : {}),
    url,
  };
}

function refusal({ author, createdAt, url }: ForgeComment, command: Command, why: string): ApprovalOutcome {
  return {
    kind: command.kind,
    finding: command.kind === 'invalid' ? '' : command.finding,
    by: author,
    at: createdAt,
    ...(command.kind === 'invalid' ? {} : { reason: command.reason }),
    ...(command.kind === 'waive' ? { expires: command.until } : {}),
    url,
    inForce: false,
    why,
  };
}

/** Several commands of one person cost one request. */
function rememberingPermissions(forge: Forge): Forge {
  const known = new Map<string, ReturnType<Forge['permission']>>();
  const permission = (login: string) => {
    const answer = known.get(login) ?? forge.permission(login);
    known.set(login, answer);
    return answer;
  };
  return Object.create(forge, { permission: { value: permission } }) as Forge;
}

async function readOwners(
  forge: Forge,
  { base }: PullRequest,
  run: { readonly repository: string; readonly readBase: (path: string) => string | undefined },
): Promise<(path: string) => readonly string[]> {
  const file = await forge.codeowners(base.branch);
  const codeowners = file === undefined ? undefined : parseCodeowners(file.text);
  const [organization = ''] = run.repository.split('/');
  return (path) => {
    const rule = codeowners === undefined ? undefined : ownerRule(codeowners, path);
    // A line without owners says that nobody owns the file.
    return rule?.owners ?? catalogOwners(path, run.readBase, organization);
  };
}

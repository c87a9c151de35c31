import type { NotEvaluated } from '../core/model.ts';
import type { Judged } from './dry-run.ts';

/** Reasons that lie in the change or in what gate may know: told, and no doubt about the rest of the verdict. */
const expected = new Set(['HiddenValue', 'SameChange', 'NotRead', 'NotServed', 'NoDryRun', 'Conflict']);

/**
 * What the API server did not judge, one note per reason. Time-outs and errors of the server leave the verdict open: the
 * dry run was asked for. So do missing rights when they kept it from judging anything.
 * @param without changed objects of clusters that cannot be asked
 */
export function dryRunNotes(judged: readonly Judged[], without: number): readonly NotEvaluated[] {
  const open = judged.filter(({ answer }) => answer.outcome === 'unknown');
  const none = judged.length > 0 && judged.every(({ answer }) => answer.outcome === 'unknown');
  const groups = Map.groupBy(open, ({ question, answer }) => {
    const { ref } = question.entry;
    const same = answer.reason === 'NotAllowed' ? `${ref.group}/${ref.kind}/${ref.namespace}` : (answer.message ?? '');
    return `${question.of} ${answer.reason} ${same}`;
  });
  const notes = [...groups.values()].flatMap((group): NotEvaluated[] => {
    const [first] = group;
    if (first === undefined) return [];
    const { question, answer } = first;
    const reason = answer.reason ?? '';
    const weight = expected.has(reason) || (reason === 'NotAllowed' && !none) ? 'note' : 'incomplete';
    const targets = new Set(group.map((one) => one.question.entry.target.id));
    return [
      {
        what: `dry run of ${names(group)}`,
        ...(targets.size === 1 ? { target: question.entry.target.id } : {}),
        reason: answer.message ?? 'the server gave no judgement',
        ...(answer.next === undefined ? {} : { next: answer.next }),
        weight,
      },
    ];
  });
  if (without === 0) return notes;
  return [
    ...notes,
    {
      what: `dry run of ${without} changed ${without === 1 ? 'object' : 'objects'}`,
      reason: 'no live cluster was given for their targets',
      next: 'Name the cluster with --live and --cluster-name as the targets name it.',
      // A dry run that was asked for and judged nothing must not look like one that found nothing.
      weight: judged.length === 0 ? 'incomplete' : 'note',
    },
  ];
}

function names(group: readonly Judged[]): string {
  const all = group.map(({ question }) => {
    const { kind, namespace, name } = question.entry.ref;
    const object = `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
    return question.of === 'pod' ? `a pod of ${object}` : object;
  });
  return all.length > 3 ? `${all.slice(0, 3).join(', ')} and ${all.length - 3} more` : all.join(', ');
}

import { isMap, isScalar, isSeq } from 'yaml';
import { approvalsFileSchema } from '../core/approval-schema.ts';
import type { Decisions } from '../core/model.ts';
import { check, locate, type Mistake, type Source } from './check.ts';
import { invalid, isDay, parse } from './load.ts';

/**
 * Reads the file of `gate check --approvals`: JSON (YAML reads as well), as `docs/schema/approvals.schema.json` says.
 * @param input.file name for messages
 * @throws GateError config.yaml, config.invalid with line and column
 */
export function loadApprovals(input: { readonly text: string; readonly file: string }): Decisions {
  const source = parse(input);
  const mistakes = [...check(source, source.document.contents, approvalsFileSchema, '')];
  if (mistakes.length === 0) mistakes.push(...checkDays(source));
  if (mistakes.length > 0) throw invalid(mistakes, input.file);
  // The schema has no place for an alias that a plain file would need.
  const { author, approvals } = source.document.toJS({ maxAliasCount: 0 }) as Decisions;
  return { approvals, refused: [], ...(author === undefined ? {} : { author }) };
}

/** What the schema cannot say: days and times of the calendar, and that a waiver ends. */
function* checkDays(source: Source): Generator<Mistake> {
  const list = source.document.get('approvals', true);
  for (const [index, node] of isSeq(list) ? list.items.entries() : []) {
    if (!isMap(node)) continue;
    const text = (key: string) => {
      const value = node.get(key, true);
      return isScalar(value) ? String(value.value) : undefined;
    };
    const mistake = (key: string, message: string): Mistake => ({
      message: `approvals[${index}].${key}${message}`,
      location: locate(source, node.get(key, true) ?? node),
    });
    const expires = text('expires');
    if (Number.isNaN(Date.parse(text('at') ?? ''))) yield mistake('at', ' is no time of the calendar');
    if (expires !== undefined && !isDay(expires)) yield mistake('expires', ' is not a day of the calendar');
    if (text('kind') === 'waive' && expires === undefined) yield mistake('expires', ' is missing: a waiver ends');
    if (text('kind') === 'approve' && expires !== undefined)
      yield mistake('expires', ' is for a waiver; an approval ends with the state of the object');
  }
}

import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { loadApprovals } from '../../src/config/approvals.ts';
import { approvalsFileSchema } from '../../src/core/approval-schema.ts';
import { approval } from '../kit/approval.ts';

const text = (value: unknown) => JSON.stringify(value, null, 2);
const load = (value: unknown) => loadApprovals({ text: text(value), file: 'approvals.json' });
const file = (...approvals: unknown[]) => ({ schemaVersion: '1', author: 'dev', approvals });

describe('loadApprovals', () => {
  it('reads what the shipped schema describes', () => {
    const good = file(approval(), approval({ kind: 'waive', expires: '2026-11-30', url: 'https://example.org/1' }));
    expect(load(good)).toEqual({ approvals: good.approvals, refused: [], author: 'dev' });
    expect(new Ajv({ strict: true }).compile(approvalsFileSchema)(good)).toBe(true);
    const shipped = new URL('../../docs/schema/approvals.schema.json', import.meta.url);
    expect(JSON.parse(readFileSync(shipped, 'utf8'))).toEqual(JSON.parse(text(approvalsFileSchema)));
  });

  it.each([
    ['an unknown key', file({ ...approval(), until: 'x' }), 'unknown key "until"'],
    ['a missing key', file({ ...approval(), digest: undefined }), 'needs the key "digest"'],
    ['a digest of another form', file({ ...approval(), digest: 'abc' }), 'digest must match'],
    ['another kind', file({ ...approval(), kind: 'aprove' }), 'must be one of approve, waive'],
    ['another version', { schemaVersion: '2', approvals: [] }, 'schemaVersion must be one of 1'],
    ['a day that is none', file(approval({ kind: 'waive', expires: '2026-02-30' })), 'is not a day'],
    ['a time that is none', file(approval({ at: '2026-13-01T10:00:00Z' })), 'no time of the calendar'],
    ['a waiver without end', file(approval({ kind: 'waive' })), 'expires is missing'],
    ['an approval with an end', file(approval({ expires: '2026-11-30' })), 'for a waiver'],
    ['nothing', null, 'must be a map'],
  ])('refuses %s, with the line', (_what, value, message) => {
    expect(() => load(value)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(message), fault: 'user' }),
    );
  });

  it('says where text is no JSON', () => {
    expect(() => loadApprovals({ text: '{"a": [', file: 'a.json' })).toThrow(
      expect.objectContaining({ code: 'config.yaml', location: expect.objectContaining({ file: 'a.json', line: 1 }) }),
    );
  });
});

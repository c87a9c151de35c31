import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { toJson } from '../../src/report/json.ts';
import { gateReportSchema } from '../../src/report/schema.ts';
import { hostileReport, sampleReport } from '../kit/report.ts';

const validate = new Ajv({ allErrors: true, strict: true }).compile(gateReportSchema);
const parsed = (text: string) => JSON.parse(text) as Record<string, never>;

describe('toJson', () => {
  it('is what the shipped schema describes', () => {
    for (const report of [sampleReport(), hostileReport('\u202E<x>')]) {
      validate(parsed(toJson(report)));
      expect(validate.errors).toBeNull();
    }
  });

  it('is refused by the schema when something is missing, wrong or unknown', () => {
    const report = parsed(toJson(sampleReport()));
    const { verdict: _, ...without } = report;
    expect(validate(without)).toBe(false);
    expect(validate({ ...report, verdict: 'fine' })).toBe(false);
    expect(validate({ ...report, extra: 1 })).toBe(false);
  });

  it('holds changes without the objects', () => {
    const [change] = parsed(toJson(sampleReport()))['changes'] as unknown as Record<string, unknown>[];
    expect(Object.keys(change ?? {})).toEqual(['action', 'ref', 'target', 'impact', 'because', 'fields']);
  });

  it('keeps values as they are, invisible characters escaped', () => {
    const text = toJson(sampleReport({ reason: 'a\u202Eb\u2028c\u009Bd' }));
    expect(text).toContain('a\\u202eb\\u2028c\\u009bd');
    expect(parsed(text)['reason']).toBe('a\u202Eb\u2028c\u009Bd');
  });

  it('ships the schema that the program uses', () => {
    const file = new URL('../../docs/schema/gate-report.schema.json', import.meta.url);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(JSON.parse(JSON.stringify(gateReportSchema)));
  });
});

import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { toSarif } from '../../src/report/sarif.ts';
import { hostileReport, sampleReport } from '../kit/report.ts';

const text = { type: 'object', required: ['text'], properties: { text: { type: 'string', minLength: 1 } } };
const level = { enum: ['none', 'note', 'warning', 'error'] };
const location = {
  type: 'object',
  properties: {
    physicalLocation: {
      type: 'object',
      required: ['artifactLocation'],
      properties: {
        artifactLocation: {
          type: 'object',
          properties: { uri: { type: 'string', pattern: '^[^\\s\\\\]+$' }, uriBaseId: { type: 'string' } },
        },
        region: {
          type: 'object',
          required: ['startLine'],
          properties: { startLine: { type: 'integer', minimum: 1 }, startColumn: { type: 'integer', minimum: 1 } },
        },
      },
    },
    logicalLocations: {
      type: 'array',
      items: { type: 'object', properties: { fullyQualifiedName: { type: 'string' }, kind: { type: 'string' } } },
    },
  },
  additionalProperties: false,
};

/** The part of the SARIF 2.1.0 format (OASIS, sections 3.13 to 3.35) that gate writes. */
const sarif = {
  type: 'object',
  required: ['version', 'runs'],
  additionalProperties: false,
  properties: {
    $schema: { type: 'string', format: undefined },
    version: { const: '2.1.0' },
    runs: {
      type: 'array',
      items: {
        type: 'object',
        required: ['tool', 'results'],
        additionalProperties: false,
        properties: {
          tool: {
            type: 'object',
            required: ['driver'],
            properties: {
              driver: {
                type: 'object',
                required: ['name'],
                properties: {
                  rules: {
                    type: 'array',
                    items: {
                      type: 'object',
                      required: ['id'],
                      properties: {
                        shortDescription: text,
                        fullDescription: text,
                        help: text,
                        defaultConfiguration: { type: 'object', properties: { level } },
                      },
                    },
                  },
                },
              },
            },
          },
          columnKind: { enum: ['utf16CodeUnits', 'unicodeCodePoints'] },
          automationDetails: { type: 'object', properties: { id: { type: 'string' } } },
          invocations: {
            type: 'array',
            items: {
              type: 'object',
              required: ['executionSuccessful'],
              properties: {
                executionSuccessful: { type: 'boolean' },
                toolExecutionNotifications: {
                  type: 'array',
                  items: {
                    type: 'object',
                    required: ['message'],
                    properties: { message: text, level, locations: { type: 'array', items: location } },
                  },
                },
              },
            },
          },
          results: {
            type: 'array',
            items: {
              type: 'object',
              required: ['message'],
              additionalProperties: false,
              properties: {
                ruleId: { type: 'string' },
                ruleIndex: { type: 'integer', minimum: -1 },
                level,
                rank: { type: 'number', minimum: -1, maximum: 100 },
                baselineState: { enum: ['new', 'unchanged', 'updated', 'absent'] },
                message: text,
                locations: { type: 'array', items: location },
                partialFingerprints: { type: 'object', additionalProperties: { type: 'string' } },
                suppressions: {
                  type: 'array',
                  items: {
                    type: 'object',
                    required: ['kind'],
                    properties: {
                      kind: { enum: ['inSource', 'external'] },
                      status: { enum: ['accepted', 'underReview', 'rejected'] },
                      justification: { type: 'string' },
                    },
                  },
                },
                properties: { type: 'object' },
              },
            },
          },
          properties: { type: 'object' },
        },
      },
    },
  },
};

interface Log {
  runs: {
    tool: { driver: { rules: { id: string }[] } };
    invocations: { executionSuccessful: boolean; toolExecutionNotifications: { level: string }[] }[];
    results: {
      ruleId: string;
      ruleIndex: number;
      level: string;
      baselineState: string;
      suppressions?: object[];
      locations: object[];
    }[];
  }[];
}

const validate = new Ajv({ strict: false, allErrors: true }).compile(sarif);
const log = (report = sampleReport()) => JSON.parse(toSarif(report)) as Log;

describe('toSarif', () => {
  it('has the shape of SARIF 2.1.0', () => {
    for (const report of [sampleReport(), hostileReport('a b\\c%2e/../<x>'), sampleReport({ findings: [] })]) {
      validate(log(report));
      expect(validate.errors).toBeNull();
    }
  });

  it('points each result to its rule', () => {
    const [run] = log().runs;
    for (const result of run?.results ?? []) expect(run?.tool.driver.rules[result.ruleIndex]?.id).toBe(result.ruleId);
    expect(run?.tool.driver.rules.map((rule) => rule.id)).toHaveLength(5);
  });

  it('tells new findings from old and waived ones', () => {
    const [run] = log().runs;
    expect(
      run?.results.map((result) => [result.level, result.baselineState, result.suppressions?.length ?? 0]),
    ).toEqual([
      ['error', 'new', 0],
      ['error', 'updated', 0],
      ['error', 'new', 0],
      ['warning', 'new', 1],
      ['warning', 'unchanged', 0],
    ]);
  });

  it('says that the run was not complete, and why', () => {
    const [run] = log(sampleReport({ verdict: 'incomplete' })).runs;
    expect(run?.invocations[0]?.executionSuccessful).toBe(false);
    expect(run?.invocations[0]?.toolExecutionNotifications.map((entry) => entry.level)).toEqual(['error', 'note']);
  });
});

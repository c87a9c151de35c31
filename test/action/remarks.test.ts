import { describe, expect, it } from 'vitest';
import { readInputs } from '../../src/action/inputs.ts';
import { remarks, wantsRemarks } from '../../src/action/remarks.ts';
import type { ChangedFile } from '../../src/core/forge.ts';
import type { Finding } from '../../src/core/model.ts';
import { finding } from '../kit/finding.ts';
import { markdownProblems } from '../kit/markdown.ts';
import { sampleReport } from '../kit/report.ts';

const file = 'envs/production.yaml';
const files: ChangedFile[] = [
  { path: file, status: 'modified', patch: '@@ -10,3 +10,3 @@\n a: 1\n-b: 1\n+b: 2\n c: 1' },
];

/** A finding that counts, with a cause. */
function caused(line: number, over: Partial<Finding> = {}): Finding {
  return finding({ novelty: 'introduced', severity: 'high', cause: { file, line, how: 'counterfactual' }, ...over });
}
const of = (...findings: Finding[]) => remarks(sampleReport({ findings }), files);

describe('remarks', () => {
  it('stand on the line, the gravest first', () => {
    const found = of(caused(11, { fingerprint: 'a', score: 10 }), caused(12, { fingerprint: 'b', score: 40 }));
    expect(found.map(({ fingerprint, path, line }) => [fingerprint, path, line])).toEqual([
      ['b', file, 12],
      ['a', file, 11],
    ]);
  });

  it('say where the line is that the diff does not show', () => {
    expect(of(caused(11))[0]?.body).not.toContain('nearest');
    const [remark] = of(caused(40));
    expect(remark?.line).toBe(11);
    expect(remark?.body).toContain(`The diff does not show \`${file}:40\``);
  });

  it.each([
    ['no cause', { cause: undefined }],
    ['low', { severity: 'low' }],
    ['there before', { novelty: 'touched-preexisting' }],
    ['another file', { cause: { file: 'charts/shop/values.yaml', line: 11, how: 'exact' } }],
  ] as [string, Partial<Finding>][])('are not made: %s', (_, over) => {
    const { cause, ...rest } = caused(11, over);
    expect(of(cause === undefined ? rest : { ...rest, cause })).toEqual([]);
  });

  it('let nothing act that the change holds', () => {
    const hostile = '<img src=x onerror=alert(1)> @acme/all #1 ![x](http://a.example/x) ```\n</details>';
    const [remark] = of(
      caused(40, {
        message: hostile,
        title: hostile,
        fix: hostile,
        target: hostile,
        evidence: { before: hostile, after: hostile, facts: [hostile] },
      }),
    );
    expect(markdownProblems(remark?.body ?? '', [])).toEqual([]);
  });
});

describe('remarks are wanted', () => {
  const wanted = (inputs: Record<string, string>, pullRequest?: number) =>
    wantsRemarks(
      readInputs(Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name}`, value]))),
      { headSha: 'a'.repeat(40), ...(pullRequest === undefined ? {} : { pullRequest }) },
    );

  it('on a pull request with a comment, unless they are switched off', () => {
    expect(wanted({}, 7)).toBe(true);
    expect(wanted({})).toBe(false);
    expect(wanted({ INLINE: 'false' }, 7)).toBe(false);
    expect(wanted({ COMMENT: 'false' }, 7)).toBe(false);
  });
});

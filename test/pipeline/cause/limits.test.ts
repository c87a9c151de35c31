import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { GatePorts } from '../../../src/pipeline.ts';
import { tempDir, writeFiles } from '../../kit/tmp.ts';
import { hasTool } from '../../kit/tools.ts';
import { causesOf, chart, judge, judgeFolder, webTarget, type Files } from './kit.ts';

const files: Files = { ...chart, ...webTarget('prod.yaml') };

/** Values with so many places beside `replicas`. */
function values(places: number, level: string, replicas: number, at = 0): string {
  const lines = Array.from({ length: places }, (_, index) => `  # place ${index}\n  NAME_${index}: ${level}\n`);
  lines.splice(at, 0, `  # here\n  REPLICAS: "${replicas}"\n`);
  return `env:\n${lines.join('')}`;
}

/** The number of replicas is one of the variables, so that each of them is a place in one file. */
const many: Files = {
  ...files,
  'charts/web/templates/web.yaml': (chart['charts/web/templates/web.yaml'] ?? '').replace(
    '{{ .Values.replicas }}',
    '{{ .Values.env.REPLICAS }}',
  ),
};

function change(places: number, at = 0): readonly [Files, Files] {
  return [
    { ...many, 'prod.yaml': values(places, 'info', 4, at) },
    { ...many, 'prod.yaml': values(places, 'debug', 1, at) },
  ];
}

describe.skipIf(!(await hasTool('helm')))('limits of the search for causes', () => {
  it('tries at most as many parts as it may, by halves when they are more', async () => {
    const report = await judge(...change(40, 33), { seconds: 60 });
    expect(causesOf(report)).toStrictEqual(['replicas-cut prod.yaml:69 counterfactual']);
    const { renders, complete } = report.work.causes ?? {};
    expect(complete).toBe(true);
    expect(renders).toBeLessThanOrEqual(20);
  });

  it('says that it did not get through', async () => {
    const report = await judge(...change(40, 33), { renders: 5, seconds: 60 });
    expect(causesOf(report)).toStrictEqual(['replicas-cut none']);
    expect(report.work.causes).toMatchObject({ found: 0, complete: false });
    expect(report.work.causes?.renders).toBeLessThanOrEqual(5);
  });

  it('ends with its time', async () => {
    let now = Date.UTC(2026, 0, 1);
    // Every look at the clock is a second later.
    const late = (ports: GatePorts): GatePorts => ({ ...ports, clock: { now: () => new Date((now += 1000)) } });
    const report = await judge(...change(10), { seconds: 3 }, late);
    expect(causesOf(report)).toStrictEqual(['replicas-cut none']);
    expect(report.work.causes?.complete).toBe(false);
  });

  it('does not wait for a mixture of both sides that renders for minutes', async () => {
    const slow: Files = {
      ...files,
      'charts/web/templates/slow.yaml':
        '{{- range until (int .Values.outer) }}{{ range until (int $.Values.inner) }}{{ $x := printf "%d" . }}{{ end }}{{ end }}\n',
    };
    const text = (outer: number, inner: number, replicas: number) =>
      `outer: ${outer}\n# one\ninner: ${inner}\n# two\nreplicas: ${replicas}\n`;
    const started = performance.now();
    const report = await judge(
      { ...slow, 'prod.yaml': text(100_000, 1, 4) },
      { ...slow, 'prod.yaml': text(1, 100_000, 1) },
      { seconds: 2 },
    );
    expect(causesOf(report)).toStrictEqual(['replicas-cut none']);
    expect(report.work.causes?.complete).toBe(false);
    expect(report.work.causes?.seconds).toBeLessThan(5);
    expect(performance.now() - started).toBeLessThan(20_000);
  }, 30_000);
});

describe.skipIf(!(await hasTool('helm')))('causes in hostile trees', () => {
  const prod = 'replicas: 4\n# loud\nlogLevel: info\n';
  const folder = () => {
    const path = tempDir('causes');
    writeFiles(join(path, 'before'), { ...files, 'prod.yaml': prod });
    writeFiles(join(path, 'after'), { ...files, 'prod.yaml': prod.replace('4', '1').replace('info', 'debug') });
    return path;
  };
  const found = ['replicas-cut prod.yaml:1 counterfactual'];

  it('never follows a link out of the tree', async () => {
    const path = folder();
    const secret = join(tempDir('outside'), 'values.yaml');
    writeFileSync(secret, 'kind: Canary\n');
    for (const side of ['before', 'after']) {
      symlinkSync(secret, join(path, side, 'charts/web/templates/stolen.yaml'));
      symlinkSync('loop', join(path, side, 'charts/web/loop'));
      symlinkSync('.', join(path, side, 'again'));
    }
    const report = await judgeFolder(path);
    expect(causesOf(report)).toStrictEqual(found);
    expect(JSON.stringify(report)).not.toContain('Canary');
  });

  it('follows a link to values inside the tree', async () => {
    const path = tempDir('causes');
    for (const [side, text] of [
      ['before', prod],
      ['after', prod.replace('4', '1').replace('info', 'debug')],
    ] as const) {
      writeFiles(join(path, side), { ...files, 'shared/prod.yaml': text });
      symlinkSync('shared/prod.yaml', join(path, side, 'prod.yaml'));
    }
    const report = await judgeFolder(path);
    expect(causesOf(report)).toStrictEqual(['replicas-cut shared/prod.yaml:1 counterfactual']);
  });

  it('does not copy huge files or thousands of them', async () => {
    const huge = folder();
    const file = join(huge, 'after/charts/web/templates/huge.tpl');
    writeFileSync(file, '');
    truncateSync(file, 70 * 1024 * 1024);
    expect((await judgeFolder(huge)).work.causes).toMatchObject({ renders: 0 });

    const crowd = folder();
    for (const side of ['before', 'after']) {
      const crds = join(crowd, side, 'charts/web/crds');
      mkdirSync(crds);
      for (let index = 0; index < 2_100; index++) writeFileSync(join(crds, `${index}.txt`), '');
    }
    const report = await judgeFolder(crowd);
    expect(causesOf(report)).toStrictEqual(['replicas-cut none']);
    expect(report.work.causes).toMatchObject({ renders: 0, complete: true });
  });
});

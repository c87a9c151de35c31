import type { Finding, GateReport, TargetCoverage } from '../core/model.ts';
import { formatLocation } from '../core/errors.ts';
import { clean, cleanLine, refText } from './text.ts';
import { approvedText } from './approvals.ts';
import { evidenceLines, marks } from './sentences.ts';

/** Characters that XML 1.0 does not know at all, escaped or not; lone surrogates and the two non-characters. */
const notXml = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]|[\uFFFE\uFFFF]/g;

/** Outside text in XML, in an attribute or between tags. */
function xml(text: string): string {
  return clean(text)
    .replace(notXml, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;')
    .replaceAll('\n', '&#10;')
    .replaceAll('\t', '&#9;');
}

interface Case {
  readonly name: string;
  readonly outcome: 'passed' | 'failure' | 'error' | 'skipped';
  readonly message?: string;
  readonly detail?: string;
}

interface Suite {
  readonly name: string;
  readonly cases: readonly Case[];
}

/**
 * One suite per target, one case per finding: counted findings fail, waived ones and those that were there before
 * are skipped, what could not be evaluated is an error. The first suite holds the verdict. Valid by junit-10.xsd of the
 * Jenkins plugin xUnit. The text between the tags says everything, because GitLab shows nothing else
 * (lib/gitlab/ci/parsers/test/junit.rb).
 */
export function toJunit(report: GateReport): string {
  const suites = [verdictSuite(report), ...targetSuites(report)];
  // The schema knows no `skipped` here.
  const { skipped: _skipped, ...total } = tally(suites.flatMap((suite) => suite.cases));
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="gate" ${attributes(total)} time="${report.durationSeconds.toFixed(3)}">`,
    ...suites.flatMap((suite) => [
      `  <testsuite name="${xml(suite.name)}" ${attributes(tally(suite.cases))} time="0">`,
      ...withOwnNames(suite.cases).map((test) => caseText(className(suite.name), test)),
      '  </testsuite>',
    ]),
    '</testsuites>',
  ];
  return `${lines.join('\n')}\n`;
}

/** Jenkins takes what stands before the last dot for a package, and files all under `gate` with this. */
function className(suite: string): string {
  return `gate.${suite.replaceAll('.', '_')}`;
}

/** GitLab takes the first of several cases with one name and drops the others. */
function withOwnNames(cases: readonly Case[]): Case[] {
  const seen = new Map<string, number>();
  return cases.map((test) => {
    const number = (seen.get(test.name) ?? 0) + 1;
    seen.set(test.name, number);
    return number === 1 ? test : { ...test, name: `${test.name} (${number})` };
  });
}

function tally(cases: readonly Case[]) {
  const number = (outcome: Case['outcome']) => cases.filter((test) => test.outcome === outcome).length;
  return { tests: cases.length, failures: number('failure'), errors: number('error'), skipped: number('skipped') };
}

function attributes(values: Readonly<Record<string, number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}="${value}"`)
    .join(' ');
}

const types = { failure: 'finding', error: 'not-evaluated', skipped: 'not-counted' } as const;

function caseText(name: string, { outcome, ...test }: Case): string {
  const head = `    <testcase classname="${xml(name)}" name="${xml(test.name)}" time="0"`;
  if (outcome === 'passed') return `${head}/>`;
  const { message = '', detail } = test;
  const text = [message, ...(detail === undefined || detail === '' ? [] : [detail])].join('\n');
  return `${head}><${outcome} message="${xml(message)}" type="${types[outcome]}">${xml(text)}</${outcome}></testcase>`;
}

function verdictSuite(report: GateReport): Suite {
  const outcome =
    report.verdict === 'incomplete'
      ? 'error'
      : report.verdict === 'block' || report.verdict === 'approval'
        ? 'failure'
        : 'passed';
  return {
    name: 'verdict',
    cases: [
      {
        // One name for every verdict, so that two runs can be compared.
        name: 'the change may go on',
        outcome,
        message: `${report.verdict}: ${cleanLine(report.reason)}`,
        detail: cleanLine(report.score.arithmetic),
      },
    ],
  };
}

function targetSuites(report: GateReport): Suite[] {
  const { targets, notEvaluated } = report.coverage;
  const cases = new Map<string, Case[]>(targets.map((target) => [target.id, []]));
  const put = (target: string, test: Case) => {
    const list = cases.get(target) ?? [];
    list.push(test);
    cases.set(target, list);
  };
  for (const finding of report.findings) put(finding.target, findingCase(finding));
  for (const entry of notEvaluated) {
    put(entry.target ?? '', {
      name: `${cleanLine(entry.what)} was looked at`,
      outcome: entry.weight === 'incomplete' ? 'error' : 'skipped',
      message: cleanLine(entry.reason),
      ...(entry.next === undefined ? {} : { detail: clean(entry.next) }),
    });
  }
  const known = new Map(targets.map((target) => [target.id, target]));
  return [...cases].map(([id, list]) => ({
    name: id === '' ? 'other' : cleanLine(id),
    cases: list.length > 0 ? list : [quietCase(known.get(id))],
  }));
}

function quietCase(target: TargetCoverage | undefined): Case {
  if (target?.status === 'rendered') return { name: 'nothing was found', outcome: 'passed' };
  return { name: 'not judged', outcome: 'skipped', message: cleanLine(target?.reason ?? '') };
}

function findingCase(finding: Finding): Case {
  const name = `${finding.ruleId}: ${refText(finding.resource)}${finding.path === '' ? '' : ` ${cleanLine(finding.path)}`}`;
  if (finding.waived !== undefined) {
    return {
      name,
      outcome: 'skipped',
      message: cleanLine(`waived until ${finding.waived.expires} by ${finding.waived.owner}: ${finding.waived.reason}`),
    };
  }
  if (finding.approved !== undefined) {
    return { name, outcome: 'skipped', message: cleanLine(approvedText(finding.approved)) };
  }
  if (finding.novelty.endsWith('preexisting')) {
    return { name, outcome: 'skipped', message: 'there before this change, not counted' };
  }
  const evidence = evidenceLines(finding).map(({ label, text }) => `${label.trim()} ${text}`);
  const also = finding.alsoIn === undefined ? [] : [`The same in: ${finding.alsoIn.map(cleanLine).join(', ')}`];
  return {
    name,
    outcome: 'failure',
    message: `${finding.severity}: ${cleanLine(finding.title)}`,
    detail: [
      clean(finding.message),
      ...(finding.location === undefined ? [] : [`In: ${cleanLine(formatLocation(finding.location))}`]),
      ...evidence,
      `Fix: ${clean(finding.fix)}`,
      ...also,
      marks(finding),
      cleanLine(finding.arithmetic),
    ].join('\n'),
  };
}

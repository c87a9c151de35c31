import { styleText } from 'node:util';
import type { Rule, RuleExample } from '../core/rule.ts';

export interface ExplainOptions {
  readonly color: boolean;
  readonly width: number;
}

const needWords: Readonly<Record<Rule['needs'], string>> = {
  transition: 'both sides of the change',
  joined: 'several objects of the result together',
  single: 'one object',
  live: 'the live cluster (offline it is only a hint)',
};

function paint(options: ExplainOptions, style: Parameters<typeof styleText>[0], text: string): string {
  return options.color ? styleText(style, text, { validateStream: false }) : text;
}

/** Breaks prose at words; keeps paragraphs and lines that start with a list mark. */
function wrap(text: string, width: number, indent = ''): string {
  return text
    .trim()
    .split('\n')
    .map((paragraph) => {
      const lines: string[] = [];
      let line = indent;
      for (const word of paragraph.trim().split(/\s+/)) {
        if (line.length + word.length + 1 > width && line.trim() !== '') {
          lines.push(line.trimEnd());
          line = indent;
        }
        line += `${word} `;
      }
      lines.push(line.trimEnd());
      return lines.join('\n');
    })
    .join('\n');
}

/** What `gate explain RULE` prints. */
export function explainRule(rule: Rule, options: ExplainOptions): string {
  const heading = (text: string) => paint(options, 'bold', text);
  const parts = [
    `${paint(options, 'bold', rule.id)}  ${rule.title}`,
    `${rule.severity}, ${rule.confidence} offline, revert: ${rule.reversibility}. Family: ${rule.family}. Needs ${needWords[rule.needs]}.`,
    '',
    wrap(rule.summary, options.width),
    ...(rule.live.length === 0
      ? []
      : [
          '',
          heading('Takes from the cluster'),
          wrap(rule.live.map((kind) => kind.replace(/^\//, '')).join(', '), options.width),
        ]),
    '',
    heading('Why'),
    wrap(rule.docs.why, options.width),
    '',
    heading('Fix'),
    wrap(rule.docs.fix, options.width),
    '',
    heading('When it may be ignored'),
    wrap(rule.docs.ignoreWhen, options.width),
  ];
  const reports = rule.examples.find((example) => example.expect.length > 0);
  const quiet = rule.examples.find((example) => example.expect.length === 0);
  if (reports !== undefined) parts.push('', heading(`Reports: ${reports.name}`), showExample(reports));
  if (quiet !== undefined) parts.push('', heading(`Stays quiet: ${quiet.name}`), showExample(quiet));
  if (rule.references.length > 0) parts.push('', heading('Sources'), ...rule.references.map((source) => `  ${source}`));
  return `${parts.join('\n')}\n`;
}

function showExample(example: RuleExample): string {
  const blocks: string[] = [];
  const add = (title: string, text: string | undefined) => {
    if (text !== undefined && text.trim() !== '') blocks.push(`  --- ${title}\n${indented(text)}`);
  };
  add('before', example.before);
  add('after', example.after);
  add('live', example.live);
  for (const { resource, of, outcome, message } of example.dryRun ?? []) {
    add(
      `dry run of ${of === 'pod' ? `a pod of ${resource}` : resource}`,
      [outcome, message].filter(Boolean).join(': '),
    );
  }
  for (const [path, text] of Object.entries(example.files?.before ?? {})) add(`before: ${path}`, text);
  for (const [path, text] of Object.entries(example.files?.after ?? {})) add(`after: ${path}`, text);
  if (example.renderProblem?.after !== undefined) add('render error after', example.renderProblem.after.message);
  return blocks.join('\n');
}

function indented(text: string): string {
  return text
    .replace(/^\n+|\s+$/g, '')
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}

/** What `gate rules` prints: families in order, one line a rule. */
export function listRules(rules: readonly Rule[], options: ExplainOptions): string {
  const idWidth = Math.max(...rules.map((rule) => rule.id.length), 0);
  const lines: string[] = [];
  for (const [family, members] of Map.groupBy(rules, (rule) => rule.family)) {
    lines.push(paint(options, 'bold', family));
    for (const rule of members) {
      const start = `  ${rule.id.padEnd(idWidth)}  ${rule.severity.padEnd(8)}  `;
      const room = Math.max(20, options.width - start.length);
      const summary = rule.summary.length > room ? `${rule.summary.slice(0, room - 3)}...` : rule.summary;
      lines.push(start + summary);
    }
    lines.push('');
  }
  lines.push(`${rules.length} rules. gate explain RULE tells more.`);
  return `${lines.join('\n')}\n`;
}

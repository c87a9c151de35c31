// Writes what follows from the sources: the index of rules, their documentation, the JSON Schemas.
//   node scripts/generate.ts            write
//   node scripts/generate.ts --check    fail when a file is out of date
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { indexSource, loadRules } from './generate/rules.ts';
import { ruleDocument, rulesIndex } from './generate/rule-docs.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const check = process.argv.includes('--check');

/** A schema exported by a module of the sources, as JSON text; undefined when the module is not there. */
async function schemaText(module: string, exportName: string): Promise<string | undefined> {
  const file = join(root, module);
  if (!existsSync(file)) return undefined;
  const schema = ((await import(pathToFileURL(file).href)) as Record<string, unknown>)[exportName];
  if (schema === undefined) throw new Error(`${module} does not export ${exportName}`);
  return `${JSON.stringify(schema, null, 2)}\n`;
}

async function wantedFiles(): Promise<Map<string, string>> {
  const files = await loadRules(root);
  const rules = files.map((file) => file.rule);
  const wanted = new Map([['src/rules/index.generated.ts', indexSource(files)]]);
  wanted.set('docs/rules/README.md', rulesIndex(rules));
  for (const rule of rules) wanted.set(`docs/rules/${rule.id}.md`, ruleDocument(rule));
  const report = await schemaText('src/report/schema.ts', 'gateReportSchema');
  const config = await schemaText('src/config/schema.ts', 'gateConfigSchema');
  const header = await schemaText('src/cluster/snapshot/header.ts', 'snapshotHeaderSchema');
  const approvals = await schemaText('src/core/approval-schema.ts', 'approvalsFileSchema');
  if (report !== undefined) wanted.set('docs/schema/gate-report.schema.json', report);
  if (config !== undefined) wanted.set('docs/schema/gate-config.schema.json', config);
  if (approvals !== undefined) wanted.set('docs/schema/approvals.schema.json', approvals);
  if (header !== undefined) wanted.set('docs/schema/cluster-snapshot-header.schema.json', header);
  return wanted;
}

/** Generated files of rules and schemas that no longer exist. */
function leftovers(wanted: ReadonlyMap<string, string>): string[] {
  return ['docs/rules', 'docs/schema'].flatMap((folder) =>
    existsSync(join(root, folder))
      ? readdirSync(join(root, folder))
          .map((name) => `${folder}/${name}`)
          .filter((path) => !wanted.has(path))
      : [],
  );
}

function current(path: string): string | undefined {
  const file = join(root, path);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

const wanted = await wantedFiles();
const outdated = [...wanted].filter(([path, text]) => current(path) !== text).map(([path]) => path);
const removed = leftovers(wanted);

if (check) {
  for (const path of outdated) console.error(`out of date: ${path}`);
  for (const path of removed) console.error(`no longer generated: ${path}`);
  if (outdated.length + removed.length > 0) {
    console.error('run: npm run generate');
    process.exitCode = 1;
  }
} else {
  for (const path of outdated) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), wanted.get(path) ?? '');
  }
  for (const path of removed) rmSync(join(root, path));
  console.log(
    `${wanted.size} generated files in ${relative(process.cwd(), root) || '.'}: ${outdated.length} written, ${removed.length} removed`,
  );
}

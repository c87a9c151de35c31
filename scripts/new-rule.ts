// Starts a rule: npm run new-rule -- <family-folder> <rule-id> "Title"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [family, id, title] = process.argv.slice(2);
const name = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

function stop(message: string): never {
  console.error(message);
  process.exit(2);
}

if (family === undefined || id === undefined || title === undefined) {
  stop('usage: npm run new-rule -- <family-folder> <rule-id> "Title"');
}
if (!name.test(family) || !name.test(id)) stop('family and id are lower case words joined by hyphens');
if (family === 'kit') stop('src/rules/kit/ holds helpers, not rules');

const file = join(root, 'src', 'rules', family, `${id}.ts`);
if (existsSync(file)) stop(`${file} is there already`);
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
const quoted = JSON.stringify(title).slice(1, -1).replaceAll(`'`, `\\'`).replaceAll('\\"', '"');

// The example below reports nothing, so `npm test` fails until the rule and its cases are written.
const source = `import { Type } from 'typebox';
import { defineRule, type Problem } from '../../core/rule.ts';

export default defineRule({
  id: '${id}',
  since: '${version}',
  family: '${family}',
  title: '${quoted}',
  severity: 'medium',
  reversibility: 'instant',
  confidence: 'determined',
  needs: 'transition',
  kinds: ['apps/Deployment'],
  live: [],
  summary: '${quoted}.',
  docs: {
    why: 'What goes wrong, how, and which Kubernetes behaviour makes it so.',
    fix: 'What to change.',
    ignoreWhen: 'When the finding does not matter.',
  },
  references: [],
  options: Type.Object({}, { additionalProperties: false }),
  examples: [
    {
      name: 'a change that must be reported',
      before: \`
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
\`,
      after: \`
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop, labels: {changed: "yes"}}
\`,
      expect: [{ resource: 'Deployment/shop/api' }],
    },
    { name: 'the twin that stays quiet', before: '', after: '', expect: [] },
  ],
  *check({ changes }): Iterable<Problem> {
    for (const change of changes) {
      // Decide here, and yield one problem per place: { resource, target, path, message, evidence }.
      if (change.ref.kind !== 'Deployment') continue;
    }
  },
});
`;

mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, source);
console.log(`wrote src/rules/${family}/${id}.ts
next: write check() and the examples, then: npm run generate && npm test -- test/rules`);

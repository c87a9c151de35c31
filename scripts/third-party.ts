import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'rolldown';

/** Folder of the package that a module of node_modules belongs to; undefined for our own modules. */
function packageFolder(id: string): string | undefined {
  const at = id.lastIndexOf('/node_modules/');
  if (at < 0) return undefined;
  const [scope = '', name = ''] = id.slice(at + '/node_modules/'.length).split('/');
  return id.slice(0, at) + '/node_modules/' + (scope.startsWith('@') ? `${scope}/${name}` : scope);
}

function notice(folder: string): string {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>;
  const files = readdirSync(folder)
    .filter((name) => /^(?:licen[cs]e|copying|notice)/i.test(name))
    .toSorted();
  const texts = files.map((name) => readFileSync(join(folder, name), 'utf8').trim());
  const head = `${String(manifest['name'])} ${String(manifest['version'])} (${JSON.stringify(manifest['license'])})`;
  return [head, '-'.repeat(head.length), ...texts].join('\n\n');
}

/** The licences of the packages inside the bundle must travel with it: `third-party-licenses.txt`. */
export function thirdPartyLicenses(): Plugin {
  return {
    name: 'third-party-licenses',
    generateBundle(_, bundle) {
      const folders = new Set<string>();
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== 'chunk') continue;
        for (const id of chunk.moduleIds) {
          const folder = packageFolder(id.replaceAll('\\', '/'));
          if (folder !== undefined && existsSync(join(folder, 'package.json'))) folders.add(folder);
        }
      }
      const source = `${[...folders].toSorted().map(notice).join('\n\n\n')}\n`;
      this.emitFile({ type: 'asset', fileName: 'third-party-licenses.txt', source });
    },
  };
}

/** Entry points can be started as they are. */
export function executable(): Plugin {
  return {
    name: 'executable',
    writeBundle({ dir }, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type === 'chunk' && chunk.isEntry) chmodSync(join(dir ?? 'dist', chunk.fileName), 0o755);
      }
    },
  };
}

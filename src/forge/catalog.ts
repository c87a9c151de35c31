import { isObject } from '../core/json.ts';
import { readDocuments, YamlError } from '../core/yaml/read.ts';

const fileName = 'catalog-info.yaml';
const maxLength = 1_000_000;
const name = /^[A-Za-z0-9][\w.-]{0,99}$/;

/**
 * Who owns a file by the nearest Backstage `catalog-info.yaml` above it (`spec.owner` of its entities), in the notation of
 * CODEOWNERS. A reference without kind is a group (backstage.io "Descriptor Format of Catalog Entities", spec.owner):
 * `group:default/shop` is `@ORGANIZATION/shop`, `user:default/mia` is `@mia`. What has another form stays as written: there
 * is an owner, and whoever is not named in the notation of CODEOWNERS is not it.
 * @param readFile text of a file on the base side; undefined: there is none
 * @param organization owner of the repository
 */
export function catalogOwners(
  path: string,
  readFile: (path: string) => string | undefined,
  organization: string,
): readonly string[] {
  const segments = path.split('/').slice(0, -1);
  for (let depth = segments.length; depth >= 0; depth -= 1) {
    const file = [...segments.slice(0, depth), fileName].join('/');
    const text = readFile(file);
    if (text !== undefined) return ownersIn(text, organization) ?? [`somebody in ${file}, which cannot be read`];
  }
  return [];
}

/** Undefined: it cannot be read. */
function ownersIn(text: string, organization: string): readonly string[] | undefined {
  if (text.length > maxLength) return undefined;
  try {
    const owners = readDocuments(text).flatMap(({ value }) => {
      const spec = isObject(value) ? value['spec'] : undefined;
      const owner = isObject(spec) ? spec['owner'] : undefined;
      return typeof owner === 'string' && owner !== '' ? [asCodeowner(owner, organization)] : [];
    });
    return [...new Set(owners)];
  } catch (error) {
    if (error instanceof YamlError) return undefined;
    throw error;
  }
}

function asCodeowner(reference: string, organization: string): string {
  const colon = reference.indexOf(':');
  const kind = colon === -1 ? 'group' : reference.slice(0, colon).toLowerCase();
  const own = reference.slice(Math.max(colon, reference.indexOf('/')) + 1);
  if (!name.test(own) || (kind !== 'group' && kind !== 'user')) return reference;
  return kind === 'user' ? `@${own}` : `@${organization}/${own}`;
}

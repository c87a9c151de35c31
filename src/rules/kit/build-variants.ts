/** What a Dockerfile or a dependency file is for, as its path says. `default`: nothing says; `base`: included by others. */
export type Variant = 'production' | 'staging' | 'development' | 'test' | 'base' | 'default';

const tokens: Readonly<Record<string, Variant>> = {
  prod: 'production',
  production: 'production',
  prd: 'production',
  live: 'production',
  release: 'production',
  deploy: 'production',
  stage: 'staging',
  staging: 'staging',
  stg: 'staging',
  preprod: 'staging',
  uat: 'staging',
  qa: 'staging',
  dev: 'development',
  develop: 'development',
  development: 'development',
  devel: 'development',
  local: 'development',
  debug: 'development',
  devcontainer: 'development',
  test: 'test',
  tests: 'test',
  testing: 'test',
  ci: 'test',
  lint: 'test',
  docs: 'test',
  doc: 'test',
  typing: 'test',
  types: 'test',
  tools: 'test',
  build: 'test',
  bench: 'test',
  benchmarks: 'test',
  examples: 'test',
  e2e: 'test',
  integration: 'test',
  base: 'base',
  common: 'base',
  shared: 'base',
  core: 'base',
};

function variantOfToken(token: string): Variant | undefined {
  const key = token.toLowerCase();
  return Object.hasOwn(tokens, key) ? tokens[key] : undefined;
}

function parts(path: string): { readonly folders: readonly string[]; readonly words: readonly string[] } {
  const segments = path.split('/');
  return { folders: segments.slice(0, -1), words: (segments.at(-1) ?? '').split(/[._-]/) };
}

/** The file's name decides before its folders, and a near folder before a far one: `prod/Dockerfile.dev` is for development. */
export function variantOf(path: string): Variant {
  const { folders, words } = parts(path);
  for (const word of words) {
    const variant = variantOfToken(word);
    if (variant !== undefined) return variant;
  }
  for (const folder of folders.toReversed()) {
    const variant = variantOfToken(folder.replace(/^\./, ''));
    // `deploy/`, `build/`, `core/` and the like are ordinary folders; only names of environments count there.
    if (
      variant !== undefined &&
      /^(prod|production|prd|live|stage|staging|stg|preprod|uat|qa|dev|develop|development|local|\.?devcontainer|tests?|testing|ci|docs?|e2e|examples)$/i.test(
        folder,
      )
    )
      return variant;
  }
  return 'default';
}

/** Is it only for people's machines and for tests? */
export function isForDevelopment(path: string): boolean {
  const variant = variantOf(path);
  return variant === 'development' || variant === 'test';
}

/** The path without the words that name an environment: the same for variants of one file. */
export function variantKey(path: string): string {
  const { folders, words } = parts(path);
  const kept = folders.filter((folder) => variantOfToken(folder) === undefined);
  const name = words
    .filter((word) => variantOfToken(word) === undefined)
    .join('.')
    .toLowerCase();
  return [...kept, name].join('/');
}

/** The folder of the application that a build file belongs to: without folders that only sort variants. '' is the root. */
export function applicationFolder(path: string): string {
  const folders = path.split('/').slice(0, -1);
  while (
    folders.length > 0 &&
    (variantOfToken(folders.at(-1) ?? '') !== undefined ||
      /^(requirements|docker|dockerfiles?|envs?|environments)$/i.test(folders.at(-1) ?? ''))
  )
    folders.pop();
  return folders.join('/');
}

import { imageBaseName, type ImageReference } from './image-reference.ts';

/** C library of an image, as its name and tag tell. Binary wheels and DNS resolution differ between the two. */
export type Libc = 'glibc' | 'musl';

export interface Distribution {
  readonly name: 'alpine' | 'debian' | 'ubuntu' | 'red-hat' | 'distroless' | 'wolfi' | 'amazon-linux';
  readonly libc: Libc;
}

const glibcFamilies: readonly [RegExp, Distribution['name']][] = [
  [/\b(noble|jammy|focal|bionic|xenial)\b/, 'ubuntu'],
  [/\b(slim|trixie|bookworm|bullseye|buster|stretch|jessie)\b/, 'debian'],
  [/\b(ubi\d*|rhel\d*|centos\d*|rocky\d*|almalinux\d*|fedora)\b/, 'red-hat'],
];

/** Official images of languages that are built on Debian unless the tag says otherwise. */
const debianByDefault = new Set([
  'python',
  'node',
  'golang',
  'ruby',
  'rust',
  'php',
  'openjdk',
  'perl',
  'gcc',
  'buildpack-deps',
  'nginx',
  'postgres',
  'redis',
]);

/** @returns undefined when name and tag do not tell */
export function distributionOf(image: ImageReference): Distribution | undefined {
  const name = imageBaseName(image);
  const tag = image.tag ?? '';
  if (name === 'alpine' || /(^|[-.])alpine/.test(tag)) return { name: 'alpine', libc: 'musl' };
  if (image.repository.includes('distroless')) return { name: 'distroless', libc: 'glibc' };
  if (image.host === 'cgr.dev' || image.repository.startsWith('chainguard/')) return { name: 'wolfi', libc: 'glibc' };
  if (name === 'amazonlinux') return { name: 'amazon-linux', libc: 'glibc' };
  if (name === 'debian' || name === 'ubuntu') return { name, libc: 'glibc' };
  for (const [pattern, family] of glibcFamilies)
    if (pattern.test(tag) || pattern.test(name)) return { name: family, libc: 'glibc' };
  return image.repository.startsWith('library/') && debianByDefault.has(name)
    ? { name: 'debian', libc: 'glibc' }
    : undefined;
}

/** `3.11` of `python:3.11.4-slim` or `python3.11`; undefined when the image is not known to be Python or names no minor version. */
export function pythonOf(image: ImageReference): string | undefined {
  const name = imageBaseName(image);
  const inName = /python-?(3)\.?(\d{1,2})(?!\d)/.exec(name);
  if (inName !== null) return `${inName[1] ?? ''}.${inName[2] ?? ''}`;
  if (name === 'uv' || !/python/.test(name)) {
    const inTag = /(?:^|[-_])(?:python|py)-?(\d)\.(\d{1,2})(?!\d)/.exec(image.tag ?? '');
    return inTag === null ? undefined : `${inTag[1] ?? ''}.${inTag[2] ?? ''}`;
  }
  const version = /^v?(\d)\.(\d{1,2})(?!\d)/.exec(image.tag ?? '');
  return version === null ? undefined : `${version[1] ?? ''}.${version[2] ?? ''}`;
}

/**
 * Why the same reference gives another image tomorrow: no tag, a moving tag, or only a major version.
 * @returns undefined for a digest or a tag with at least two numbers or a fixed word
 */
export function floatingReason(image: ImageReference): string | undefined {
  if (image.digest !== undefined) return undefined;
  const tag = image.tag;
  if (tag === undefined) return 'has no tag, so latest is pulled';
  if (
    /^(latest|stable|edge|nightly|main|master|develop|dev|rolling|current|lts|mainline|unstable|testing|sid)([-_.].*)?$/i.test(
      tag,
    )
  )
    return `has the moving tag ${tag}`;
  if (/^(slim|alpine|full|bookworm|bullseye|trixie)(-slim)?$/i.test(tag) && imageBaseName(image) !== 'debian')
    return `names no version (${tag})`;
  if (
    /^v?\d+(-[a-z][\w.-]*)?$/i.test(tag) &&
    /^(python|node|golang|ruby|php|openjdk|rust|postgres|redis|nginx)$/.test(imageBaseName(image))
  )
    return `names only a major version (${tag})`;
  return undefined;
}

interface EndOfLife {
  readonly product: string;
  readonly pattern: RegExp;
  readonly since: string;
}

/**
 * Base images whose upstream had stopped security fixes when this table was made (November 2026).
 * Python: https://devguide.python.org/versions/ ; Debian: https://www.debian.org/releases/ with LTS; Ubuntu: standard support;
 * Alpine: https://alpinelinux.org/releases/ ; Node.js: https://github.com/nodejs/Release ; CentOS: https://www.centos.org/centos-linux-eol/
 */
const endOfLife: readonly EndOfLife[] = [
  { product: 'python', pattern: /^2\b/, since: '2020-01-01' },
  { product: 'python', pattern: /^3\.[0-7](?!\d)/, since: '2023-06-27' },
  { product: 'python', pattern: /^3\.8(?!\d)/, since: '2024-10-07' },
  { product: 'python', pattern: /^3\.9(?!\d)/, since: '2025-10-31' },
  { product: 'python', pattern: /^3\.10(?!\d)/, since: '2026-10-31' },
  { product: 'debian', pattern: /^(jessie|stretch|[89](?!\d))/, since: '2022-06-30' },
  { product: 'debian', pattern: /^(buster|10(?!\d))/, since: '2024-06-30' },
  { product: 'debian', pattern: /^(bullseye|11(?!\d))/, since: '2026-08-31' },
  { product: 'ubuntu', pattern: /^(xenial|16\.04)/, since: '2021-04-30' },
  { product: 'ubuntu', pattern: /^(bionic|18\.04)/, since: '2023-05-31' },
  { product: 'ubuntu', pattern: /^(focal|20\.04)/, since: '2025-05-31' },
  { product: 'alpine', pattern: /^3\.(1[0-8]|\d)(?!\d)/, since: '2025-05-09' },
  { product: 'alpine', pattern: /^3\.19(?!\d)/, since: '2025-11-01' },
  { product: 'alpine', pattern: /^3\.20(?!\d)/, since: '2026-04-01' },
  { product: 'node', pattern: /^(8|10|12|14|16)(?!\d)/, since: '2023-09-11' },
  { product: 'node', pattern: /^18(?!\d)/, since: '2025-04-30' },
  { product: 'node', pattern: /^20(?!\d)/, since: '2026-04-30' },
  { product: 'centos', pattern: /^(?!stream(9|10))/, since: '2024-06-30' },
];

export interface Ended {
  /** `python 3.8`. */
  readonly what: string;
  /** The same for all versions of one line, to tell whether it is news. */
  readonly line: string;
  readonly since: string;
}

/** The parts of an image that get no security fixes any more: the product and the distribution that the tag names. */
export function endedParts(image: ImageReference): readonly Ended[] {
  const name = imageBaseName(image);
  const tag = image.tag ?? '';
  const releases: [string, string][] = [[name, tag.replace(/^v/, '')]];
  for (const word of tag.split('-').slice(1)) {
    if (/^(jessie|stretch|buster|bullseye)$/.test(word)) releases.push(['debian', word]);
    else if (/^(xenial|bionic|focal)$/.test(word)) releases.push(['ubuntu', word]);
    else if (word.startsWith('alpine')) releases.push(['alpine', word.slice('alpine'.length)]);
  }
  return releases.flatMap(([product, version]) => {
    const ended = endOfLife.find((row) => row.product === product && row.pattern.test(version));
    if (ended === undefined || (version === '' && product !== 'centos')) return [];
    return [
      {
        what: `${product} ${/^\d+(?:\.\d+)?|^[a-z]+/.exec(version)?.[0] ?? ''}`.trim(),
        line: `${product} ${String(ended.pattern)}`,
        since: ended.since,
      },
    ];
  });
}

import { describe, expect, it } from 'vitest';
import { effectiveTag, formatImage, imageBaseName, parseImage } from '../../../src/rules/kit/image-reference.ts';

const digest = `sha256:${'ab'.repeat(32)}`;

describe('parseImage', () => {
  // What github.com/distribution/reference ParseNormalizedNamed gives: domain, path, tag, digest.
  it.each([
    ['nginx', 'docker.io', 'library/nginx', undefined, undefined],
    ['nginx:1.27', 'docker.io', 'library/nginx', '1.27', undefined],
    ['bitnami/redis', 'docker.io', 'bitnami/redis', undefined, undefined],
    ['index.docker.io/library/nginx', 'docker.io', 'library/nginx', undefined, undefined],
    ['docker.io/nginx', 'docker.io', 'library/nginx', undefined, undefined],
    ['localhost/app:1', 'localhost', 'app', '1', undefined],
    ['localhost:5000/app', 'localhost:5000', 'app', undefined, undefined],
    ['registry.example.org:5000/shop/api:v1.2.3', 'registry.example.org:5000', 'shop/api', 'v1.2.3', undefined],
    [`registry.example.org:5000/shop/api@${digest}`, 'registry.example.org:5000', 'shop/api', undefined, digest],
    [`nginx:1.27@${digest}`, 'docker.io', 'library/nginx', '1.27', digest],
    ['[2001:db8::1]:5000/app:1', '[2001:db8::1]:5000', 'app', '1', undefined],
    ['Example/app', 'Example', 'app', undefined, undefined],
    ['a__b/c--d/e.f:X_1-2', 'docker.io', 'a__b/c--d/e.f', 'X_1-2', undefined],
    ['app:5000', 'docker.io', 'library/app', '5000', undefined],
    ['ghcr.io/org/app', 'ghcr.io', 'org/app', undefined, undefined],
  ])('%s', (text, host, repository, tag, wantedDigest) => {
    expect(parseImage(text)).toEqual({
      host,
      repository,
      ...(tag === undefined ? {} : { tag }),
      ...(wantedDigest === undefined ? {} : { digest: wantedDigest }),
    });
  });

  it.each([
    '',
    'Nginx',
    'nginx:',
    'nginx:-1',
    'nginx@',
    'nginx@sha256:12',
    'a//b',
    '/a',
    'a/',
    'a b',
    'a___b',
    'http://x/y',
    'x/y:1:2',
    'ab'.repeat(32),
    `a/${'b'.repeat(260)}`,
    '${IMAGE}',
    'nginx:{{ .Values.tag }}',
    'a'.repeat(100_000),
  ])('refuses %j', (text) => {
    expect(parseImage(text)).toBeUndefined();
  });

  it('knows the tag that is pulled, the last name and the short form', () => {
    const [plain, pinned, other] = ['nginx', `nginx@${digest}`, 'docker.io/library/nginx:1'].map((text) =>
      parseImage(text),
    );
    expect(plain && effectiveTag(plain)).toBe('latest');
    expect(pinned && effectiveTag(pinned)).toBeUndefined();
    expect(other && formatImage(other)).toBe('nginx:1');
    expect(other && imageBaseName(other)).toBe('nginx');
  });
});

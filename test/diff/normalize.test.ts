import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../src/core/model.ts';
import { generatedPrefix } from '../../src/diff/match.ts';
import { comparable, isGenerated } from '../../src/diff/normalize.ts';

describe('isGenerated', () => {
  const at = (name: string) => ['spec', 'template', 'metadata', 'annotations', name];
  test.each([
    ['checksum/config', '3f2a9c1b', 'aa12bb34'],
    ['config-hash', 'abc123', undefined],
    ['rollme', 'x8Fq2', 'Zk91p'],
    ['app.kubernetes.io/config-checksum', 'd41d8cd98f00b204e9800998ecf8427e', '5d41402abc4b2a76b9719d911017c592'],
    ['vault.example.com/secret-sha256', 'a'.repeat(64), 'b'.repeat(64)],
  ])('%s', (name, before, after) => {
    expect(isGenerated(at(name), before, after)).toBe(true);
  });
  test.each([
    ['kubectl.kubernetes.io/restartedAt', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'],
    ['nginx.ingress.kubernetes.io/upstream-hash-by', '$request_uri', '$remote_addr'],
    ['hashicorp.com/role', 'reader', 'writer'],
    ['team', 'abcdef', 'fedcba'],
  ])('not %s', (name, before, after) => {
    expect(isGenerated(at(name), before, after)).toBe(false);
  });
  test('only in labels and annotations', () => {
    expect(isGenerated(['data', 'checksum'], 'abcdef12', 'abcdef13')).toBe(false);
  });
});

describe('comparable', () => {
  const object = (apiVersion: string): KubeObject => ({
    apiVersion,
    kind: 'Thing',
    metadata: {
      name: 'x',
      uid: '1',
      creationTimestamp: null,
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', kept: 'yes' },
    },
    status: { ready: true },
  });
  test('drops what only the server writes', () => {
    expect(comparable(object('v1'), false)).toEqual({
      apiVersion: 'v1',
      kind: 'Thing',
      metadata: { name: 'x', annotations: { kept: 'yes' } },
    });
  });
  test('keeps status where it is plain data', () => {
    expect(comparable(object('example.com/v1'), true)['status']).toEqual({ ready: true });
    expect(comparable(object('example.com/v1'), false)['status']).toBeUndefined();
    expect(comparable(object('apps/v1'), true)['status']).toBeUndefined();
  });
});

describe('generatedPrefix', () => {
  test.each([
    ['config-5bhtg2m64d', 'config'],
    ['app-config-9fgkh2m6t7', 'app-config'],
    ['settings-3f2a9c1b', 'settings'],
    ['config', undefined],
    ['my-configuration', undefined],
    ['api-production', undefined],
  ])('%s', (name, prefix) => {
    expect(generatedPrefix(name)).toBe(prefix);
  });
});

import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/model.ts';
import { fingerprint, redactCredentials, redactObject } from '../../src/core/redact.ts';

const key = new Uint8Array(32).fill(7);
const base64 = (text: string): string => Buffer.from(text).toString('base64');
// Put together here, so that no scanner takes this file for a leak.
const privateKey = ['-----BEGIN RSA PRIVATE', 'KEY-----\nMIIEow\nIBAAKC\n-----END RSA PRIVATE', 'KEY-----'].join(' ');
const certificate = '-----BEGIN CERTIFICATE-----\nMIIB\nkjCC\n-----END CERTIFICATE-----\n';
const jwt = ['eyJhbGciOiJIUzI1NiJ9', 'eyJzdWIiOiIxMjM0NTY3ODkwIn0', 'dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U'].join(
  '.',
);
const github = `ghp_${'a1B2'.repeat(9)}`;
const aws = `AKIA${'ABCD'.repeat(4)}`;

describe('Secrets', () => {
  const secret = (data: JsonObject, stringData?: JsonObject): JsonObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's' },
    data,
    ...(stringData === undefined ? {} : { stringData }),
  });
  const data = (object: JsonObject): JsonObject => redactObject(object, key)['data'] as JsonObject;

  test('values become fingerprints that are equal for equal values, whichever field holds them', () => {
    const one = redactObject(secret({ a: base64('hunter2'), b: base64('other') }, { c: 'hunter2' }), key);
    expect(one['data']).toEqual({ a: fingerprint('hunter2', key), b: fingerprint('other', key) });
    expect(one['stringData']).toEqual({ c: fingerprint('hunter2', key) });
    expect(fingerprint('hunter2', key)).toMatch(/^redacted:[0-9a-f]{12}$/);
    expect(fingerprint('hunter2', new Uint8Array(32))).not.toBe(fingerprint('hunter2', key));
  });

  test('redacting twice changes nothing more', () => {
    const once = redactObject(
      secret({ a: base64('x'), '.dockerconfigjson': base64('{"auths":{"r":{"auth":"eA=="}}}') }),
      key,
    );
    expect(redactObject(once, key)).toEqual(once);
  });

  test('hosts of pull secrets stay, nothing else of them', () => {
    const config = {
      auths: { 'ghcr.io': { auth: 'dXNlcjpwYXNz', username: 'user', nested: { password: 'pass' } } },
      credsStore: 'x',
    };
    const value = data(secret({ '.dockerconfigjson': base64(JSON.stringify(config)) }))['.dockerconfigjson'] as string;
    const kept = JSON.parse(Buffer.from(value, 'base64').toString()) as {
      auths: Record<string, Record<string, unknown>>;
    };
    expect(Object.keys(kept)).toEqual(['auths']);
    expect(Object.keys(kept.auths)).toEqual(['ghcr.io']);
    expect(JSON.stringify(kept)).not.toMatch(/pass"|dXNl|"user"/);
    expect(data(secret({ '.dockerconfigjson': base64('not json') }))['.dockerconfigjson']).toMatch(/^redacted:/);
  });

  test('certificates stay, keys and mixtures do not', () => {
    const result = data(
      secret({
        'tls.crt': base64(certificate),
        'tls.key': base64(privateKey),
        both: base64(certificate + privateKey),
        hidden: base64(`${certificate}password=hunter2!`),
      }),
    );
    expect(result['tls.crt']).toBe(base64(certificate));
    for (const name of ['tls.key', 'both', 'hidden']) expect(result[name]).toMatch(/^redacted:/);
  });

  test('encrypted values are told apart', () => {
    const sops = 'ENC[AES256_GCM,data:abc,iv:x,tag:y,type:str]';
    expect(redactObject(secret({ a: sops }, { b: sops }), key)).toMatchObject({
      data: { a: 'redacted:sops' },
      stringData: { b: 'redacted:sops' },
    });
  });

  test("kubectl's copy in the annotation goes too, as do Secrets inside of lists", () => {
    const object: JsonObject = {
      ...secret({}),
      metadata: {
        name: 's',
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"a":"aHVudGVyMg=="}}', note: 'x' },
      },
    };
    expect(JSON.stringify(redactObject(object, key))).not.toContain('aHVudGVyMg');
    const list: JsonObject = { kind: 'List', items: [secret({ a: base64('hunter2') })] };
    expect(JSON.stringify(redactObject({ spec: { template: secret({ a: base64('hunter2') }) } }, key))).not.toContain(
      base64('hunter2'),
    );
    expect(JSON.stringify(redactObject(list, key))).not.toContain('aHVudGVyMg');
  });

  test('odd shapes do not slip through', () => {
    expect(JSON.stringify(redactObject(secret({ a: 12345 as never, b: { c: 'hunter2' } as never }), key))).not.toMatch(
      /12345|hunter2/,
    );
    expect(redactObject({ apiVersion: 'v1', kind: 'Secret', data: 'hunter2' }, key)['data']).toMatch(/^redacted:/);
  });
});

describe('credentials elsewhere', () => {
  test.each([
    ['a private key', `before\n${privateKey}\nafter`, /MIIEow/],
    ['a JSON web token', `Bearer ${jwt}`, /dozjgNry/],
    ['a GitHub token', `token=${github}`, /ghp_/],
    [
      'an AWS key',
      `aws_access_key_id=${aws}\naws_secret_access_key = ${'wJalrXUtnFEMI/K7MDENG/'}${'bPxRfiCYEXAMPLEKEY'}`,
      /AKIA|wJalr/,
    ],
    ['a password in a URL', 'postgres://app:hunter2@db:5432/app?x=1', /hunter2/],
    ['a Slack webhook', `https://hooks.slack.com/services/${'T000/B000/XXXXXXXXXXXXXXXXXXXX'}`, /XXXXXXX/],
  ])('%s is replaced inside of the text', (_name, text, secret) => {
    const result = redactCredentials(text, key);
    expect(result).not.toMatch(secret);
    expect(result).toContain('redacted:');
    expect(redactCredentials(result, key)).toBe(result);
  });

  test('what surrounds them stays', () => {
    expect(redactCredentials('postgres://app:hunter2@db:5432/app', key)).toBe(
      `postgres://app:${fingerprint('hunter2', key)}@db:5432/app`,
    );
    expect(redactCredentials(`a\n${privateKey}\nb`, key)).toBe(`a\n${fingerprint(privateKey, key)}\nb`);
  });

  test.each([
    'password: hunter2',
    'https://example.org/path',
    'postgres://app:$(DB_PASSWORD)@db/app',
    'amqp://user:${PASS}@mq',
    certificate,
    'ghp_short',
    'eyJ',
    'sha256:0123456789abcdef',
    'name@example.org',
    'http://a:80/b@c',
  ])('plain text stays: %s', (text) => {
    expect(redactCredentials(text, key)).toBe(text);
  });

  test('an object without secrets is given back as it is', () => {
    const object: JsonObject = { kind: 'ConfigMap', apiVersion: 'v1', data: { a: 'b', c: [1, null, true] } };
    expect(redactObject(object, key)).toBe(object);
  });

  test('time grows with the length and no faster', () => {
    const started = performance.now();
    for (const piece of [
      'eyJ',
      '://',
      '://a:',
      '-----BEGIN ',
      'AKIA',
      'ghp_',
      'eyJ.',
      'secret_access_key=',
      'hooks.slack.com/services/',
      '-----BEGIN RSA PRIVATE KEY',
    ]) {
      redactCredentials(piece.repeat(200_000), key);
      redactCredentials(`eyJ://-----BEGIN ${' '.repeat(100)}${piece.repeat(100_000)}`, key);
    }
    expect(performance.now() - started).toBeLessThan(30_000);
  });
});

describe('cluster Secrets of Argo CD', () => {
  const secret = (data: Record<string, string>) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'eu-1', labels: { 'argocd.argoproj.io/secret-type': 'cluster' } },
    data,
  });

  test('keep name, server and project, which hold no credential', () => {
    const name = base64('eu-1');
    const server = base64('https://eu-1.example.org:6443');
    const shown = redactObject(secret({ name, server, config: base64('{"bearerToken":"hunter2"}') }), key).data;
    expect(shown).toMatchObject({ name, server });
    expect(shown['config']).toMatch(/^redacted:/);
  });

  test('lose a server with a password in its URL', () => {
    const shown = redactObject(secret({ server: base64('https://admin:hunter2@eu-1.example.org') }), key).data;
    expect(shown['server']).toMatch(/^redacted:/);
  });

  test('and no other Secret keeps anything', () => {
    const plain = { ...secret({ name: base64('eu-1') }), metadata: { name: 'eu-1' } };
    expect(redactObject(plain, key).data['name']).toMatch(/^redacted:/);
  });
});

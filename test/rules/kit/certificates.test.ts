import { expect, test } from 'vitest';
import {
  firstCa,
  servedByFirstCa,
  servedBySecondCa,
  servedForOtherNamespace,
} from '../../../src/rules/admission/examples/certificates.ts';
import {
  commonName,
  coversName,
  isTrusted,
  readCertificates,
  readEncodedCertificates,
} from '../../../src/rules/kit/certificates.ts';

const read = (text: string) => readEncodedCertificates(text)!;

test('a chain is trusted by the CA that issued it, and by itself', () => {
  expect(isTrusted(read(servedByFirstCa), read(firstCa))).toBe(true);
  expect(isTrusted(read(servedBySecondCa), read(firstCa))).toBe(false);
  expect(isTrusted(read(servedBySecondCa), read(servedBySecondCa))).toBe(true);
});

test('names come from the subject alternative names', () => {
  expect(coversName(read(servedByFirstCa)[0]!, 'nx-admission.ingress-nginx.svc')).toBe(true);
  expect(coversName(read(servedForOtherNamespace)[0]!, 'nx-admission.ingress-nginx.svc')).toBe(false);
  expect(coversName(read(servedByFirstCa)[0]!, 'nx-admission')).toBe(false);
});

test('what is no bundle of certificates says nothing', () => {
  expect(readCertificates('')).toBeUndefined();
  expect(readCertificates('-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n')).toBeUndefined();
  expect(readCertificates('-----BEGIN CERTIFICATE-----\nnever closed')).toBeUndefined();
  expect(readEncodedCertificates('redacted:0123456789ab')).toBeUndefined();
});

test('a bundle holds several', () => {
  const text = [firstCa, servedBySecondCa].map((part) => Buffer.from(part, 'base64').toString()).join('');
  expect(readCertificates(text)?.map((certificate) => commonName(certificate.subject))).toEqual([
    'nx-admission-ca-1',
    'nx-admission',
  ]);
});

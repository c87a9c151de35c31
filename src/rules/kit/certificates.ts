import { X509Certificate } from 'node:crypto';

const block = '-----BEGIN CERTIFICATE-----';
const endBlock = '-----END CERTIFICATE-----';

/**
 * The certificates of a PEM bundle, in order. Undefined when the text is no PEM bundle or one of them cannot be read:
 * then nothing can be said about it (a placeholder, a redacted value, a masked random value).
 */
export function readCertificates(pem: string): readonly X509Certificate[] | undefined {
  if (pem.length > 1_000_000) return undefined;
  const parts = pem.split(block).slice(1);
  if (parts.length === 0 || parts.length > 40) return undefined;
  try {
    return parts.map((part) => {
      const end = part.indexOf(endBlock);
      if (end === -1) throw new Error('unterminated certificate');
      return new X509Certificate(`${block}${part.slice(0, end)}${endBlock}\n`);
    });
  } catch {
    return undefined;
  }
}

/** As {@link readCertificates}, from base64 as `caBundle` and Secret `data` hold it. */
export function readEncodedCertificates(base64: string): readonly X509Certificate[] | undefined {
  return readCertificates(Buffer.from(base64, 'base64').toString('utf8'));
}

/**
 * Would the API server trust this serving chain? As Go's `Certificate.Verify` with the bundle as roots: the leaf is in
 * the bundle, or a chain of issuers leads from it, over the other certificates that are served, into the bundle.
 * Validity dates are not looked at.
 */
export function isTrusted(chain: readonly X509Certificate[], roots: readonly X509Certificate[]): boolean {
  let current = chain[0];
  const rest = new Set(chain.slice(1));
  while (current !== undefined) {
    const certificate: X509Certificate = current;
    if (roots.some((root) => root.fingerprint256 === certificate.fingerprint256 || isIssuedBy(certificate, root)))
      return true;
    current = [...rest].find((issuer) => isIssuedBy(certificate, issuer));
    if (current !== undefined) rest.delete(current);
  }
  return false;
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** Is the DNS name among the subject alternative names? Go ignores the common name, and so does this. */
export function coversName(certificate: X509Certificate, name: string): boolean {
  return certificate.checkHost(name, { subject: 'never' }) !== undefined;
}

/** The subject's common name for people, else the whole subject. */
export function commonName(distinguishedName: string | undefined): string {
  const text = distinguishedName ?? '';
  return (
    text
      .split('\n')
      .find((part) => part.startsWith('CN='))
      ?.slice(3) ?? text.replaceAll('\n', ', ')
  );
}

import { isObject } from './json.ts';
import { createHmac } from 'node:crypto';
import type { Json, JsonObject } from './model.ts';

const mark = 'redacted:';

/**
 * Replaces what must not leave the process: values of Secrets, and anywhere else text that looks like a credential.
 * Equal values get equal fingerprints under one key, so a change of a secret is visible without its value.
 * Certificates, registry hosts of pull secrets and the fact that a value is SOPS-encrypted are kept.
 * Pure; linear in the size of the object; already redacted values stay as they are.
 * @param object any Kubernetes object or part of one; not changed
 * @param key secret of this user, 32 bytes
 * @returns the same object when there was nothing to hide
 */
export function redactObject<Value extends Json>(object: Value, key: Uint8Array): Value {
  return redactText(object, key) as Value;
}

/** `redacted:` and 12 hexadecimal digits of HMAC-SHA256(key, value). */
export function fingerprint(value: string | Uint8Array, key: Uint8Array): string {
  return mark + createHmac('sha256', key).update(value).digest('hex').slice(0, 12);
}

function isSecret(value: Json): boolean {
  return (
    isObject(value) && value['kind'] === 'Secret' && (value['apiVersion'] === 'v1' || value['apiVersion'] === undefined)
  );
}

// ---------------------------------------------------------------------------------------------
// kind: Secret
// ---------------------------------------------------------------------------------------------

function redactSecret(secret: JsonObject, key: Uint8Array): JsonObject {
  const { data, stringData, ...rest } = secret;
  const result: JsonObject = { ...(redactText({ ...rest, kind: '' }, key) as JsonObject), kind: 'Secret' };
  const metadata = result['metadata'];
  if (isObject(metadata)) result['metadata'] = redactLastApplied(metadata, key);
  const isPublic = publicFields(secret);
  const unless = (redact: typeof redactData) => (name: string, value: string) =>
    isPublic.has(name) && !hasUser(value) ? value : redact(name, value, key);
  if (data !== undefined) result['data'] = mapValues(data, key, unless(redactData));
  if (stringData !== undefined) result['stringData'] = mapValues(stringData, key, unless(redactStringData));
  return result;
}

/** A URL with a user or password in it, in clear or in base64. */
function hasUser(value: string): boolean {
  return [value, Buffer.from(value, 'base64').toString('latin1')].some((text) => /\/\/[^/]*@/.test(text));
}

const nothingPublic: ReadonlySet<string> = new Set();
const clusterFields: ReadonlySet<string> = new Set(['name', 'server', 'project']);

/**
 * Argo CD keeps its clusters in Secrets: name, URL and project are what a cluster generator needs, the credentials are
 * all in `config` (argo-cd docs/operator-manual/declarative-setup.md, "Clusters").
 */
function publicFields(secret: JsonObject): ReadonlySet<string> {
  const { metadata } = secret;
  const labels = isObject(metadata) ? metadata['labels'] : undefined;
  return isObject(labels) && labels['argocd.argoproj.io/secret-type'] === 'cluster' ? clusterFields : nothingPublic;
}

/** kubectl keeps a copy of the whole Secret in an annotation. */
function redactLastApplied(metadata: JsonObject, key: Uint8Array): JsonObject {
  const annotations = metadata['annotations'];
  const name = 'kubectl.kubernetes.io/last-applied-configuration';
  const value = isObject(annotations) ? annotations[name] : undefined;
  if (!isObject(annotations) || typeof value !== 'string' || value.startsWith(mark)) return metadata;
  return { ...metadata, annotations: { ...annotations, [name]: fingerprint(value, key) } };
}

function mapValues(
  values: Json,
  key: Uint8Array,
  redact: (name: string, value: string, key: Uint8Array) => string,
): Json {
  if (!isObject(values)) return values === null ? null : fingerprint(JSON.stringify(values), key);
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      if (value === null) return [name, null];
      return [name, redact(name, typeof value === 'string' ? value : JSON.stringify(value), key)];
    }),
  );
}

function redactData(name: string, value: string, key: Uint8Array): string {
  if (value.startsWith(mark)) return value;
  if (isSops(value)) return `${mark}sops`;
  const bytes = Buffer.from(value, 'base64');
  if (isPullSecret(name)) {
    const kept = redactPullSecret(bytes.toString('utf8'), key);
    if (kept !== undefined) return Buffer.from(kept).toString('base64');
  }
  const text = bytes.toString('utf8');
  if (isPublicCertificate(text)) return value;
  if (isSops(text)) return `${mark}sops`;
  return fingerprint(bytes, key);
}

function redactStringData(name: string, value: string, key: Uint8Array): string {
  if (value.startsWith(mark)) return value;
  if (isSops(value)) return `${mark}sops`;
  if (isPullSecret(name)) {
    const kept = redactPullSecret(value, key);
    if (kept !== undefined) return kept;
  }
  return isPublicCertificate(value) ? value : fingerprint(value, key);
}

function isSops(value: string): boolean {
  return value.startsWith('ENC[');
}

function isPublicCertificate(text: string): boolean {
  const start = text.trimStart();
  if (!start.startsWith('-----BEGIN CERTIFICATE') || text.includes('PRIVATE KEY')) return false;
  // Nothing but certificates: text between or behind them may be anything.
  return start
    .split(/-----BEGIN CERTIFICATE-----|-----END CERTIFICATE-----/)
    .every((part) => /^[A-Za-z0-9+/=\s]*$/.test(part));
}

function isPullSecret(name: string): boolean {
  return name === '.dockerconfigjson' || name === '.dockercfg';
}

/** Keeps the registry hosts; undefined when the text has another shape. */
function redactPullSecret(text: string, key: Uint8Array): string | undefined {
  let parsed: Json;
  try {
    parsed = JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
  if (!isObject(parsed)) return undefined;
  const auths = parsed['auths'];
  return JSON.stringify(isObject(auths) ? { auths: redactLeaves(auths, key) } : redactLeaves(parsed, key));
}

function redactLeaves(value: JsonObject, key: Uint8Array): JsonObject {
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => {
      if (isObject(entry)) return [name, redactLeaves(entry, key)];
      const text = typeof entry === 'string' ? entry : JSON.stringify(entry);
      return [name, text.startsWith(mark) ? text : fingerprint(text, key)];
    }),
  );
}

// ---------------------------------------------------------------------------------------------
// Credentials anywhere else
// ---------------------------------------------------------------------------------------------

function redactText(value: Json, key: Uint8Array): Json {
  // A Secret inside of something else (a List, a template) is a Secret all the same.
  if (isSecret(value)) return redactSecret(value as JsonObject, key);
  if (typeof value === 'string') return redactCredentials(value, key);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    let changed = false;
    const items = value.map((item) => {
      const redacted = redactText(item, key);
      changed ||= redacted !== item;
      return redacted;
    });
    return changed ? items : value;
  }
  let copy: JsonObject | undefined;
  for (const [name, entry] of Object.entries(value)) {
    const redacted = redactText(entry, key);
    if (redacted === entry) continue;
    copy ??= { ...value };
    copy[name] = redacted;
  }
  return copy ?? value;
}

// Cheap question first: most text has none of these marks.
const suspicious =
  /-----BEGIN|A[KS]IA[A-Z0-9]|gh[pousr]_|github_pat_|glpat-|xox[a-z]-|eyJ|:\/\/[^\s/@]*@|secret_access_key|hooks\.slack\.com/i;
// Runs of token characters: one class repeated, so that matching stays linear.
const tokenRun = /[A-Za-z0-9_.-]{16,}/g;
const tokenForms = [
  /^(?:AKIA|ASIA)[A-Z0-9]{16}$/,
  /^gh[pousr]_[A-Za-z0-9]{36,255}$/,
  /^github_pat_\w{22,255}$/,
  /^glpat-[\w-]{20,255}$/,
  /^xox[a-z]-[A-Za-z0-9-]{10,255}$/,
  /^eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}$/,
];
const urlPassword = /(:\/\/[^\s/:@]*:)([^\s/@]+)(?=@)/g;
const awsSecret = /(secret_access_key["']?\s{0,4}[=:]\s{0,4}["']?)([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])/gi;
const slackHook = /(hooks\.slack\.com\/services\/)([A-Za-z0-9/]{20,})/g;

/**
 * Replaces private keys, cloud and forge tokens, JSON web tokens and passwords in URLs inside of a text.
 * Plain words after `password:` are not touched: only what has the form of a credential.
 */
export function redactCredentials(text: string, key: Uint8Array): string {
  if (text.length < 12 || !suspicious.test(text)) return text;
  let result = redactPrivateKeys(text, key);
  result = result.replace(tokenRun, (run) => (tokenForms.some((form) => form.test(run)) ? fingerprint(run, key) : run));
  result = result.replace(awsSecret, (_all, lead: string, value: string) => lead + fingerprint(value, key));
  result = result.replace(slackHook, (_all, lead: string, value: string) => lead + fingerprint(value, key));
  return result.replace(urlPassword, (all: string, lead: string, password: string) =>
    isPlaceholder(password) ? all : lead + fingerprint(password, key),
  );
}

/** `$(PASSWORD)`, `${PASSWORD}`, `<password>`, or redacted before: no credential. */
function isPlaceholder(password: string): boolean {
  return /^(?:\$|\{\{|<|%|\*+$|redacted:)/.test(password);
}

function redactPrivateKeys(text: string, key: Uint8Array): string {
  let result = '';
  let from = 0;
  while (from < text.length) {
    const begin = text.indexOf('-----BEGIN ', from);
    if (begin === -1) break;
    const headEnd = text.indexOf('-----', begin + 11);
    if (headEnd === -1) break;
    if (headEnd - begin > 60 || !text.slice(begin, headEnd).includes('PRIVATE KEY')) {
      result += text.slice(from, begin + 11);
      from = begin + 11;
      continue;
    }
    const tail = text.indexOf('-----END ', headEnd);
    const tailEnd = tail === -1 ? -1 : text.indexOf('-----', tail + 9);
    const end = tailEnd === -1 ? text.length : tailEnd + 5;
    result += text.slice(from, begin) + fingerprint(text.slice(begin, end), key);
    from = end;
  }
  return result + text.slice(from);
}

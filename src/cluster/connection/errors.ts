import { GateError, messageOf } from '../../core/errors.ts';
import { ExchangeStopped } from './exchange-stopped.ts';

/** What a failed request was about. */
export interface Failure {
  /** URL of the server. */
  readonly server: string;
  readonly context: string;
  /** `GET /api/v1/pods`, without query. */
  readonly what: string;
  readonly timeoutMs: number;
  readonly budgetMs: number;
}

/** The sentence for an error of the socket, of TLS, or of a limit of ours. */
export function connectionError(failure: Failure, cause: unknown): GateError {
  if (cause instanceof ExchangeStopped) return stopped(failure, cause);
  const code = codeOf(cause);
  return tlsError(failure, code, cause) ?? unreachable(failure, code, cause);
}

export function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null ? (error as { code?: unknown }).code : undefined;
  if (typeof code === 'string') return code;
  // Several addresses of one name were tried: an AggregateError.
  const inner = (error as { errors?: readonly unknown[] } | undefined)?.errors?.[0];
  return inner === undefined ? '' : codeOf(inner);
}

function stopped(failure: Failure, cause: ExchangeStopped): GateError {
  const { server, what } = failure;
  switch (cause.reason) {
    case 'silence':
      return timeout(
        failure,
        `${server} accepted ${what} and did not answer within ${seconds(failure.timeoutMs)}`,
        cause,
      );
    case 'deadline':
      return deadlineError(failure, cause);
    case 'too-large':
      return badAnswer(failure, `the answer to ${what} is larger than gate reads`, cause);
    case 'bad-encoding':
      return badAnswer(failure, `the compressed answer to ${what} is damaged`, cause);
    default:
      return badAnswer(failure, cause.message, cause);
  }
}

export function deadlineError(failure: Failure, cause?: unknown): GateError {
  const { server, what, budgetMs } = failure;
  return timeout(
    failure,
    `${server} did not answer everything within ${seconds(budgetMs)}; ${what} was under way`,
    cause,
  );
}

function timeout(failure: Failure, message: string, cause: unknown): GateError {
  return new GateError({
    code: 'cluster.timeout',
    message,
    fault: 'tool',
    next: `Check that the server works (kubectl --context ${failure.context} get --raw /readyz), or give it more time with --cluster-timeout.`,
    cause,
  });
}

const unknownAuthority = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'INVALID_CA',
]);

function tlsError(failure: Failure, code: string, cause: unknown): GateError | undefined {
  const { server, context } = failure;
  const tls = (message: string, next: string): GateError =>
    new GateError({ code: 'cluster.tls', message, fault: 'user', next, cause });
  if (unknownAuthority.has(code)) {
    return tls(
      `The certificate of ${server} is signed by an authority that the context ${context} does not trust`,
      'Put the right certificate-authority-data into the kubeconfig; a proxy that opens TLS needs its own authority there.',
    );
  }
  if (code === 'CERT_HAS_EXPIRED') {
    return tls(`The certificate of ${server} has expired`, 'Renew the certificate of the API server.');
  }
  if (code === 'CERT_NOT_YET_VALID') {
    return tls(`The certificate of ${server} is not valid yet`, 'Check the clock of this machine.');
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return tls(
      `The certificate of ${server} is for another name (${messageOf(cause)
        .replace(/^.*altnames?:\s*/i, '')
        .slice(0, 200)})`,
      'Use a name that the certificate holds, or set tls-server-name in the kubeconfig.',
    );
  }
  if (/wrong.version.number|packet.length.too.long|http.request/i.test(`${code} ${messageOf(cause)}`)) {
    return tls(`${server} does not speak TLS`, 'Check the scheme and the port of the server in the kubeconfig.');
  }
  if (code === 'EPROTO' || /^ERR_(?:SSL|TLS|OSSL)_/.test(code)) {
    return tls(
      `The TLS handshake with ${server} failed: ${reasonOf(cause)}`,
      `Check certificate and key of the user of context ${context}.`,
    );
  }
  return undefined;
}

/** OpenSSL: `...:error:0A000412:SSL routines:ssl3_read_bytes:sslv3 alert bad certificate:../deps/...`. */
function reasonOf(cause: unknown): string {
  const text = messageOf(cause);
  return (/:SSL routines:[^:]*:([^:]+):/.exec(text)?.[1] ?? text).replace(/\s+/g, ' ').trim().slice(0, 200);
}

function unreachable(failure: Failure, code: string, cause: unknown): GateError {
  const { server, context } = failure;
  const host = URL.canParse(server) ? new URL(server).hostname : server;
  const why =
    code === 'ECONNREFUSED'
      ? 'refuses connections'
      : code === 'ENOTFOUND' || code === 'EAI_AGAIN'
        ? `cannot be found: the name ${host} does not resolve`
        : code === 'ECONNRESET' || code === 'EPIPE'
          ? `closes the connection during ${failure.what}`
          : code === 'ETIMEDOUT' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH'
            ? 'cannot be reached from here'
            : `cannot be reached: ${reasonOf(cause)}`;
  return new GateError({
    code: 'cluster.unreachable',
    message: `${server} ${why}`,
    fault: 'user',
    next: `Check the network, VPN and proxy, and the server of context ${context}.`,
    cause,
  });
}

export function badAnswer(failure: Failure, what: string, cause?: unknown): GateError {
  return new GateError({
    code: 'cluster.bad-answer',
    message: `${failure.server} does not answer as a Kubernetes API server: ${what}`,
    fault: 'tool',
    next: `Check that the server of context ${failure.context} is the API server itself, and no login page or proxy answers in its place.`,
    cause,
  });
}

/** @param detail what the last answer said, `503 Service Unavailable` */
export function overloaded(failure: Failure, detail: string, attempts: number): GateError {
  const tried = attempts === 1 ? '' : ` ${attempts} times`;
  return new GateError({
    code: 'cluster.overloaded',
    message: `${failure.server} answered ${failure.what}${tried} with ${detail}`,
    fault: 'tool',
    next: 'Try again when the server is well, or judge against a snapshot with --snapshot.',
  });
}

/** @param why a clause: "the token expired at 2026-11-20T10:00:00Z" */
export function unauthorized(failure: Failure, why: string, cause?: unknown): GateError {
  return new GateError({
    code: 'cluster.unauthorized',
    message: `${failure.server} does not accept the credentials of context ${failure.context}: ${why}`,
    fault: 'user',
    next: 'Log in again, or choose another context with --context.',
    cause,
  });
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 100) / 10} s`;
}

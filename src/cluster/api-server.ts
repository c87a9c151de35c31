import type { JsonObject } from '../core/model.ts';

/**
 * A connection to one Kubernetes API server: credentials, TLS, rate limit, retries and the deadline of the run are
 * behind it. Everything in this folder that asks the server goes through it.
 */
export interface ApiServer {
  /** What the connection is called: `--cluster-name`, the name in gate.yaml with this URL, else the context. */
  readonly name: string;
  readonly named: boolean;
  /** URL of the server, without a trailing slash. */
  readonly url: string;
  /**
   * One request. Answers 429 and 5xx are tried again (`Retry-After`, jittered backoff) as long as the deadline lasts;
   * every other status is an answer.
   * @param path absolute, with query: `/api/v1/pods?limit=500`
   * @throws GateError cluster.unreachable, cluster.tls, cluster.unauthorized, cluster.timeout, cluster.overloaded,
   *   cluster.bad-answer
   */
  request(method: 'GET' | 'POST' | 'PUT' | 'PATCH', path: string, options?: ApiRequestOptions): Promise<ApiAnswer>;
  close(): Promise<void>;
}

export interface ApiRequestOptions {
  readonly body?: JsonObject;
  /** Default `application/json`. */
  readonly contentType?: string;
  readonly accept?: string;
  /** Own time limit of this request, inside the deadline of the run. */
  readonly timeoutMs?: number;
  /**
   * A request that may not be repeated blindly, or whose 5xx is itself the answer (a webhook that fails). A 429 with
   * `Retry-After` is tried again all the same: nothing has seen the request yet.
   */
  readonly retry?: false;
  /** The answer is 304 with an empty body when the server still has this `ETag`. */
  readonly ifNoneMatch?: string;
}

export interface ApiAnswer {
  readonly status: number;
  /** The JSON answer; for errors a `metav1.Status`. */
  readonly body: JsonObject;
  /** Texts of the `Warning` headers. */
  readonly warnings: readonly string[];
  /** Value of `ETag`, `Cache-Control` and the like, in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** One kind as the server serves it. */
export interface ServedKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** In URLs and RBAC rules: `deployments`. */
  readonly plural: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  /** The version that the server prefers for this kind. */
  readonly preferred: boolean;
}

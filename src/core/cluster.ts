import type { JsonObject, KubeObject, ResourceRef } from './model.ts';

/** What Prometheus says of one container of a workload. */
export interface ContainerMetrics {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  readonly container: string;
  /** Kubernetes quantities as text. */
  readonly memoryWorkingSetP99?: string;
  readonly cpuP99?: string;
  /** Start of the container until the pod was ready. */
  readonly startSecondsP95?: number;
}

/** What Prometheus says of the traffic of one Service. */
export interface ServiceMetrics {
  readonly namespace: string;
  readonly name: string;
  readonly requestsPerSecond: number;
}

/** One container name over all pods of a workload. */
export interface ContainerPods {
  readonly name: string;
  /** An init container, also a sidecar (`restartPolicy: Always`). */
  readonly init?: true;
  readonly images: readonly ContainerImage[];
  /** Sum over the pods. */
  readonly restarts: number;
  /** Pods per waiting reason: `CrashLoopBackOff`, `ImagePullBackOff`. */
  readonly waiting: Readonly<Record<string, number>>;
  /** Pods per reason of the last termination: `OOMKilled`, `Error`. */
  readonly lastTerminated: Readonly<Record<string, number>>;
  /**
   * Seconds from the start of the container until its pod was ready: the fastest of the pods that are ready and in which
   * it never restarted. A later flip of readiness only makes the figure larger, so the smallest is the true one.
   */
  readonly startSeconds?: number;
}

export interface ContainerImage {
  /** As the pod names it. */
  readonly image: string;
  /** As the node resolved it, with digest; absent while it is not pulled. */
  readonly imageId?: string;
  readonly pullPolicy?: string;
  readonly pods: number;
  /** In how many of them the container runs now. */
  readonly running: number;
  /** Of the first pod that cannot pull it: `Pod shop/cache-1: ImagePullBackOff, not found`. At most 300 characters. */
  readonly pullFailure?: string;
}

/**
 * The pods of one workload, counted: what rules need of thousands of Pod objects. The same for a live cluster, a
 * snapshot and plain `kubectl get pods -o yaml`.
 */
export interface WorkloadPods {
  readonly namespace: string;
  /**
   * The owner that a repository declares: the Deployment of a ReplicaSet, the CronJob of a Job. A pod without a
   * controller stands for itself (`kind: Pod`).
   */
  readonly owner: { readonly group: string; readonly kind: string; readonly name: string };
  readonly total: number;
  readonly ready: number;
  readonly phases: Readonly<Record<string, number>>;
  /** Pods per node; those that no node took yet under ''. */
  readonly nodes: Readonly<Record<string, number>>;
  /** Labels that all of them have, without `pod-template-hash` and the like. */
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount?: string;
  /** Names of `imagePullSecrets` that any of them has; [] means that all of them pull without. */
  readonly pullSecrets: readonly string[];
  /** Requests of the largest pod as the scheduler counts them (init containers and overhead included). */
  readonly requests: { readonly cpu?: string; readonly memory?: string };
  readonly containers: readonly ContainerPods[];
  /** Seconds from start to ready, p95 over the pods that never restarted. */
  readonly startSecondsP95?: number;
  /** The scheduler's message of the first pod that no node takes. */
  readonly unschedulable?: string;
}

/** A Helm release as its storage Secret or ConfigMap says, without values. */
export interface HelmReleaseRecord {
  readonly namespace: string;
  readonly name: string;
  readonly revision: number;
  /** `deployed`, `failed`, `pending-upgrade`. */
  readonly status: string;
  readonly chart: string;
  readonly chartVersion: string;
  readonly appVersion?: string;
  /** `apps/v1/Deployment`: apiVersion and kind of every object of the stored manifest, sorted. */
  readonly apis: readonly string[];
}

/** A kind that was asked for and could not be read. */
export interface UnreadKind {
  /** `group/Kind`, core: `/Kind`. */
  readonly kind: string;
  /** Absent: in the whole cluster. */
  readonly namespaces?: readonly string[];
  /** One sentence: "list is forbidden for system:serviceaccount:gate:reader". */
  readonly reason: string;
  /** The RBAC rule that is missing, or what else to do. */
  readonly next?: string;
  /** The server failed at it (429, 5xx, no API answer) instead of refusing it: that is an outage, which nobody chose. */
  readonly failed?: boolean;
}

/** The state of one cluster, live or from a snapshot. Secret values are already redacted. */
export interface ClusterState {
  readonly name: string;
  /** Somebody chose the name (header, `--cluster-name`, gate.yaml). Otherwise it is the file's or the context's. */
  readonly named?: boolean;
  /** URL of the API server, when it was read live. */
  readonly server?: string;
  /** RFC 3339; absent for `kubectl get` output without a header. */
  readonly takenAt?: string;
  readonly kubernetesVersion?: string;
  readonly apiVersions?: readonly string[];
  /** Without Pods, which are counted in {@link pods}. */
  readonly objects: readonly KubeObject[];
  readonly pods: readonly WorkloadPods[];
  /** Schemas of custom kinds in the shape of CRDs, when the CRDs themselves may not be read. For comparing only. */
  readonly schemas?: readonly KubeObject[];
  readonly helmReleases: readonly HelmReleaseRecord[];
  readonly metrics: readonly ContainerMetrics[];
  readonly services: readonly ServiceMetrics[];
  /** Kinds (`group/Kind`, core: `/Kind`) that were read completely; a kind outside this list was not looked at. */
  readonly kinds: ReadonlySet<string>;
  /** Kinds of which only these namespaces were read. */
  readonly kindsInNamespaces?: ReadonlyMap<string, ReadonlySet<string>>;
  /** The kinds were read in all namespaces. Otherwise each namespace must show for itself. */
  readonly allNamespaces?: boolean;
  readonly unread: readonly UnreadKind[];
  /** False: fingerprints of another key. Values of Secrets (`redacted:...`) say nothing when they differ from rendered ones. */
  readonly secretsComparable?: boolean;
  /**
   * A snapshot taken with `--redact`: also ConfigMap values, literals of containers, most annotations and names of nodes
   * are `redacted:...`. Such a value says nothing when it differs from a rendered one.
   */
  readonly masked?: boolean;
}

/** What rendering needs to know before any object is read. */
export interface ClusterDescription {
  readonly name: string;
  readonly named?: boolean;
  readonly server?: string;
  readonly kubernetesVersion?: string;
  /** As Helm's `--api-versions`: `apps/v1`, `apps/v1/Deployment`. */
  readonly apiVersions?: readonly string[];
}

/** A kind to read: in the whole cluster, or in some namespaces. */
export interface WantedKind {
  /** `group/Kind`, core: `/Kind`. */
  readonly kind: string;
  /** API version to read it in, so that it compares with Git. Absent: the one that the server prefers. */
  readonly version?: string;
  readonly namespaces?: readonly string[];
}

/** One object to send with `dryRun=All`. */
export interface DryRunRequest {
  /** Chosen by the caller, unique in one call; the answer carries it. */
  readonly id: string;
  /** Without `status`. Secret values are placeholders: see the adapter. */
  readonly object: JsonObject;
  /** `apply`: server-side apply. `update`: PUT over the live object, else POST. `create`: POST. */
  readonly method: 'apply' | 'update' | 'create';
  readonly fieldManager: string;
  /** Server-side apply takes over fields of other managers. */
  readonly force: boolean;
  /** What the server does with unknown and duplicate fields; default `Warn`. Server-side apply always refuses unknown ones. */
  readonly fieldValidation?: 'Strict' | 'Warn';
}

export interface DryRunAnswer {
  readonly id: string;
  /** `unknown`: the server did not judge the object (timeout, forbidden, kind not served, namespace not there yet). */
  readonly outcome: 'accepted' | 'rejected' | 'unknown';
  /** HTTP status of the answer. */
  readonly code?: number;
  /** The server's own sentence; for `unknown` why nothing is known. */
  readonly message?: string;
  /**
   * `Invalid`, `Forbidden`, `BadRequest`; for `unknown` also our own: `NotAllowed` (RBAC of our identity), `Timeout`,
   * `Unreachable`, `NotServed`, `NoDryRun` (a webhook has side effects), `HiddenValue`, `SameChange`, `NotRead`.
   */
  readonly reason?: string;
  readonly causes?: readonly { readonly field?: string; readonly message: string }[];
  /** `Warning` headers: deprecations, unknown fields. */
  readonly warnings: readonly string[];
  /** What the server would store, redacted. */
  readonly object?: KubeObject;
  /** What to do when the outcome is unknown. */
  readonly next?: string;
}

/** What the server said to one changed object. */
export interface ObjectDryRun {
  readonly ref: ResourceRef;
  readonly target: string;
  /** How it was asked: "server-side apply as argocd-controller". */
  readonly method?: string;
  /** The object itself. */
  readonly apply?: DryRunAnswer;
  /** A pod of its template. */
  readonly pod?: DryRunAnswer;
}

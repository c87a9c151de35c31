export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** A Kubernetes object as it would be sent to the API server. Secret values are already redacted. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    [field: string]: unknown;
  };
  [field: string]: unknown;
}

/** Identity of an object. `group` is '' for the core group; `namespace` is absent for cluster-scoped kinds. */
export interface ResourceRef {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

export type Engine = 'argocd' | 'flux' | 'helm' | 'kustomize' | 'plain';
export type Side = 'before' | 'after';

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { TestCluster } from './cluster.ts';

/** One request as the API server's audit log records it at level Metadata (audit.k8s.io/v1 Event). */
export interface AuditEvent {
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string; readonly groups?: readonly string[] };
  readonly userAgent?: string;
  /** Absent for requests that are no resource requests: `/version`, `/openapi/v3`. */
  readonly objectRef?: {
    readonly resource: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly apiGroup?: string;
    readonly apiVersion?: string;
  };
  readonly responseStatus?: { readonly code: number };
  readonly stage: string;
  readonly requestReceivedTimestamp: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The log up to now. An event is written just after its answer was sent, so a last request of our own is waited for. */
export async function readAudit(file: string, request: TestCluster['request']): Promise<readonly AuditEvent[]> {
  const marker = `/version?marker=${randomUUID()}`;
  await request('GET', marker);
  for (;;) {
    const events = readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line) => (line.endsWith('}') ? [JSON.parse(line) as AuditEvent] : []));
    const end = events.findIndex((event) => event.requestURI === marker);
    if (end !== -1) return events.slice(0, end);
    await new Promise((next) => setTimeout(next, 20));
  }
}

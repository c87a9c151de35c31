import type { KubeObject } from '../../core/model.ts';
import type { PodMaker } from './cluster-view.ts';
import { at, containersOf, listAt, numberAt, stringAt } from './pods.ts';

/** One port of a Service with API defaults. */
export interface ServicePort {
  readonly name: string;
  readonly port: number;
  /** Number, or name of a container port. */
  readonly target: number | string;
}

/** Ports of a Service; a missing `targetPort` is the port itself. */
export function servicePorts(service: KubeObject): readonly ServicePort[] {
  return listAt(service, 'spec', 'ports').flatMap((entry) => {
    const port = numberAt(entry, 'port');
    if (port === undefined) return [];
    const target = at(entry, 'targetPort');
    return [
      {
        name: stringAt(entry, 'name') ?? '',
        port,
        target: typeof target === 'string' || typeof target === 'number' ? target : port,
      },
    ];
  });
}

/**
 * Does a pod of this maker declare the port, by name or by number? Names of init containers do not count, sidecars do.
 * Of pods that are only counted nobody can say: they are taken to.
 */
export function declaresPort(maker: PodMaker, target: number | string): boolean {
  if (maker.counted === true) return true;
  return portsOf(maker).some((port) => port.name === target || port.number === Number(target));
}

/** Declares any port at all: then a number that is not among them is worth a question. */
export function declaresPorts(maker: PodMaker): boolean {
  return portsOf(maker).length > 0;
}

function portsOf(maker: PodMaker): { readonly name: string; readonly number: number }[] {
  return containersOf(maker.template)
    .filter(({ list, sidecar }) => list === 'containers' || sidecar)
    .flatMap(({ container }) =>
      listAt(container, 'ports').map((port) => ({
        name: stringAt(port, 'name') ?? '',
        number: numberAt(port, 'containerPort') ?? -1,
      })),
    );
}

/** Is this reference to a Service port (number or name) resolved by these ports? A consumer may also use targetPort-less names. */
export function offers(ports: readonly ServicePort[], wanted: number | string | undefined): boolean {
  if (wanted === undefined) return true;
  return ports.some(
    (port) =>
      port.port === wanted || (typeof wanted === 'string' && port.name === wanted) || String(port.port) === wanted,
  );
}

import type { Entry } from '../../core/model.ts';
import type { World } from '../../core/rule.ts';
import { getOrMake, memo } from './memo.ts';
import { at, listAt, stringAt, stringMapAt } from './pods.ts';
import { matchesLabels } from './select.ts';

/** Something that sends requests to a Service of the world. */
export interface ServiceConsumer {
  readonly entry: Entry;
  /** Pointer to the reference in the consumer. */
  readonly path: string;
  /** Number or name of the Service port; undefined when the consumer names none. */
  readonly port?: number | string;
}

function namespaceKey(scope: string, namespace: string): string {
  return `${scope}\u0000${namespace}`;
}

/** Services with a selector, by scope, namespace and the first label that they ask for. */
const servicesOfWorld = memo((world: World) => {
  const index = new Map<string, { entry: Entry; selector: Record<string, string> }[]>();
  for (const entry of world.ofKind('', 'Service')) {
    const selector = stringMapAt(entry.effective, 'spec', 'selector');
    if (Object.keys(selector).length === 0) continue;
    const [first] = Object.entries(selector);
    const key = namespaceKey(entry.target.scope, entry.ref.namespace ?? 'default');
    getOrMake(index, [key, ...first!].join('\u0000'), () => []).push({ entry, selector });
  }
  return index;
});

/** Services of a side that select pods with these labels. A Service without a selector selects nothing. */
export function servicesSelecting(
  world: World,
  scope: string,
  namespace: string | undefined,
  labels: Readonly<Record<string, string>>,
): readonly Entry[] {
  const key = namespaceKey(scope, namespace ?? 'default');
  return Object.entries(labels)
    .flatMap((label) => servicesOfWorld(world).get([key, ...label].join('\u0000')) ?? [])
    .filter(({ selector }) => matchesLabels(selector, labels))
    .map(({ entry }) => entry);
}

/** Consumers by scope, namespace and Service name. */
const consumersOfWorld = memo((world: World) => {
  const consumers = new Map<string, ServiceConsumer[]>();
  const add: Add = (namespace, service, consumer) => {
    const key = `${namespaceKey(consumer.entry.target.scope, namespace)}\u0000${service}`;
    getOrMake(consumers, key, () => []).push(consumer);
  };
  collectIngresses(world, add);
  collectRoutes(world, add);
  collectVirtualServices(world, add);
  collectApiBackends(world, add);
  return consumers;
});

/** Ingresses, routes, VirtualServices, webhooks and APIServices that name this Service. */
export function consumersOf(world: World, service: Entry): readonly ServiceConsumer[] {
  const namespace = service.ref.namespace ?? 'default';
  const key = `${namespaceKey(service.target.scope, namespace)}\u0000${service.ref.name}`;
  return consumersOfWorld(world).get(key) ?? [];
}

type Add = (namespace: string, service: string, consumer: ServiceConsumer) => void;

function portOf(value: unknown): { port?: number | string } {
  return typeof value === 'number' || (typeof value === 'string' && value !== '') ? { port: value } : {};
}

function collectIngresses(world: World, add: Add): void {
  for (const group of ['networking.k8s.io', 'extensions']) {
    for (const entry of world.ofKind(group, 'Ingress')) {
      const spec = at(entry.effective, 'spec');
      const backend = (value: unknown, path: string) => {
        const name = stringAt(value, 'service', 'name') ?? stringAt(value, 'serviceName');
        if (name === undefined) return;
        const port =
          at(value, 'service', 'port', 'number') ?? at(value, 'service', 'port', 'name') ?? at(value, 'servicePort');
        add(entry.ref.namespace ?? 'default', name, { entry, path, ...portOf(port) });
      };
      backend(at(spec, 'defaultBackend') ?? at(spec, 'backend'), '/spec/defaultBackend');
      listAt(spec, 'rules').forEach((rule, r) =>
        listAt(rule, 'http', 'paths').forEach((path, p) =>
          backend(at(path, 'backend'), `/spec/rules/${r}/http/paths/${p}/backend`),
        ),
      );
    }
  }
}

function collectRoutes(world: World, add: Add): void {
  for (const kind of ['HTTPRoute', 'GRPCRoute', 'TCPRoute', 'TLSRoute', 'UDPRoute']) {
    for (const entry of world.ofKind('gateway.networking.k8s.io', kind)) {
      listAt(entry.effective, 'spec', 'rules').forEach((rule, r) =>
        listAt(rule, 'backendRefs').forEach((ref, b) => {
          const name = stringAt(ref, 'name');
          if (name === undefined || (stringAt(ref, 'kind') ?? 'Service') !== 'Service') return;
          const namespace = stringAt(ref, 'namespace') ?? entry.ref.namespace ?? 'default';
          add(namespace, name, {
            entry,
            path: `/spec/rules/${r}/backendRefs/${b}`,
            ...portOf(at(ref, 'port')),
          });
        }),
      );
    }
  }
  for (const group of ['traefik.io', 'traefik.containo.us']) {
    for (const entry of world.ofKind(group, 'IngressRoute')) {
      listAt(entry.effective, 'spec', 'routes').forEach((route, r) =>
        listAt(route, 'services').forEach((service, s) => {
          const name = stringAt(service, 'name');
          if (name === undefined || (stringAt(service, 'kind') ?? 'Service') !== 'Service') return;
          add(stringAt(service, 'namespace') ?? entry.ref.namespace ?? 'default', name, {
            entry,
            path: `/spec/routes/${r}/services/${s}`,
            ...portOf(at(service, 'port')),
          });
        }),
      );
    }
  }
}

/** Istio resolves short hosts in the namespace of the VirtualService; FQDNs end in `.svc.<cluster domain>`. */
function collectVirtualServices(world: World, add: Add): void {
  for (const entry of world.ofKind('networking.istio.io', 'VirtualService')) {
    for (const protocol of ['http', 'tcp', 'tls']) {
      listAt(entry.effective, 'spec', protocol).forEach((rule, r) =>
        listAt(rule, 'route').forEach((route, d) => {
          const host = stringAt(route, 'destination', 'host');
          if (host === undefined || host === '') return;
          const [name = '', namespace, svc] = host.split('.');
          if (namespace !== undefined && svc !== undefined && svc !== 'svc') return;
          add(namespace ?? entry.ref.namespace ?? 'default', name, {
            entry,
            path: `/spec/${protocol}/${r}/route/${d}/destination`,
            ...portOf(at(route, 'destination', 'port', 'number')),
          });
        }),
      );
    }
  }
}

function collectApiBackends(world: World, add: Add): void {
  for (const kind of ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration']) {
    for (const entry of world.ofKind('admissionregistration.k8s.io', kind)) {
      for (const webhook of listAt(entry.effective, 'webhooks')) {
        const service = at(webhook, 'clientConfig', 'service');
        const name = stringAt(service, 'name');
        const namespace = stringAt(service, 'namespace');
        if (name === undefined || namespace === undefined) continue;
        add(namespace, name, {
          entry,
          path: `/webhooks/${stringAt(webhook, 'name') ?? ''}/clientConfig/service`,
          port: typeof at(service, 'port') === 'number' ? (at(service, 'port') as number) : 443,
        });
      }
    }
  }
  for (const entry of world.ofKind('apiregistration.k8s.io', 'APIService')) {
    const name = stringAt(entry.effective, 'spec', 'service', 'name');
    const namespace = stringAt(entry.effective, 'spec', 'service', 'namespace');
    if (name === undefined || namespace === undefined) continue;
    const port = at(entry.effective, 'spec', 'service', 'port');
    add(namespace, name, {
      entry,
      path: '/spec/service',
      port: typeof port === 'number' ? port : 443,
    });
  }
}

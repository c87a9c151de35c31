/**
 * Time of the diff alone on 20,000 manifests in 200 targets: `node test/diff/bench.ts [manifests]`.
 * Not a test: figures depend on the machine.
 */
import type { KubeObject, Manifest, RenderResult } from '../../src/core/model.ts';
import { diffSides } from '../../src/diff/diff.ts';
import { target } from './sides.ts';

const total = Number(process.argv[2] ?? 20_000);
const perTarget = 100;

function deployment(name: string, tag: string): KubeObject {
  const container = (index: number): object => ({
    name: `c${index}`,
    image: `registry.example.com/shop/${name}:${tag}`,
    env: Array.from({ length: 15 }, (_item, at) => ({ name: `VARIABLE_${at}`, value: `value-${at}` })),
    ports: [{ containerPort: 8080 + index }],
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
    readinessProbe: { httpGet: { path: '/ready', port: 8080 } },
    volumeMounts: [{ name: 'config', mountPath: '/etc/config' }],
  });
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'shop', labels: { app: name, team: 'shop' } },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [container(0), container(1)], volumes: [{ name: 'config', configMap: { name } }] },
      },
    },
  };
}

function configMap(name: string, value: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'shop', labels: { app: name } },
    data: Object.fromEntries(Array.from({ length: 20 }, (_item, index) => [`key-${index}`, `${value}-${index}`])),
  };
}

function service(name: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'shop' },
    spec: { selector: { app: name }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
  };
}

/** One side; every `changedEvery`th object is another one than on the side without. */
function side(changedEvery: number): RenderResult[] {
  return Array.from({ length: total / perTarget }, (_item, index) => {
    const of = target(`app-${index}`);
    const manifests = Array.from({ length: perTarget }, (_entry, at): Manifest => {
      const number = index * perTarget + at;
      const name = `app-${number}`;
      const changed = changedEvery > 0 && number % changedEvery === 0 ? 'b' : 'a';
      const object =
        number % 3 === 0 ? deployment(name, changed) : number % 3 === 1 ? configMap(name, changed) : service(name);
      const group = object.apiVersion.includes('/') ? 'apps' : '';
      return { ref: { group, version: 'v1', kind: object.kind, namespace: 'shop', name }, object, provenance: {} };
    });
    return { ok: true, target: of, manifests, warnings: [] };
  });
}

function measure(
  label: string,
  run: () => { readonly changes: readonly unknown[]; readonly drift: readonly unknown[] },
): void {
  const start = performance.now();
  const result = run();
  const took = Math.round(performance.now() - start);
  process.stdout.write(
    `${label.padEnd(52)} ${String(took).padStart(6)} ms  ${result.changes.length} changes, ${result.drift.length} drift\n`,
  );
}

const same = side(0);
measure(`${total} manifests, both sides the same objects`, () => diffSides({ before: same, after: same }));
const [before, after] = [side(0), side(0)];
measure('equal content, other objects', () => diffSides({ before, after }));
const some = side(20);
measure('5 % changed', () => diffSides({ before: side(0), after: some }));
const all = side(1);
measure('all changed', () => diffSides({ before: side(0), after: all }));
measure('all changed, second run on the same objects', () => diffSides({ before, after: all }));
const live = side(0).flatMap((result) => (result.ok ? result.manifests.map((manifest) => manifest.object) : []));
measure('5 % changed, with live objects', () =>
  diffSides({ before: side(0), after: side(20), live: () => ({ objects: live }) }),
);

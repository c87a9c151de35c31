import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { defaultConfig, loadConfig } from '../../src/config/load.ts';
import { isGateError, type GateError } from '../../src/core/errors.ts';

const knownRules = [
  {
    id: 'mass-deletion',
    options: Type.Object({
      limit: Type.Integer({ minimum: 1 }),
      mode: Type.Optional(Type.Union([Type.Literal('a'), Type.Literal('b')])),
    }),
  },
  'replicas-cut',
];

function load(text: string) {
  return loadConfig({ text, file: 'gate.yaml', directory: '/repo/config', knownRules });
}

function failure(text: string): GateError {
  try {
    load(text);
  } catch (error) {
    if (isGateError(error)) return error;
    throw error;
  }
  throw new Error('was accepted');
}

describe('what a valid gate.yaml becomes', () => {
  it('is the default when it is empty or only comments', () => {
    expect(load('')).toEqual({ ...defaultConfig(), file: 'gate.yaml' });
    expect(load('# nothing\n').digest).toBe(defaultConfig().digest);
    expect(load('targets:\nexclude:\n').targets).toEqual([]);
    expect(defaultConfig()).toMatchObject({
      detect: true,
      argocd: { version: '3.5', namespace: 'argocd' },
      flux: { version: '2.9', strictSubstitutions: 'by-version' },
    });
  });

  it('holds the targets as the operator wrote them', () => {
    const config = load(`
targets:
  - {name: shop, helm: {chart: ./charts/shop/, values: [envs/prod/shop.yaml], release: shop, namespace: shop,
      set: {global.host: example.org, count: 3, on: true}, extraValues: [stub.yaml]}, environment: production, cluster: eu-1}
  - {name: edge, kustomize: {path: overlays/prod}, environment: production}
  - {name: crds, manifests: {path: deploy/crds, recurse: false}, tools: {helm: "4.2.4"}}
  - {name: remote, helm: {chart: {repository: "https://charts.example.org", name: redis, version: "^18"}}}
  - {name: registry, helm: {chart: {oci: oci://registry.example.org/charts/a, version: "1.0.0"}}}
  - {name: short, helm: {chart: oci://registry.example.org/charts/a}}
  - {name: joined, helm: {chart: {repository: oci://registry.example.org/charts/, name: b}}}
detect: false
`);
    expect(config.detect).toBe(false);
    expect(config.targets[0]).toEqual({
      name: 'shop',
      environment: 'production',
      cluster: 'eu-1',
      tools: {},
      source: {
        type: 'helm',
        chart: { from: 'tree', path: 'charts/shop' },
        values: ['envs/prod/shop.yaml'],
        extraValues: ['/repo/config/stub.yaml'],
        release: 'shop',
        namespace: 'shop',
        set: { 'global.host': 'example.org', count: '3', on: 'true' },
      },
    });
    expect(config.targets.map((target) => target.source)).toMatchObject([
      {},
      { type: 'kustomize', path: 'overlays/prod', enableHelm: false },
      { type: 'manifests', path: 'deploy/crds', recurse: false },
      { chart: { from: 'repository', url: 'https://charts.example.org', name: 'redis', version: '^18' } },
      { chart: { from: 'oci', url: 'oci://registry.example.org/charts/a', version: '1.0.0' } },
      { chart: { from: 'oci', url: 'oci://registry.example.org/charts/a', version: '' } },
      { chart: { from: 'oci', url: 'oci://registry.example.org/charts/b', version: '' } },
    ]);
    expect(config.targets[2]?.tools).toEqual({ helm: '4.2.4' });
  });

  it('reads rules, waivers, environments and folders', () => {
    const config = load(`
rules: {mass-deletion: {severity: high, options: {limit: 3}}, replicas-cut: off}
waivers: [{rule: replicas-cut, resource: Deployment/shop/*, reason: planned, owner: team, expires: 2027-02-28}]
environments: [{name: dev-eu}, {name: prod-eu, onIncomplete: warn}, {name: lab, production: true}]
chartRepositories: {"https://charts.example.org": ./vendor, "https://b.example.org": "https://mirror.example.org/b"}
gitRepositories: {"https://git.example.org/x": ../x}
`);
    expect(config.rules).toEqual({
      'mass-deletion': { level: 'on', severity: 'high', options: { limit: 3 } },
      'replicas-cut': { level: 'off' },
    });
    expect(config.waivers[0]?.expires).toBe('2027-02-28');
    expect(config.environments.map(({ name, production, onIncomplete }) => [name, production, onIncomplete])).toEqual([
      ['dev-eu', false, 'fail'],
      ['prod-eu', true, 'warn'],
      ['lab', true, 'fail'],
    ]);
    expect(config.chartRepositories).toEqual({
      'https://charts.example.org': '/repo/config/vendor',
      'https://b.example.org': 'https://mirror.example.org/b',
    });
    expect(config.gitRepositories).toEqual({ 'https://git.example.org/x': '/repo/x' });
  });

  it('has a digest of the content, not of its spelling or place', () => {
    const one = load('detect: false\nexclude: [a]\n').digest;
    expect(load('# c\nexclude:\n- a\ndetect: false\n').digest).toBe(one);
    expect(
      loadConfig({ text: 'detect: false\nexclude: [a]\n', file: 'x', directory: '/other', knownRules }).digest,
    ).toBe(one);
    expect(load('detect: false\nexclude: [b]\n').digest).not.toBe(one);
  });
});

describe('what an invalid gate.yaml says', () => {
  it.each([
    ['detct: true\n', 'unknown key "detct"', 1, 1, 'Did you mean detect?'],
    [
      'detect: true\ntargets:\n  - name: a\n    helm: {chrat: x}\n',
      'unknown key "chrat" in targets[0].helm',
      4,
      12,
      'Did you mean chart?',
    ],
    [
      'targets:\n  - name: a\n    kustomize: {path: x, enablehelm: true}\n',
      'unknown key "enablehelm" in targets[0].kustomize',
      3,
      26,
      'Did you mean enableHelm?',
    ],
    [
      'kubernetesVersion: 1.30\n',
      'kubernetesVersion must be text, not the number 1.30',
      1,
      20,
      'Write it in quotes: "1.30".',
    ],
    ['detect: "no"\n', 'detect must be true or false, not "no"', 1, 9, undefined],
    ['exclude: a\n', 'exclude must be a list, not "a"', 1, 10, undefined],
    ['tools: {helm: "3.19"}\n', 'tools.helm must look like "3.19.5", not "3.19"', 1, 15, undefined],
    ['rules: {mass-deletoin: off}\n', 'there is no rule "mass-deletoin"', 1, 9, 'Did you mean mass-deletion?'],
    [
      'rules: {mass-deletion: hgih}\n',
      'rules.mass-deletion must be one of off, on, critical, high, medium, low, not "hgih"',
      1,
      24,
      'Did you mean high?',
    ],
    ['rules: {mass-deletion: {options: {limt: 1}}}\n', 'unknown key "limt"', 1, 35, 'Did you mean limit?'],
    [
      'rules: {mass-deletion: {options: {limit: 0}}}\n',
      'rules.mass-deletion.options.limit must be at least 1, not the number 0',
      1,
      42,
      undefined,
    ],
    [
      'waivers: [{rule: replicas-cut, resource: "*", reason: r, owner: o, expires: 2027-02-30}]\n',
      'waivers[0].expires: 2027-02-30 is not a day of the calendar',
      1,
      77,
      undefined,
    ],
    [
      'waivers: [{rule: replicas-cut, resource: "*", reason: "", owner: o, expires: 2027-02-20}]\n',
      'waivers[0].reason must not be empty',
      1,
      55,
      undefined,
    ],
    [
      'waivers: [{rule: replicas-cut, resource: "*", owner: o, expires: 2027-02-20}]\n',
      'waivers[0] needs the key "reason"',
      1,
      11,
      undefined,
    ],
    [
      'targets: [{name: a, kustomize: {path: x}, manifests: {path: x}}]\n',
      'targets[0] needs exactly one of helm, kustomize, manifests, and has kustomize and manifests',
      1,
      11,
      undefined,
    ],
    ['targets: [{name: a}]\n', 'and has none', 1, 11, undefined],
    ['targets: [{name: a, kustomize: {path: ../x}}]\n', '../x lies outside of the repository', 1, 39, undefined],
    ['targets: [{name: a, helm: {chart: /etc}}]\n', '/etc lies outside of the repository', 1, 35, undefined],
    [
      'targets: [{name: a, manifests: {path: x}}, {name: a, manifests: {path: y}}]\n',
      'targets: the name "a" occurs twice',
      1,
      51,
      undefined,
    ],
    ['environments: [{name: a, onIncomplete: ignore}]\n', 'must be one of fail, warn', 1, 40, undefined],
    ['__proto__: {a: 1}\n', 'unknown key "__proto__"', 1, 1, undefined],
    ['- a\n', 'must be a map, not a list', 1, 1, undefined],
  ])('%j', (text, message, line, column, next) => {
    const error = failure(text);
    expect(error.message).toContain(message);
    expect(error).toMatchObject({
      code: 'config.invalid',
      fault: 'user',
      location: { file: 'gate.yaml', line, column },
    });
    if (next !== undefined) expect(error.next).toBe(next);
  });

  it('lists further mistakes with their lines', () => {
    expect(failure('a: 1\ndetect: 1\n').message).toBe(
      'unknown key "a"\ngate.yaml:2:9: detect must be true or false, not the number 1',
    );
  });

  it.each([
    ['detect: true\ndetect: false\n', 2, 1],
    ['a: [\n', 2, 1],
    ['a:\n\t- b\n', 2, 1],
    ['--- a\n--- b\n', 2, 1],
  ])('%j is not YAML', (text, line, column) => {
    expect(failure(text)).toMatchObject({ code: 'config.yaml', location: { line, column } });
  });

  it('does not let keys of a map reach a prototype', () => {
    const config = load('chartRepositories: {__proto__: x}\nclusters: [{name: a, labels: {__proto__: x}}]\n');
    expect(Object.getPrototypeOf(config.chartRepositories)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('ends on aliases that grow without end', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefghi'.split('').map(
        (name, index) =>
          `${name}: &${name} [${Array(9)
            .fill(`*${'abcdefgh'[index] ?? ''}`)
            .join(',')}]`,
      ),
    ].join('\n');
    expect(failure(bomb).code).toBe('config.invalid');
    expect(failure('exclude: &a [*a]\n').code).toMatch(/^config\./);
    expect(failure('rules: {replicas-cut: {options: &a {b: [*a, *a]}}}\n').code).toBe('config.yaml');
    const wide = bomb.replaceAll(/^/gm, '      ');
    expect(failure(`rules:\n  replicas-cut:\n    options:\n${wide}\n`).code).toBe('config.yaml');
  });
});

describe('prometheus', () => {
  it('has a window of seven days and the built-in queries unless it says otherwise', () => {
    expect(load('prometheus: {url: "http://prometheus.monitoring:9090"}\n').prometheus).toEqual({
      url: 'http://prometheus.monitoring:9090',
      window: '7d',
      labels: {},
      queries: {},
    });
    const full = load(`
prometheus:
  url: https://mimir.example.org/prometheus
  window: 2w
  labels: {cluster: eu-1}
  queries: {requests: 'sum by (namespace, service) (rate(app_requests_total[$window]))'}
`).prometheus;
    expect(full).toEqual({
      url: 'https://mimir.example.org/prometheus',
      window: '2w',
      labels: { cluster: 'eu-1' },
      queries: { requests: 'sum by (namespace, service) (rate(app_requests_total[$window]))' },
    });
  });

  it.each([
    ['an unknown key', 'prometheus: {url: "http://p:9090", windows: 7d}', 'unknown key "windows" in prometheus'],
    ['a token in the file', 'prometheus: {url: "http://p:9090", token: abc}', 'unknown key "token" in prometheus'],
    ['an unknown query', 'prometheus: {url: "http://p:9090", queries: {disk: x}}', 'unknown key "disk"'],
    ['another protocol', 'prometheus: {url: "file:///etc/passwd"}', 'prometheus.url must look like'],
    ['a window that is no duration', 'prometheus: {url: "http://p:9090", window: 7 days}', 'prometheus.window'],
    ['a label that PromQL cannot name', 'prometheus: {url: "http://p:9090", labels: {"a-b": x}}', 'no name of'],
  ])('refuses %s', (_, text, message) => {
    expect(failure(`${text}\n`).message).toContain(message);
  });

  it.each(['http://joe:hunter2@p:9090', 'ftp://joe:hunter2@p', 'joe:hunter2@p', 'http://joe:hunter2@'])(
    'does not repeat the password in %s',
    (url) => {
      const { message, next = '' } = failure(`prometheus: {url: "${url}"}\n`);
      expect(message).toContain('prometheus.url');
      expect(message + next).not.toContain('hunter2');
    },
  );
});

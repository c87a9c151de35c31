import { describe, expect, it } from 'vitest';
import { digestManifests } from '../../src/core/digest.ts';
import { GateError } from '../../src/core/errors.ts';
import type { Finding, KubeObject, Manifest, ResourceRef, Target } from '../../src/core/model.ts';
import { withObjectDigests, type States } from '../../src/pipeline/states.ts';
import { finding } from '../kit/finding.ts';
import { deployment, reportEntry, reportTarget } from '../kit/report.ts';

const set: ResourceRef = {
  group: 'argoproj.io',
  version: 'v1alpha1',
  kind: 'ApplicationSet',
  namespace: 'argocd',
  name: 'cells',
};
const application: ResourceRef = { ...set, kind: 'Application', name: 'shop' };
const api: ResourceRef = { group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'shop', name: 'api' };
const shop = reportTarget('shop');

const manifest = (object: KubeObject): Manifest => reportEntry(object, shop);
const render = (...objects: KubeObject[]) => digestManifests(objects.map(manifest));

function stateOf(over: Partial<Finding>, states: Partial<States> = {}): string | undefined {
  const digests = new Map([[shop.id, render(deployment('api', 'x:1'))]]);
  const all: States = {
    digests,
    targets: new Map([[shop.id, shop]]),
    removed: () => false,
    readFile: () => undefined,
    ...states,
  };
  return withObjectDigests([finding({ target: shop.id, resource: api, ...over })], all)[0]?.objectDigest;
}

describe('the state that an approval is bound to', () => {
  it('is the digest of the object, whatever else its target renders', () => {
    const own = stateOf({});
    expect(own).toBe(render(deployment('api', 'x:1')).objects.get('apps\0Deployment\0shop\0api'));
    const more = new Map([[shop.id, render(deployment('api', 'x:1'), deployment('other', 'x:1'))]]);
    expect(stateOf({}, { digests: more })).toBe(own);
    expect(stateOf({}, { digests: new Map([[shop.id, render(deployment('api', 'x:2'))]]) })).not.toBe(own);
  });

  it('is everything that the target renders where the object is gone, or declares the target', () => {
    const whole = render(deployment('api', 'x:1')).digest;
    expect(stateOf({ resource: { ...api, name: 'gone' } })).toBe(whole);
    const self = {
      ...reportEntry(deployment('api', 'x:1'), shop).object,
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { name: 'shop', namespace: 'argocd' },
    };
    const digests = new Map([[shop.id, render(self)]]);
    const targets = new Map<string, Target>([[shop.id, { ...shop, declaredBy: application }]]);
    expect(stateOf({ resource: application }, { digests, targets })).toBe(digests.get(shop.id)?.digest);
  });

  it('is not known where a target did not render, and known where it is gone', () => {
    expect(stateOf({}, { digests: new Map() })).toBeUndefined();
    expect(stateOf({}, { digests: new Map(), removed: () => true })).toMatch(/^sha256:/);
  });

  it('holds every target of a folded finding, in any order', () => {
    const two = { ...shop, id: 'two' };
    const render2 = (image: string) =>
      new Map([
        [shop.id, render(deployment('api', 'x:1'))],
        [two.id, render(deployment('api', image))],
      ]);
    const folded = stateOf({ alsoIn: ['two'] }, { digests: render2('x:1') });
    expect(folded).not.toBe(stateOf({}));
    expect(stateOf({ target: 'two', alsoIn: [shop.id] }, { digests: render2('x:1') })).toBe(folded);
    expect(stateOf({ alsoIn: ['two'] }, { digests: render2('x:2') })).not.toBe(folded);
    expect(stateOf({ alsoIn: ['two'] })).toBeUndefined();
  });

  it('of an ApplicationSet holds what it generates: three that vanish are not thirty', () => {
    const generates = (...ids: string[]) => ({
      targets: new Map<string, Target>(ids.map((id) => [id, { ...shop, id, declaredBy: set }])),
      removed: (id: string) => id === shop.id,
      digests: new Map(),
    });
    const some = stateOf({ resource: set }, generates('a', 'b'));
    expect(some).toMatch(/^sha256:/);
    expect(stateOf({ resource: set }, generates('b', 'a'))).toBe(some);
    expect(stateOf({ resource: set }, generates('a'))).not.toBe(some);
    expect(stateOf({ resource: set }, generates())).not.toBe(some);
  });

  it('of a file of no target is its text', () => {
    const of = (readFile: States['readFile']) =>
      stateOf({ target: '', location: { file: 'Dockerfile', line: 1 } }, { readFile });
    expect(of(() => 'FROM a')).toBe(of(() => 'FROM a'));
    expect(of(() => 'FROM a')).not.toBe(of(() => 'FROM b'));
    expect(of(() => '')).not.toBe(of(() => undefined));
    expect(stateOf({ target: '' })).toBeUndefined();
    const binary = () => {
      throw new GateError({ code: 'tree.binary', message: 'binary', fault: 'user' });
    };
    expect(of(binary)).toBeUndefined();
  });
});

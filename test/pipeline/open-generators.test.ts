import { expect, test } from 'vitest';
import type { Impact, ResourceChange } from '../../src/core/model.ts';
import { openGenerators } from '../../src/pipeline/open-generators.ts';
import { generatorKey } from '../../src/pipeline/targets.ts';

const change = (name: string, impact: Impact = 'configuration', kind = 'ApplicationSet'): ResourceChange => ({
  action: 'changed',
  ref: { group: 'argoproj.io', version: 'v1alpha1', kind, namespace: 'argocd', name },
  target: 'kustomize:sets',
  fields: [],
  impact,
});

test('a rendered ApplicationSet that changes and cannot be expanded completely leaves the verdict open', () => {
  const keys = new Set(['argoproj.io/ApplicationSet/argocd/all', 'argoproj.io/ApplicationSet/argocd/labels']);
  const changes = [
    change('all'),
    change('all'),
    change('known'),
    change('labels', 'metadata'),
    change('all', 'configuration', 'Application'),
  ];
  expect(openGenerators(changes, keys, generatorKey)).toEqual([
    expect.objectContaining({ what: 'ApplicationSet all', target: 'kustomize:sets', weight: 'incomplete' }),
  ]);
});

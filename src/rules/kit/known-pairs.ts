import { satisfiesSpecifier } from './requirements.ts';

/** A package that, at these versions, breaks with a version of another that it does not exclude itself. */
export interface KnownPair {
  readonly parent: string;
  /** Versions of the parent that are affected. */
  readonly versions: string;
  readonly child: string;
  /** What broke, and since which version of the child. */
  readonly since: string;
  readonly source: string;
}

/** Incidents where an unpinned package below a pinned one broke applications without any change of theirs. */
export const knownPairs: readonly KnownPair[] = [
  {
    parent: 'flask',
    versions: '>=2.0,<2.3',
    child: 'werkzeug',
    since: '3.0 (url_quote removed)',
    source: 'https://github.com/pallets/werkzeug/issues/2808',
  },
  {
    parent: 'flask',
    versions: '<2.0',
    child: 'jinja2',
    since: '3.1 (escape removed)',
    source: 'https://jinja.palletsprojects.com/en/stable/changes/#version-3-1-0',
  },
  {
    parent: 'flask',
    versions: '<2.0',
    child: 'itsdangerous',
    since: '2.1 (json removed)',
    source: 'https://itsdangerous.palletsprojects.com/en/stable/changes/#version-2-1-0',
  },
  {
    parent: 'jinja2',
    versions: '<3.0',
    child: 'markupsafe',
    since: '2.1 (soft_unicode removed)',
    source: 'https://markupsafe.palletsprojects.com/en/stable/changes/#version-2-1-0',
  },
  {
    parent: 'flask-sqlalchemy',
    versions: '<3.0.2',
    child: 'sqlalchemy',
    since: '2.0',
    source: 'https://flask-sqlalchemy.palletsprojects.com/en/stable/changes/#version-3-0-2',
  },
  {
    parent: 'pandas',
    versions: '<2.2.2',
    child: 'numpy',
    since: '2.0 (binary interface)',
    source: 'https://numpy.org/doc/stable/numpy_2_0_migration_guide.html',
  },
  {
    parent: 'celery',
    versions: '<5.3',
    child: 'importlib-metadata',
    since: '5.0 (entry_points().get removed)',
    source: 'https://importlib-metadata.readthedocs.io/en/latest/history.html',
  },
  {
    parent: 'openai',
    versions: '>=1.0,<1.55.3',
    child: 'httpx',
    since: '0.28 (proxies removed)',
    source: 'https://github.com/encode/httpx/blob/master/CHANGELOG.md',
  },
];

/** The pairs that a pinned package opens when nothing pins the other one. */
export function pairsOf(parent: string, version: string): readonly KnownPair[] {
  return knownPairs.filter((pair) => pair.parent === parent && satisfiesSpecifier(version, pair.versions) === true);
}

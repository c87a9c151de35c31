import { describe, expect, it } from 'vitest';
import { findImports } from '../../../src/rules/kit/python-imports.ts';
import {
  comesWith,
  distributionsOf,
  isDevelopmentTool,
  isStandardLibrary,
} from '../../../src/rules/kit/python-names.ts';

function imports(text: string): string[] {
  return findImports(text).map(({ module, line, context }) => `${line} ${module} ${context}`);
}

describe('findImports', () => {
  it('reads every form of import with its line', () => {
    expect(
      imports(`"""import docs
import more"""
import os, yaml.nodes as y, requests
from PIL import Image
from . import local
from .other import thing
from sklearn.linear_model import (
    Ridge,
    Lasso,
)
from a \\
    import b
x = 'import no'; import c
# import comment
value = """
import inside
"""
import last
`),
    ).toEqual([
      '3 os always',
      '3 yaml always',
      '3 requests always',
      '4 PIL always',
      '7 sklearn always',
      '11 a always',
      '13 c always',
      '18 last always',
    ]);
  });

  it('tells what is optional, for typing, or late', () => {
    expect(
      imports(`from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import pandas
try:
    import ujson as json
    from fast import x
except ImportError:
    import simplejson as json
try:
    import needed
except ValueError:
    pass
try: import short
except Exception: short = None
try:
    def load():
        import deep
except (ModuleNotFoundError, KeyError):
    pass
if sys.platform == 'win32':
    import winreg2
else:
    import unixonly
def run():
    import late
class A:
    import within
if __name__ == '__main__':
    import main_only
with suppress(ImportError):
    import maybe
import always
`),
    ).toEqual([
      '1 typing always',
      '3 pandas typing',
      '5 ujson optional',
      '6 fast optional',
      '8 simplejson optional',
      '10 needed always',
      '13 short optional',
      '17 deep optional',
      '21 winreg2 optional',
      '23 unixonly optional',
      '25 late late',
      '27 within always',
      '29 main_only always',
      '31 maybe optional',
      '32 always always',
    ]);
  });

  it('ends quickly on hostile text', () => {
    const started = performance.now();
    for (const text of [
      '('.repeat(300_000),
      '"'.repeat(300_001),
      'import '.repeat(40_000),
      '\\\n'.repeat(100_000),
      `try:\n${' import x\n'.repeat(20_000)}except ImportError: pass`,
    ])
      findImports(text);
    expect(performance.now() - started).toBeLessThan(30_000);
  });
});

describe('names', () => {
  it.each([
    ['yaml', ['pyyaml']],
    ['PIL', ['pillow']],
    ['flask_login', ['flask-login']],
    ['psycopg2', ['psycopg2', 'psycopg2-binary']],
  ])('%s is in %j', (module, names) => {
    expect(distributionsOf(module)?.names).toEqual(names);
  });

  it('knows what cannot be told, what comes along, and what is a tool', () => {
    expect(distributionsOf('google')).toBeUndefined();
    expect(distributionsOf('constructor')).toEqual({ names: ['constructor'], known: false });
    expect(comesWith(['werkzeug'], new Set(['flask']))).toBe('flask');
    expect(comesWith(['werkzeug'], new Set(['django']))).toBeUndefined();
    expect(isStandardLibrary('tomllib')).toBe(true);
    expect(isStandardLibrary('yaml')).toBe(false);
    expect(isDevelopmentTool('pytest-cov')).toBe(true);
    expect(isDevelopmentTool('requests')).toBe(false);
  });
});

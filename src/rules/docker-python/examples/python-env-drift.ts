import type { RuleExample } from '../../../core/rule.ts';

type Files = Record<string, string>;

const image = 'FROM python:3.12.7-slim\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . .\n';
const app: Files = {
  'cart/Dockerfile': image,
  'cart/requirements.txt': 'django==5.1.3\nredis==5.2.0\npyyaml==6.0.2\n',
  'cart/shop/views.py': 'import os\nimport yaml\nfrom django.http import HttpResponse\nfrom shop import models\n',
  'cart/shop/models.py': 'from django.db import models\n',
};

function change(before: Files, after: Files, shared: Files = app): NonNullable<RuleExample['files']> {
  return { before: { ...shared, ...before }, after: { ...shared, ...after } };
}

export const examples: readonly RuleExample[] = [
  {
    name: 'a package is removed that the code still imports',
    files: change({}, { 'cart/requirements.txt': 'django==5.1.3\nredis==5.2.0\n' }),
    expect: [
      {
        resource: 'File/cart/shop/views.py',
        path: 'line:2',
        severity: 'high',
        confidence: 'likely',
        message: 'takes pyyaml out',
      },
    ],
  },
  {
    name: 'a package is removed together with its import',
    files: change(
      {},
      {
        'cart/requirements.txt': 'django==5.1.3\nredis==5.2.0\n',
        'cart/shop/views.py': 'import os\nfrom django.http import HttpResponse\n',
      },
    ),
    expect: [],
  },
  {
    name: 'a package is removed that is only imported where it is optional',
    files: change(
      { 'cart/shop/views.py': 'try:\n    import yaml\nexcept ImportError:\n    yaml = None\n' },
      {
        'cart/shop/views.py': 'try:\n    import yaml\nexcept ImportError:\n    yaml = None\n',
        'cart/requirements.txt': 'django==5.1.3\nredis==5.2.0\n',
      },
    ),
    expect: [],
  },
  {
    name: 'a package is removed that is only imported for types',
    files: change(
      { 'cart/shop/views.py': 'from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import yaml\n' },
      {
        'cart/shop/views.py': 'from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import yaml\n',
        'cart/requirements.txt': 'django==5.1.3\nredis==5.2.0\n',
      },
    ),
    expect: [],
  },
  {
    name: 'a package is removed that another one brings along',
    files: change(
      {
        'cart/requirements.txt': 'boto3==1.35.60\nbotocore==1.35.60\n',
        'cart/shop/views.py': 'import botocore.config\n',
      },
      { 'cart/requirements.txt': 'boto3==1.35.60\n', 'cart/shop/views.py': 'import botocore.config\n' },
      { 'cart/Dockerfile': image },
    ),
    expect: [],
  },
  {
    name: 'the code imports what only the list for development holds',
    files: change(
      {},
      {
        'cart/requirements-dev.txt': '-r requirements.txt\npytest==8.3.3\nhttpx==0.27.2\n',
        'cart/shop/views.py': 'import httpx\nimport yaml\n',
      },
      { ...app, 'cart/requirements-dev.txt': '-r requirements.txt\npytest==8.3.3\nhttpx==0.27.2\n' },
    ),
    expect: [{ path: 'line:1', severity: 'high', confidence: 'likely', message: 'which only development installs' }],
  },
  {
    name: 'tools for development are missing in production',
    files: change(
      { 'cart/requirements-dev.txt': '-r requirements.txt\npytest==8.3.3\n' },
      { 'cart/requirements-dev.txt': '-r requirements.txt\npytest==8.3.3\nblack==24.10.0\nipython\n' },
    ),
    expect: [],
  },
  {
    name: 'a new import of a package that nothing declares',
    files: change({}, { 'cart/shop/views.py': 'import yaml\nimport httpx\n' }),
    expect: [
      {
        path: 'line:2',
        severity: 'medium',
        confidence: 'hint',
        message: 'nothing that production installs is known to provide it',
      },
    ],
  },
  {
    name: 'a new import of a module of the repository and of the standard library',
    files: change(
      {},
      { 'cart/shop/views.py': 'import yaml\nimport tomllib\nimport models\nfrom shop.models import Cart\n' },
    ),
    expect: [],
  },
  {
    name: 'a new import of a package that the image installs itself',
    files: change(
      {},
      {
        'cart/Dockerfile': `${image}RUN pip install gunicorn==23.0.0 httpx==0.27.2\n`,
        'cart/shop/views.py': 'import yaml\nimport httpx\n',
      },
    ),
    expect: [],
  },
  {
    name: 'a marker excludes the package on the Python of the image',
    files: change(
      {},
      { 'cart/requirements.txt': 'django==5.1.3\nredis==5.2.0\npyyaml==6.0.2 ; python_version < "3.12"\n' },
    ),
    expect: [{ path: 'line:2', severity: 'high', message: 'excludes pyyaml on Python 3.12' }],
  },
  {
    name: 'the marker holds on the Python of the image',
    files: change(
      {},
      {
        'cart/requirements.txt':
          'django==5.1.3\nredis==5.2.0\npyyaml==6.0.2 ; python_version >= "3.9" and sys_platform == "linux"\n',
      },
    ),
    expect: [],
  },
  {
    name: 'the import was missing before',
    files: change(
      { 'cart/shop/views.py': 'import httpx\n' },
      {
        'cart/shop/views.py': 'import httpx\n',
        'cart/requirements.txt': 'django==5.1.4\nredis==5.2.0\npyyaml==6.0.2\n',
      },
    ),
    expect: [],
  },
  {
    name: 'production gets another major version than staging',
    files: change(
      {},
      { 'cart/requirements/prod.txt': 'redis==6.0.0\n' },
      { 'cart/requirements/prod.txt': 'redis==5.2.0\n', 'cart/requirements/staging.txt': 'redis==5.1.1\n' },
    ),
    expect: [
      {
        resource: 'File/cart/requirements/prod.txt',
        path: 'line:1',
        severity: 'medium',
        confidence: 'determined',
        message: 'redis differs between environments',
      },
    ],
  },
  {
    name: 'another minor version',
    files: change(
      {},
      { 'cart/requirements/prod.txt': 'redis==5.3.0\n' },
      { 'cart/requirements/prod.txt': 'redis==5.2.0\n', 'cart/requirements/staging.txt': 'redis==5.1.1\n' },
    ),
    expect: [],
  },
  {
    name: 'both lists move to the new major version',
    files: change(
      {},
      { 'envs/prod/requirements.txt': 'redis==6.0.0\n', 'envs/dev/requirements.txt': 'redis==6.0.0\n' },
      { 'envs/prod/requirements.txt': 'redis==5.2.0\n', 'envs/dev/requirements.txt': 'redis==5.2.0\n' },
    ),
    expect: [],
  },
  {
    name: 'the major versions differed before',
    files: change(
      {},
      { 'envs/prod/requirements.txt': 'redis==6.1.0\n' },
      { 'envs/prod/requirements.txt': 'redis==6.0.0\n', 'envs/dev/requirements.txt': 'redis==5.2.0\n' },
    ),
    expect: [],
  },
  {
    name: 'staging gets a package that production does not have',
    files: change(
      {},
      { 'cart/requirements/staging.txt': 'redis==5.2.0\nhttpx==0.27.2\n' },
      { 'cart/requirements/prod.txt': 'redis==5.2.0\n', 'cart/requirements/staging.txt': 'redis==5.2.0\n' },
    ),
    expect: [{ path: 'line:2', severity: 'medium', message: 'production does not install it' }],
  },
  {
    name: 'production gets a server and monitoring',
    files: change(
      {},
      { 'cart/requirements/prod.txt': 'redis==5.2.0\ngunicorn==23.0.0\nsentry-sdk==2.18.0\n' },
      { 'cart/requirements/prod.txt': 'redis==5.2.0\n', 'cart/requirements/staging.txt': 'redis==5.2.0\n' },
    ),
    expect: [],
  },
  {
    name: 'the image moves to another tool',
    files: change(
      {},
      {
        'cart/Dockerfile': 'FROM python:3.12.7-slim\nCOPY . .\nRUN uv sync --frozen\n',
        'cart/pyproject.toml': '[project]\nname = "cart"\ndependencies = ["django", "redis"]\n',
      },
    ),
    expect: [],
  },
];

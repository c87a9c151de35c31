import type { RuleExample } from '../../../core/rule.ts';

const hash = `--hash=sha256:${'3c'.repeat(32)}`;
const image = 'FROM python:3.12.7-slim\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n';

/** A requirements file of an application with a Dockerfile beside it. */
function change(
  before: string | undefined,
  after: string,
  others: Record<string, string> = {},
): NonNullable<RuleExample['files']> {
  const shared = { 'cart/Dockerfile': image, ...others };
  const path = 'cart/requirements.txt';
  return {
    before: { ...shared, ...(before === undefined ? {} : { [path]: before }) },
    after: { ...shared, [path]: after },
  };
}

const library = { 'lib/pyproject.toml': '[build-system]\nrequires = ["hatchling"]\n[project]\nname = "lib"\n' };

export const examples: readonly RuleExample[] = [
  {
    name: 'a pin becomes a range',
    files: change('django==5.1.3\nredis==5.2.0\n', 'django>=5.1\nredis==5.2.0\n'),
    expect: [
      {
        resource: 'File/cart/requirements.txt',
        path: 'line:1',
        severity: 'medium',
        confidence: 'determined',
        message: 'was pinned (django==5.1.3)',
      },
    ],
  },
  {
    name: 'a pin moves to another version',
    files: change('django==5.1.3\nredis==5.2.0\n', 'django==5.1.4\nredis==5.2.0\n'),
    expect: [],
  },
  {
    name: 'a package without version joins pinned ones',
    files: change('django==5.1.3\nredis==5.2.0\n', 'django==5.1.3\nredis==5.2.0\nboto3\n'),
    expect: [{ path: 'line:3', message: 'boto3 is added without a version' }],
  },
  {
    name: 'the constraints file pins it',
    files: change('-c constraints.txt\ndjango==5.1.3\n', '-c constraints.txt\ndjango\nboto3\n', {
      'cart/constraints.txt': 'django==5.1.3\nboto3==1.35.60\n',
    }),
    expect: [],
  },
  {
    name: 'the Dockerfile gives the constraints',
    files: change('django==5.1.3\n', 'django\n', {
      'cart/Dockerfile': 'FROM python:3.12.7\nRUN pip install -r requirements.txt -c constraints.txt\n',
      'cart/constraints.txt': 'django==5.1.3\n',
    }),
    expect: [],
  },
  {
    name: 'the file held ranges before',
    files: change('django>=5\nredis\n', 'django>=5.1\nredis\nboto3\n'),
    expect: [],
  },
  {
    name: 'a tool for development without version',
    files: change('django==5.1.3\n', 'django==5.1.3\npytest\n'),
    expect: [],
  },
  {
    name: 'a file for development',
    files: {
      before: { 'cart/Dockerfile': image, 'cart/requirements-dev.txt': 'django==5.1.3\n' },
      after: { 'cart/Dockerfile': image, 'cart/requirements-dev.txt': 'django\n' },
    },
    expect: [],
  },
  {
    name: 'a library stays ranged',
    files: {
      before: { ...library, 'lib/requirements.txt': 'attrs==24.2.0\n' },
      after: { ...library, 'lib/requirements.txt': 'attrs>=23\n' },
    },
    expect: [],
  },
  {
    name: 'the hashes are dropped',
    files: change(`django==5.1.3 ${hash}\nredis==5.2.0 ${hash}\n`, 'django==5.1.3\nredis==5.2.0\n'),
    expect: [{ path: 'line:1', message: 'had hashes and has none' }],
  },
  {
    name: 'hashes over several lines stay',
    files: change(`django==5.1.3 \\\n    ${hash}\n`, `django==5.1.4 \\\n    ${hash} \\\n    ${hash}\n`),
    expect: [],
  },
  {
    name: 'another index, and one more that anyone may upload to',
    files: change(
      '--index-url https://pypi.example.org/simple\ndjango==5.1.3\n',
      '--index-url https://robot:hunter2@mirror.example.net/simple\n--extra-index-url https://public.example.net/simple\ndjango==5.1.3\n',
    ),
    expect: [
      {
        path: 'line:1',
        message: 'come from https://mirror.example.net/simple instead of https://pypi.example.org/simple',
      },
      { path: 'line:1', message: '--extra-index-url https://public.example.net/simple is added' },
    ],
  },
  {
    name: 'Flask 2.2 is pinned and the pin of Werkzeug goes',
    files: change('flask==2.2.5\nwerkzeug==2.2.3\n', 'flask==2.2.5\n'),
    expect: [{ path: 'line:1', confidence: 'likely', message: 'nothing pins werkzeug' }],
  },
  {
    name: 'Flask 2.2 with a bound on Werkzeug',
    files: change('flask==2.2.5\nwerkzeug==2.2.3\n', 'flask==2.2.5\nwerkzeug==2.3.8\n'),
    expect: [],
  },
  {
    name: 'Flask 2.2 without Werkzeug was there before',
    files: change('flask==2.2.5\nredis==5.1.0\n', 'flask==2.2.5\nredis==5.2.0\n'),
    expect: [],
  },
  {
    name: 'the Dockerfile installs bare names',
    files: {
      before: {
        'cart/Dockerfile': 'FROM python:3.12.7\nRUN pip install -r requirements.txt\n',
        'cart/requirements.txt': 'django==5.1.3\n',
      },
      after: {
        'cart/Dockerfile':
          'FROM python:3.12.7\nRUN pip install --upgrade pip && pip install -r requirements.txt \\\n && pip install gunicorn "uvicorn[standard]"\n',
        'cart/requirements.txt': 'django==5.1.3\n',
      },
    },
    expect: [{ resource: 'File/cart/Dockerfile', path: 'line:2', message: 'gunicorn, uvicorn' }],
  },
  {
    name: 'the Dockerfile installs names with versions, and bare ones only for tests',
    files: {
      before: { 'cart/Dockerfile': 'FROM python:3.12.7 AS test\nRUN pip install x==1\nFROM python:3.12.7\n' },
      after: {
        'cart/Dockerfile':
          'FROM python:3.12.7 AS test\nRUN pip install requests\nFROM python:3.12.7\nRUN pip install gunicorn==23.0.0\n',
      },
    },
    expect: [],
  },
  {
    name: 'the lock file is removed',
    files: {
      before: {
        'cart/Dockerfile': image,
        'cart/pyproject.toml': '[project]\ndependencies = ["django>=5"]\n',
        'cart/uv.lock': '[[package]]\nname = "django"\n',
      },
      after: { 'cart/Dockerfile': image, 'cart/pyproject.toml': '[project]\ndependencies = ["django>=5"]\n' },
    },
    expect: [{ resource: 'File/cart/uv.lock', message: 'is removed and cart/pyproject.toml stays' }],
  },
  {
    name: 'one lock file replaces another',
    files: {
      before: {
        'cart/pyproject.toml': '[project]\ndependencies = ["django>=5"]\n',
        'cart/poetry.lock': '[[package]]\nname = "django"\n',
      },
      after: {
        'cart/pyproject.toml': '[project]\ndependencies = ["django>=5"]\n',
        'cart/uv.lock': '[[package]]\nname = "django"\n',
      },
    },
    expect: [],
  },
  {
    name: 'a new dependency is not in the lock',
    files: {
      before: {
        'cart/pyproject.toml': '[project]\ndependencies = [\n  "django>=5",\n]\n',
        'cart/uv.lock': '[[package]]\nname = "django"\n',
      },
      after: {
        'cart/pyproject.toml': '[project]\ndependencies = [\n  "django>=5",\n  "Redis[hiredis]>=5",\n]\n',
        'cart/uv.lock': '[[package]]\nname = "django"\n',
      },
    },
    expect: [{ resource: 'File/cart/pyproject.toml', path: 'line:4', message: 'redis is a new dependency' }],
  },
  {
    name: 'a new dependency comes with its lock',
    files: {
      before: {
        'cart/pyproject.toml': '[project]\ndependencies = ["django>=5"]\n',
        'cart/uv.lock': '[[package]]\nname = "django"\n',
      },
      after: {
        'cart/pyproject.toml': '[project]\ndependencies = ["django>=5", "redis>=5"]\n',
        'cart/uv.lock': '[[package]]\nname = "django"\n[[package]]\nname = "redis"\n',
      },
    },
    expect: [],
  },
  {
    name: 'a new file without versions that the image installs',
    files: change(undefined, 'django\nredis>=5\nboto3==1.35.60\n'),
    expect: [{ path: 'line:1', severity: 'low', message: '2 of 3 packages have no version' }],
  },
];

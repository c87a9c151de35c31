import type { RuleExample } from '../../../core/rule.ts';

const from = 'FROM python:3.12.7-slim\nWORKDIR /srv/cart\n';
const requirements = 'COPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . .\n';

function change(
  before: string | undefined,
  after: string,
  others: Record<string, string> = {},
  path = 'cart/Dockerfile',
): NonNullable<RuleExample['files']> {
  const shared = { 'cart/requirements.txt': 'django==5.1.3\n', ...others };
  return {
    before: { ...shared, ...(before === undefined ? {} : { [path]: before }) },
    after: { ...shared, [path]: after },
  };
}

const deployment = (mountPath: string): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  template:
    metadata: {labels: {app: cart}}
    spec:
      containers:
        - name: cart
          image: registry.example.net/shop/cart:4.1.0
          volumeMounts: [{name: data, mountPath: ${mountPath}}]
      volumes: [{name: data, emptyDir: {}}]
`;

export const examples: readonly RuleExample[] = [
  {
    name: 'an editable install reaches the image',
    files: change(
      `${from}${requirements}`,
      `${from}COPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . .\nRUN pip install -e .\n`,
    ),
    expect: [
      {
        resource: 'File/cart/Dockerfile',
        path: 'line:6',
        severity: 'medium',
        confidence: 'determined',
        message: 'in editable mode',
      },
    ],
  },
  {
    name: 'the project is installed as a package',
    files: change(`${from}${requirements}`, `${from}${requirements}RUN pip install --no-deps .\n`),
    expect: [],
  },
  {
    name: 'the editable install was there before',
    files: change(
      `${from}COPY . .\nRUN pip install -e .\n`,
      `${from}COPY . .\nRUN pip install -e . && rm -rf /root/.cache\n`,
    ),
    expect: [],
  },
  {
    name: 'an editable install of a monorepo with one lock',
    files: change(`${from}COPY . .\nRUN pip install .\n`, `${from}COPY . .\nRUN pip install -e .\n`, {
      'uv.lock': '[[package]]\nname = "django"\n',
    }),
    expect: [],
  },
  {
    name: 'an editable install in a Dockerfile for development',
    files: change(
      `${from}${requirements}`,
      `${from}COPY . .\nRUN pip install -r requirements.txt -e .\n`,
      {},
      'cart/Dockerfile.dev',
    ),
    expect: [],
  },
  {
    name: 'a volume lies over the source of an editable install',
    files: change(`${from}COPY . .\nRUN pip install .\n`, `${from}COPY . .\nRUN pip install -e .\n`),
    before: deployment('/srv/cart'),
    after: deployment('/srv/cart'),
    expect: [{ severity: 'high', message: 'mounts a volume at /srv/cart' }],
  },
  {
    name: 'a volume elsewhere, and no editable install',
    files: change(`${from}COPY . .\nRUN pip install .\n`, `${from}COPY . .\nRUN pip install . gunicorn==23.0.0\n`),
    before: deployment('/data'),
    after: deployment('/data'),
    expect: [],
  },
  {
    name: 'an editable install in the stage that is only copied from',
    files: change(
      `${from}COPY . .\nRUN pip install .\n`,
      'FROM python:3.12.7 AS build\nWORKDIR /src\nCOPY . .\nRUN pip install -e .\nFROM python:3.12.7-slim\nCOPY --from=build /usr/local/lib/python3.12 /usr/local/lib/python3.12\n',
    ),
    expect: [{ path: 'line:4', severity: 'high', message: 'another stage than the final one' }],
  },
  {
    name: 'a wheel is built in one stage and installed in the other',
    files: change(
      `${from}COPY . .\nRUN pip install .\n`,
      'FROM python:3.12.7 AS build\nWORKDIR /src\nCOPY . .\nRUN pip wheel -w /wheels .\nFROM python:3.12.7-slim\nCOPY --from=build /wheels /wheels\nRUN pip install /wheels/*.whl\n',
    ),
    expect: [],
  },
  {
    name: 'production installs a list, development the project',
    files: change(`${from}COPY . .\nRUN pip install .\n`, `${from}${requirements}`, {
      'cart/Dockerfile.dev': `${from}COPY . .\nRUN pip install -e '.[dev]'\n`,
    }),
    expect: [{ path: 'line:4', message: 'Production installs -r requirements.txt, development -e .[dev]' }],
  },
  {
    name: 'both install the list',
    files: change(`${from}COPY . .\nRUN pip install .\n`, `${from}${requirements}`, {
      'cart/Dockerfile.dev': `${from}COPY . .\nRUN pip install -r requirements.txt && pip install -e .\n`,
    }),
    expect: [],
  },
  {
    name: 'the two differed before',
    files: change(`${from}${requirements}`, `${from}${requirements}RUN true\n`, {
      'cart/Dockerfile.dev': `${from}COPY . .\nRUN pip install -e .\n`,
    }),
    expect: [],
  },
  {
    name: 'the final stage loses the packages',
    files: change(
      'FROM python:3.12.7 AS build\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nFROM python:3.12.7-slim\nCOPY --from=build /usr/local /usr/local\nCOPY . .\n',
      'FROM python:3.12.7 AS build\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nFROM python:3.12.7-slim\nCOPY . .\n',
    ),
    expect: [{ severity: 'high', message: 'no longer installs the dependencies' }],
  },
  {
    name: 'the packages move to a virtual environment that is copied',
    files: change(
      `${from}${requirements}`,
      'FROM python:3.12.7 AS build\nCOPY requirements.txt .\nRUN python -m venv /venv && /venv/bin/pip install -r requirements.txt\nFROM python:3.12.7-slim\nCOPY --from=build /venv /venv\nCOPY . .\n',
    ),
    expect: [],
  },
  {
    name: 'dependencies are left out',
    files: change(
      `${from}${requirements}`,
      `${from}COPY requirements.txt .\nRUN pip install --no-deps -r requirements.txt\nCOPY . .\n`,
    ),
    expect: [{ path: 'line:4', message: '--no-deps' }],
  },
  {
    name: 'the source is copied before the requirements',
    files: change(`${from}${requirements}`, `${from}COPY . .\nRUN pip install -r requirements.txt\n`),
    expect: [{ path: 'line:4', severity: 'low', message: 'copied before' }],
  },
  {
    name: 'a package folder is no longer copied',
    files: change(
      `${from}COPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY shop/ shop/\nCOPY billing/ billing/\n`,
      `${from}COPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY shop/ shop/\n`,
      { 'cart/billing/tax.py': 'rate = 19\n' },
    ),
    expect: [{ severity: 'high', confidence: 'likely', message: 'billing is no longer copied' }],
  },
  {
    name: 'the whole folder is copied instead',
    files: change(
      `${from}COPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY shop/ shop/\nCOPY billing/ billing/\n`,
      `${from}COPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . .\n`,
      { 'cart/billing/tax.py': 'rate = 19\n' },
    ),
    expect: [],
  },
];

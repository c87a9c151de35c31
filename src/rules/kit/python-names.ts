import { normalizeName } from './requirements.ts';

/** Modules that come with CPython 3.9 to 3.14 (sys.stdlib_module_names, without private ones; also modules removed in 3.12 and 3.13). */
const standardLibrary = new Set(
  (
    'abc aifc annotationlib antigravity argparse array ast asynchat asyncio asyncore atexit audioop base64 bdb binascii bisect builtins ' +
    'bz2 cProfile calendar cgi cgitb chunk cmath cmd code codecs codeop collections colorsys compileall compression concurrent configparser ' +
    'contextlib contextvars copy copyreg crypt csv ctypes curses dataclasses datetime dbm decimal difflib dis distutils doctest email ' +
    'encodings ensurepip enum errno faulthandler fcntl filecmp fileinput fnmatch formatter fractions ftplib functools gc genericpath getopt ' +
    'getpass gettext glob graphlib grp gzip hashlib heapq hmac html http idlelib imaplib imghdr imp importlib inspect io ipaddress ' +
    'itertools json keyword lib2to3 linecache locale logging lzma mailbox mailcap marshal math mimetypes mmap modulefinder msilib msvcrt ' +
    'multiprocessing netrc nis nntplib nt ntpath nturl2path numbers opcode operator optparse os ossaudiodev parser pathlib pdb pickle ' +
    'pickletools pipes pkgutil platform plistlib poplib posix posixpath pprint profile pstats pty pwd py_compile pyclbr pydoc pydoc_data ' +
    'pyexpat queue quopri random re readline reprlib resource rlcompleter runpy sched secrets select selectors shelve shlex shutil signal ' +
    'site smtpd smtplib sndhdr socket socketserver spwd sqlite3 sre_compile sre_constants sre_parse ssl stat statistics string stringprep ' +
    'struct subprocess sunau symbol symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile termios test textwrap this threading ' +
    'time timeit tkinter token tokenize tomllib trace traceback tracemalloc tty turtle turtledemo types typing unicodedata unittest urllib ' +
    'uu uuid venv warnings wave weakref webbrowser winreg winsound wsgiref xdrlib xml xmlrpc zipapp zipfile zipimport zlib zoneinfo __future__'
  ).split(' '),
);

export function isStandardLibrary(module: string): boolean {
  return standardLibrary.has(module) || module.startsWith('_');
}

/** Modules whose distribution has another name. Several: any of them provides it. */
const distributions: Readonly<Record<string, string>> = {
  attr: 'attrs',
  bs4: 'beautifulsoup4',
  bson: 'pymongo',
  cairo: 'pycairo',
  confluent_kafka: 'confluent-kafka',
  consul: 'python-consul',
  cv2: 'opencv-python opencv-python-headless opencv-contrib-python opencv-contrib-python-headless',
  Crypto: 'pycryptodome pycrypto',
  Cryptodome: 'pycryptodomex',
  dateutil: 'python-dateutil',
  decouple: 'python-decouple',
  docx: 'python-docx',
  dotenv: 'python-dotenv',
  environ: 'django-environ',
  fitz: 'pymupdf',
  flask_cors: 'flask-cors',
  flask_sqlalchemy: 'flask-sqlalchemy',
  gi: 'pygobject',
  git: 'gitpython',
  github: 'pygithub',
  gitlab: 'python-gitlab',
  googleapiclient: 'google-api-python-client',
  grpc: 'grpcio',
  ibm_db: 'ibm-db',
  jenkins: 'python-jenkins',
  jose: 'python-jose',
  jwt: 'pyjwt',
  kafka: 'kafka-python kafka-python-ng',
  ldap: 'python-ldap',
  lxml: 'lxml',
  magic: 'python-magic',
  markdown: 'markdown',
  memcache: 'python-memcached',
  mpl_toolkits: 'matplotlib',
  multipart: 'python-multipart',
  MySQLdb: 'mysqlclient',
  mysql: 'mysql-connector-python mysql-connector',
  nacl: 'pynacl',
  OpenSSL: 'pyopenssl',
  openid: 'python3-openid',
  pkg_resources: 'setuptools',
  psycopg2: 'psycopg2 psycopg2-binary',
  psycopg: 'psycopg psycopg-binary',
  pptx: 'python-pptx',
  pylab: 'matplotlib',
  pythonjsonlogger: 'python-json-logger',
  pywintypes: 'pywin32',
  ruamel: 'ruamel-yaml',
  rest_framework: 'djangorestframework',
  rest_framework_simplejwt: 'djangorestframework-simplejwt',
  corsheaders: 'django-cors-headers',
  saml2: 'pysaml2',
  serial: 'pyserial',
  setuptools: 'setuptools',
  skimage: 'scikit-image',
  sklearn: 'scikit-learn',
  slugify: 'python-slugify',
  snappy: 'python-snappy',
  socketio: 'python-socketio',
  engineio: 'python-engineio',
  social_django: 'social-auth-app-django',
  telegram: 'python-telegram-bot',
  tensorflow: 'tensorflow tensorflow-cpu tensorflow-gpu',
  tlz: 'toolz',
  usb: 'pyusb',
  webdriver_manager: 'webdriver-manager',
  websocket: 'websocket-client',
  wx: 'wxpython',
  xdist: 'pytest-xdist',
  yaml: 'pyyaml',
  zmq: 'pyzmq',
  PIL: 'pillow',
  win32api: 'pywin32',
  sentry_sdk: 'sentry-sdk raven',
  pydantic_settings: 'pydantic-settings',
  typing_extensions: 'typing-extensions',
  prometheus_client: 'prometheus-client',
  elasticsearch_dsl: 'elasticsearch-dsl elasticsearch',
  storages: 'django-storages',
  debug_toolbar: 'django-debug-toolbar',
  django_filters: 'django-filter',
  crispy_forms: 'django-crispy-forms',
  allauth: 'django-allauth',
  celery: 'celery',
  redis: 'redis',
  importlib_metadata: 'importlib-metadata',
  importlib_resources: 'importlib-resources',
  six: 'six',
  ujson: 'ujson',
  umap: 'umap-learn',
  faiss: 'faiss-cpu faiss-gpu',
  Levenshtein: 'levenshtein python-levenshtein',
  sqlalchemy: 'sqlalchemy',
  jinja2: 'jinja2',
  markupsafe: 'markupsafe',
  ortools: 'ortools',
  pyximport: 'cython',
  Cython: 'cython',
  nmap: 'python-nmap',
  pexpect: 'pexpect',
  apt: 'python-apt',
  dns: 'dnspython',
  speech_recognition: 'speechrecognition',
  stdnum: 'python-stdnum',
  barcode: 'python-barcode',
  pysnmp: 'pysnmp pysnmp-lextudio',
  ratelimit: 'django-ratelimit ratelimit',
  fakeredis: 'fakeredis',
  prettytable: 'prettytable',
};

/** Namespaces that many distributions share: the module alone does not tell which one is meant. */
const namespaces = new Set([
  'google',
  'azure',
  'zope',
  'opentelemetry',
  'airflow',
  'sphinxcontrib',
  'backports',
  'jaraco',
  'aws_cdk',
  'odoo',
  'plone',
  'pyramid',
  'snowflake',
  'databricks',
  'nvidia',
]);

/**
 * The distributions that may provide a module, normalised. A module that is not in the table is taken to have the name of its distribution.
 * @returns undefined when it cannot be told
 */
export function distributionsOf(
  module: string,
): { readonly names: readonly string[]; readonly known: boolean } | undefined {
  if (namespaces.has(module)) return undefined;
  const listed = Object.hasOwn(distributions, module) ? distributions[module] : undefined;
  return listed === undefined
    ? { names: [normalizeName(module)], known: false }
    : { names: listed.split(' '), known: true };
}

/** Distributions that bring others along: a module of the right side is there when one of the left is. */
const brings: Readonly<Record<string, string>> = {
  flask: 'werkzeug jinja2 click itsdangerous markupsafe blinker',
  fastapi: 'starlette pydantic typing-extensions anyio',
  django: 'asgiref sqlparse',
  requests: 'urllib3 certifi idna charset-normalizer',
  boto3: 'botocore s3transfer jmespath python-dateutil urllib3',
  botocore: 'urllib3 python-dateutil jmespath',
  pandas: 'numpy python-dateutil pytz',
  'scikit-learn': 'numpy scipy joblib threadpoolctl',
  scipy: 'numpy',
  matplotlib: 'numpy pillow python-dateutil packaging',
  'flask-sqlalchemy': 'sqlalchemy flask',
  'flask-login': 'flask',
  djangorestframework: 'django',
  celery: 'kombu billiard vine click',
  httpx: 'httpcore anyio certifi idna sniffio',
  starlette: 'anyio',
  pydantic: 'typing-extensions pydantic-core',
  sqlmodel: 'sqlalchemy pydantic',
  alembic: 'sqlalchemy mako',
  jinja2: 'markupsafe',
  aiohttp: 'yarl multidict attrs aiosignal frozenlist',
  uvicorn: 'click h11',
  pyopenssl: 'cryptography',
  paramiko: 'cryptography bcrypt pynacl',
  'google-api-python-client': 'google-auth httplib2 uritemplate',
  tensorflow: 'numpy protobuf keras',
  torch: 'typing-extensions sympy networkx jinja2 filelock',
  transformers: 'numpy tokenizers huggingface-hub tqdm requests pyyaml regex',
  'huggingface-hub': 'requests tqdm pyyaml filelock',
  langchain: 'pydantic sqlalchemy requests pyyaml',
  kubernetes: 'pyyaml requests urllib3 python-dateutil certifi google-auth websocket-client',
  'apache-airflow': 'flask jinja2 sqlalchemy pendulum requests',
  streamlit: 'pandas numpy requests pillow altair',
  dash: 'flask plotly',
  openai: 'httpx pydantic',
  grpcio: 'protobuf',
  'grpcio-tools': 'grpcio protobuf setuptools',
  jsonschema: 'attrs',
  spacy: 'numpy pydantic requests tqdm',
  dask: 'pyyaml toolz',
  rich: 'pygments',
  typer: 'click rich',
  'sentry-sdk': 'certifi urllib3',
};

/** Does one of the distributions come with another that is installed? Only well-known pairs. */
export function comesWith(names: readonly string[], installed: ReadonlySet<string>): string | undefined {
  for (const [parent, children] of Object.entries(brings)) {
    if (installed.has(parent) && children.split(' ').some((child) => names.includes(child))) return parent;
  }
  return undefined;
}

const tools = new Set(
  (
    'pytest black ruff mypy flake8 pylint isort ipython ipdb pdbpp debugpy pre-commit tox nox coverage hypothesis faker factory-boy freezegun responses moto ' +
    'respx vcrpy pip-tools pip setuptools wheel build twine uv bandit safety pip-audit autopep8 yapf pyflakes pycodestyle pydocstyle pyright sphinx ' +
    'mkdocs mkdocs-material jupyter jupyterlab notebook ipykernel watchdog watchfiles django-debug-toolbar django-extensions werkzeug-debugger rope ' +
    'jedi python-lsp-server locust selenium playwright behave testcontainers requests-mock time-machine model-bakery fakeredis mongomock aioresponses ' +
    'pympler memory-profiler line-profiler py-spy snakeviz gprof2dot invoke fabric bump2version bumpversion commitizen towncrier tomli interrogate vulture ' +
    'radon xenon mutmut nose nose2 mock doc8 rstcheck codespell detect-secrets semgrep djlint curlylint deptry icecream honcho parameterized syrupy'
  ).split(' '),
);

/** Tools for development and tests: normal to miss in production. */
export function isDevelopmentTool(name: string): boolean {
  return (
    tools.has(name) ||
    /^(types-|pytest-|flake8-|pylint-|sphinx-|sphinxcontrib-|mkdocs-|mypy-|pep8-|hypothesis-|jupyter|ipython)|-stubs$|^stubs-/.test(
      name,
    )
  );
}

const servers = new Set(
  'gunicorn uwsgi uvicorn hypercorn daphne waitress meinheld gevent eventlet sentry-sdk newrelic ddtrace elastic-apm whitenoise psycopg2 psycopg2-binary psycopg psycopg-binary mysqlclient pymysql cx-oracle oracledb django-storages boto3 python-json-logger uvloop httptools setproctitle greenlet opentelemetry-distro statsd raven'.split(
    ' ',
  ),
);

/** Servers, drivers and monitoring that often are installed in production only. */
export function isProductionOnly(name: string): boolean {
  return servers.has(name) || name.startsWith('opentelemetry-');
}

import { describe, expect, it } from 'vitest';
import { deployedStages, finalLineage, parseDockerfile } from '../../../src/rules/kit/dockerfile.ts';
import { findInstalls } from '../../../src/rules/kit/pip-commands.ts';
import { shellCommands } from '../../../src/rules/kit/shell-words.ts';

describe('parseDockerfile', () => {
  it('resolves arguments, stages, platforms and copies', () => {
    const file = parseDockerfile(`# syntax=docker/dockerfile:1
ARG VERSION=3.11
ARG SUFFIX=\${EXTRA:--slim}
FROM --platform=linux/amd64 python:\${VERSION}\${SUFFIX} AS Base
WORKDIR /app
FROM base AS test
RUN pip install pytest
FROM node:20 AS web
FROM registry.example.org:5000/py@sha256:${'a'.repeat(64)} AS builder
COPY --chown=1:1 requirements.txt \\
  # a comment
  constraints.txt ./
RUN --mount=type=cache,target=/root/.cache \\
    pip install \\
      -r requirements.txt && \\
    # why
    echo done
FROM base
COPY --from=builder /venv /venv
COPY ["a b", "/x"]
RUN <<EOF
pip install flask
EOF
`);
    expect(
      file.stages.map(({ name, parent, platform, resolvedBase, line }) => [name, parent, platform, resolvedBase, line]),
    ).toEqual([
      ['base', undefined, 'linux/amd64', 'python:3.11-slim', 4],
      ['test', 0, undefined, 'base', 6],
      ['web', undefined, undefined, 'node:20', 8],
      ['builder', undefined, undefined, `registry.example.org:5000/py@sha256:${'a'.repeat(64)}`, 9],
      [undefined, 0, undefined, 'base', 18],
    ]);
    expect(file.stages[0]?.image).toEqual({ host: 'docker.io', repository: 'library/python', tag: '3.11-slim' });
    expect(file.stages[3]?.image?.digest).toMatch(/^sha256:a/);
    const builder = file.stages[3]?.steps ?? [];
    expect(builder[0]?.copy).toEqual({ sources: ['requirements.txt', 'constraints.txt'], destination: './', line: 10 });
    expect(builder[1]?.installs[0]?.requirementFiles).toEqual(['requirements.txt']);
    const last = file.stages[4]?.steps ?? [];
    expect(last[0]?.copy).toMatchObject({ from: 'builder', sources: ['/venv'] });
    expect(last[1]?.copy).toMatchObject({ sources: ['a b'], destination: '/x' });
    expect(last[2]?.installs[0]?.packages[0]?.name).toBe('flask');
    expect(deployedStages(file).map((stage) => stage.index)).toEqual([0, 3, 4]);
    expect(finalLineage(file).map((stage) => stage.index)).toEqual([0, 4]);
  });

  it('does not guess a variable without default, and takes a stage for development at the end not as the product', () => {
    const file = parseDockerfile(
      'ARG TAG\nFROM python:$TAG AS production\nFROM production AS dev\nRUN pip install debugpy\n',
    );
    expect(file.stages[0]?.image).toBeUndefined();
    expect(finalLineage(file).map((stage) => stage.name)).toEqual(['production']);
  });

  it('reads nothing from text that is no Dockerfile, and ends', () => {
    expect(parseDockerfile('').stages).toEqual([]);
    expect(parseDockerfile('{{ include "x" }}\nhello').stages).toEqual([]);
    expect(parseDockerfile(`FROM a AS a\nFROM a AS a\nCOPY --from=a x y\n`).stages).toHaveLength(2);
    const started = performance.now();
    parseDockerfile(`FROM x\nRUN ${'a \\\n'.repeat(15_000)}`);
    parseDockerfile(`FROM ${'${A:-'.repeat(12_000)}`);
    expect(performance.now() - started).toBeLessThan(30_000);
  });
});

describe('findInstalls', () => {
  it.each([
    ['pip install --no-cache-dir -r requirements.txt', { requirementFiles: ['requirements.txt'] }],
    ['python3 -m pip install --upgrade pip && pip3 install -rreq.txt -c=c.txt', { packages: [{ name: 'pip' }] }],
    ['sudo FOO=1 /venv/bin/pip install -e ".[dev]" --no-deps', { editable: ['.[dev]'], noDeps: true }],
    [
      'pip install . ./libs/x dist/*.whl flask==2 "uvicorn[standard]>=0.2"',
      {
        projects: ['.', './libs/x'],
        archives: ['dist/*.whl'],
        packages: [{ name: 'flask' }, { name: 'uvicorn', specifier: '>=0.2' }],
      },
    ],
    ['uv pip install --system -r r.txt', { requirementFiles: ['r.txt'] }],
    ['uv sync --frozen', { tool: 'uv-sync' }],
    ['poetry install --only main', { tool: 'poetry' }],
    ['pip wheel -r r.txt -w /wheels', { wheelsOnly: true, requirementFiles: ['r.txt'] }],
    [
      'pip install --index-url https://a --extra-index-url=https://b x > log',
      { indexUrl: 'https://a', extraIndexUrls: ['https://b'], packages: [{ name: 'x' }] },
    ],
    ['pip install $PACKAGES --target /opt x', { packages: [{ name: 'x' }] }],
    ['python setup.py develop', { editable: ['.'] }],
  ])('%s', (text, expected) => {
    expect(findInstalls(text)[0]).toMatchObject(expected);
  });

  it.each(['apt-get install pip', 'echo pip install x', 'pip --version', 'pip freeze', 'pipx install x'])(
    '%s is none',
    (text) => {
      expect(findInstalls(text)).toEqual([]);
    },
  );

  it('splits commands and words', () => {
    expect(shellCommands(`a "b c" 'd;e' && f\\ g | h # no\n(i; j)`)).toEqual([
      ['a', 'b c', 'd;e'],
      ['f g'],
      ['h'],
      ['i'],
      ['j'],
    ]);
  });
});

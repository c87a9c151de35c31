import { describe, expect, it } from 'vitest';
import { collectDockerfiles } from '../../src/sources/docker.ts';
import { collectPythonFiles } from '../../src/sources/python.ts';
import { gitPort, temporary, useRepository } from '../git/repository.ts';

async function collect(files: Record<string, string | Buffer>): Promise<{ docker: string[]; python: string[] }> {
  const side = useRepository(temporary());
  side.write(files);
  const pair = await gitPort().open({ kind: 'directories', before: temporary(), after: side.path });
  const result = {
    docker: collectDockerfiles(pair.after).map((file) => file.path),
    python: collectPythonFiles(pair.after).map((file) => `${file.type} ${file.path}`),
  };
  await pair.close();
  return result;
}

describe('build files of a tree', () => {
  it('are Dockerfiles by all their names, without templates and ignore files', async () => {
    const names = [
      'Dockerfile',
      'api/Dockerfile.prod',
      'api/prod.Dockerfile',
      'web/dockerfile',
      'Containerfile',
      'Dockerfile-dev',
    ];
    const others = [
      'Dockerfile.dockerignore',
      'Dockerfile.j2',
      'docs/dockerfile.md',
      'Dockerfiles/readme',
      'vendor/x/Dockerfile',
    ];
    const { docker } = await collect(Object.fromEntries([...names, ...others].map((name) => [name, 'FROM scratch\n'])));
    expect(docker).toEqual(names.toSorted());
  });

  it('are Python dependency files with what they include, and the modules beside them', async () => {
    const { python } = await collect({
      'api/requirements.txt': '-r base/list.txt\n-c ../pins.txt\n-r ../../outside.txt\n-r https://example.org/x.txt\n',
      'api/base/list.txt': '--requirement=more.txt\n',
      'api/base/more.txt': '-r list.txt\n',
      'pins.txt': 'a==1\n',
      'notes.txt': 'not requirements\n',
      'api/requirements/dev.in': 'a\n',
      'api/pyproject.toml': '',
      'api/uv.lock': '',
      'api/.python-version': '3.12\n',
      'api/app.py': '',
      'api/shop/views.py': '',
      'api/src/shop/models.py': '',
      'api/shop/deep/er/x.py': '',
      'api/tests/test_x.py': '',
      'api/venv/lib/x.py': '',
      'tool/script.py': '',
      'bad/requirements.txt': Buffer.from('a\0b'),
    });
    expect(python).toEqual([
      'python-version api/.python-version',
      'python-source api/app.py',
      'requirements api/base/list.txt',
      'requirements api/base/more.txt',
      'pyproject api/pyproject.toml',
      'requirements api/requirements.txt',
      'requirements api/requirements/dev.in',
      'python-source api/shop/views.py',
      'python-source api/src/shop/models.py',
      'python-lock api/uv.lock',
      'requirements pins.txt',
    ]);
  });
});

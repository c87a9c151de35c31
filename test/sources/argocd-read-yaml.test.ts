import { describe, expect, it } from 'vitest';
import { readDeclarations, readYamlFile } from '../../src/sources/read-yaml.ts';
import { treeOf } from '../kit/sources.ts';

const application = 'apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: a\n';

function names(files: Readonly<Record<string, string>>): readonly string[] {
  return readDeclarations(treeOf(files)).objects.map(
    (item) => `${item.location.file}:${item.location.line} ${JSON.stringify(item.object['kind']).slice(1, -1)}`,
  );
}

describe('readDeclarations', () => {
  it('finds objects with their lines, in every document and in lists', () => {
    expect(
      names({
        'a.yaml': `# apps\n---\n${application}---\napiVersion: v1\nkind: ConfigMap\n---\n\n${application}`,
        'b.json': '{"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": {"name": "p"}}',
        'list.yml': 'apiVersion: v1\nkind: List\nitems:\n- apiVersion: argoproj.io/v1alpha1\n  kind: ApplicationSet\n',
        'plain.yaml': 'apiVersion: v1\nkind: ConfigMap\n',
        'README.md': application,
      }),
    ).toEqual(['a.yaml:3 Application', 'a.yaml:12 Application', 'b.json:1 AppProject', 'list.yml:1 ApplicationSet']);
  });

  it('takes ConfigMaps and Secrets along when there are Flux objects', () => {
    expect(
      names({
        'ks.yaml': 'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n',
        'vars.yaml': 'apiVersion: v1\nkind: ConfigMap\n---\napiVersion: v1\nkind: Service\n',
      }),
    ).toEqual(['ks.yaml:1 Kustomization', 'vars.yaml:1 ConfigMap']);
  });

  it('says once that files are encrypted', () => {
    const sealed = '\0GITCRYPT\0\u0001\u0002';
    const files = Object.fromEntries(
      ['a.json', 'b.yaml', 'c.yml', 'd.yaml'].map((name) => [`secrets/${name}`, sealed]),
    );
    const { objects, notEvaluated } = readDeclarations(treeOf({ ...files, 'apps.yaml': application }));
    expect(objects).toHaveLength(1);
    expect(notEvaluated).toMatchObject([
      {
        what: '4 files',
        reason: expect.stringContaining('(secrets/a.json, secrets/b.yaml, secrets/c.yml, ...)'),
        weight: 'note',
      },
    ]);
  });

  it('leaves out templates of charts and patches of kustomizations', () => {
    expect(
      names({
        'chart/Chart.yaml': 'name: c\n',
        'chart/templates/apps/a.yaml': application,
        'templates/a.yaml': application,
        'overlay/kustomization.yaml':
          'patches:\n- path: app.yaml\n- patch: |-\n    a\npatchesStrategicMerge: [other.yaml, ../x]\n',
        'overlay/app.yaml': application,
        'overlay/other.yaml': application,
        'overlay/real.yaml': application,
      }),
    ).toEqual(['overlay/real.yaml:1 Application', 'templates/a.yaml:1 Application']);
  });

  it('lists broken YAML with its position, and keeps the other documents', () => {
    const found = readDeclarations(
      treeOf({ 'a.yaml': `${application}---\n${application}  bad: [1\n---\n${application}`, 'other.yaml': 'a: [\n' }),
    );
    expect(found.objects).toHaveLength(2);
    expect(found.notEvaluated).toEqual([
      expect.objectContaining({
        what: 'a.yaml',
        weight: 'note',
        reason: expect.stringMatching(/^cannot be read as YAML: /),
        location: expect.objectContaining({ file: 'a.yaml', line: expect.any(Number) }),
      }),
    ]);
    const line = found.notEvaluated[0]?.location?.line ?? 0;
    expect(line).toBeGreaterThanOrEqual(9);
    expect(line).toBeLessThanOrEqual(11);
  });

  it('is silent about templates of other tools that do not parse', () => {
    expect(readDeclarations(treeOf({ 'a.yaml': `{{- if .x }}\n${application}{{- end }}\n` }))).toEqual({
      objects: [],
      notEvaluated: [],
    });
  });

  it('is not stopped by binary files, alias bombs, tabs and odd documents', () => {
    const bomb = `${application}a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n`;
    const found = readDeclarations(
      treeOf({
        'bomb.yaml': bomb,
        'nul.yaml': `${application}\0`,
        'tab.yaml': 'apiVersion: argoproj.io/v1alpha1\nkind:\tApplication\n\tx: 1\n',
        'scalar.yaml': '"apiVersion: argoproj.io/v1alpha1"\n',
        'number.yaml': 'apiVersion: argoproj.io/v1alpha1\nkind: 3\n',
        'good.yaml': application,
      }),
    );
    expect(found.objects.map((item) => item.location.file)).toEqual(['good.yaml']);
    expect(found.notEvaluated.map((note) => note.what).sort()).toEqual(['bomb.yaml', 'nul.yaml', 'tab.yaml']);
  });
});

describe('readYamlFile', () => {
  it('gives the same parse for the same content', () => {
    const [before, after] = [treeOf({ 'a.yaml': 'a: 1\n' }), treeOf({ 'b/c.yaml': 'a: 1\n' })];
    expect(readYamlFile(before, 'a.yaml')).toBe(readYamlFile(after, 'b/c.yaml'));
    expect(readYamlFile(before, 'missing.yaml')).toBeUndefined();
  });
});

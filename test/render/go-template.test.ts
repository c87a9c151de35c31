import { describe, expect, test } from 'vitest';
import { createExec } from '../../src/render/exec.ts';
import { createGoTemplate } from '../../src/render/go-template.ts';
import { createToolPaths } from '../../src/render/tools.ts';
import type { GoTemplateJob } from '../../src/core/ports.ts';
import { goMissing, runGo } from '../kit/go-oracle.ts';
import { hasTool } from '../kit/tools.ts';

const hasHelm = await hasTool('helm');
const noGo = await goMissing();

const data = {
  name: 'Shop_EU.West',
  path: { path: 'apps/shop', basename: 'shop', segments: ['apps', 'shop'] },
  values: {
    replicas: 3,
    ratio: 0.5,
    big: 1000000,
    on: true,
    none: null,
    nested: { a: { b: 'deep' } },
    list: ['x', 'y'],
  },
  branch: 'feature/ABC-123_add.the-very-long-name-of-a-branch-that-never-ends',
  json: '[1, {"a": 2}]',
  yaml: 'a: [1, two]\n',
};

const templates = [
  'plain',
  '{{ .name }}-{{ .path.basename }}',
  '{{ .name | normalize }}/{{ normalize .branch }}/{{ (normalize .name) | upper }}',
  '{{ slugify .branch }}|{{ slugify 23 .branch }}|{{ slugify 23 false .branch }}|{{ .branch | slugify 10 true }}|{{ printf "%s" (slugify 12 .branch) -}} x',
  '{{ slugify 5 "abcdefghij" }}|{{ slugify 8 "a.b.c--d" }}|{{ slugify 100 "-x-" }}|{{ slugify 3 false "a--b" }}',
  '{{ .values.replicas }} {{ .values.ratio }} {{ .values.big }} {{ .values.on }} {{ .values.none }} {{ printf "%d" (int .values.replicas) }}',
  '{{ range $i, $s := .path.segments }}{{ $i }}={{ $s }}{{ if $.values.on }}!{{ end }} {{ end }}',
  '{{ index .path.segments 1 }}{{ with .values.nested }}{{ .a.b }}{{ end }}',
  '{{ toYaml .values.nested }}|{{ toJson .values.list }}|{{ (fromJson .json) }}|{{ (fromYaml .yaml).a }}|{{ index (fromYamlArray "[3,4]") 0 }}',
  '{{ .missing }}',
  '{{ .values.missing }}x',
  '{{ if .missing }}yes{{ else }}no{{ end }}',
  '{{ default "d" .missing }}',
  '{{ if .values.on }}{{ .values.missing }}{{ end }}',
  '{{ if not .values.on }}{{ .values.missing }}{{ end }}ok',
  '{{ or .name .missing }}',
  '{{ dig "nested" "a" "b" "none" .values }}{{ dig "no" "way" "none" .values }}',
  '{{- /* a comment */ -}} {{ "a }} b" }} {{ `raw "text"` }} {{ .name | quote }}',
  '{{ define "local" }}<{{ . }}>{{ end }}{{ template "local" .name }}',
  '{{ $x := .name }}{{ $x | lower | replace "_" "-" | trunc 4 }}',
  '{{ include "x" . }}',
  '{{ env "HOME" }}',
  '{{ getHostByName "localhost" }}',
  '{{ required "no" .name }}',
  '{{ tpl "x" . }}',
  '{{ lookup "v1" "Pod" "" "" }}',
  '{{ nonsense .name }}',
  '{{ .name ',
  '{{ if .name }}unclosed',
  '{{ fail "stop here" }}',
  '{{ index .path.segments 9 }}',
  '{{ .name.first }}',
  '{{ eq .values.replicas 3.0 }}{{ eq (.values.replicas | int) 3 }}',
  '  {{- .name -}}  \n  tail\n',
  'ünï {{ .name | b64enc }} {{ "ß" | upper }}\n\n',
  '{{ .values.list | join "," }}{{ len .values.list }}{{ splitList "/" .branch | last }}',
];

const jobs: GoTemplateJob[] = templates.flatMap((template) => [
  { template, data, options: [] },
  { template, data, options: ['missingkey=error'] },
]);

/** Argo CD's function map around the real text/template and Sprig. */
const oracle = `package main

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	"github.com/gosimple/slug"
	"sigs.k8s.io/yaml"
)

func sanitize(name string) string {
	name = regexp.MustCompile("[^-a-z0-9.]").ReplaceAllString(strings.ToLower(name), "-")
	if len(name) > 253 {
		name = name[:253]
	}
	return strings.Trim(name, "-.")
}

func slugify(args ...any) string {
	size, smart, name := 50, true, ""
	for i, arg := range args {
		switch i {
		case len(args) - 1:
			name = arg.(string)
		case 0:
			size = arg.(int)
		case 1:
			smart = arg.(bool)
		}
	}
	slug.EnableSmartTruncate, slug.MaxLength = smart, size
	return slug.Make(sanitize(name))
}

type job struct {
	Template string
	Data     map[string]any
	Options  []string
}

func run(j job, funcs template.FuncMap) map[string]any {
	t, err := template.New("").Funcs(funcs).Option(j.Options...).Parse(j.Template)
	if err != nil {
		return map[string]any{"ok": false, "error": err.Error()}
	}
	var out bytes.Buffer
	if err := t.Execute(&out, j.Data); err != nil {
		return map[string]any{"ok": false, "error": err.Error()}
	}
	return map[string]any{"ok": true, "text": out.String()}
}

func main() {
	funcs := sprig.GenericFuncMap()
	for _, name := range []string{"env", "expandenv", "getHostByName"} {
		delete(funcs, name)
	}
	funcs["normalize"], funcs["slugify"] = sanitize, slugify
	funcs["toYaml"] = func(v any) (string, error) {
		data, err := yaml.Marshal(v)
		return strings.TrimSuffix(string(data), "\\n"), err
	}
	funcs["fromYaml"] = func(s string) (map[string]any, error) {
		m := map[string]any{}
		return m, yaml.Unmarshal([]byte(s), &m)
	}
	funcs["fromYamlArray"] = func(s string) ([]any, error) {
		a := []any{}
		return a, yaml.Unmarshal([]byte(s), &a)
	}
	var jobs []job
	if err := json.NewDecoder(os.Stdin).Decode(&jobs); err != nil {
		panic(err)
	}
	results := []any{}
	for _, j := range jobs {
		results = append(results, run(j, funcs))
	}
	json.NewEncoder(os.Stdout).Encode(results)
}
`;

describe.skipIf(!hasHelm)('Go templates of ApplicationSets', () => {
  const exec = createExec();
  let processes = 0;
  const counting = {
    run: (request: Parameters<typeof exec.run>[0]) => {
      processes++;
      return exec.run(request);
    },
  };
  const templating = createGoTemplate({ exec: counting, tools: createToolPaths({ exec }) });

  test.skipIf(noGo !== undefined)(
    "agree with Argo CD's engine, with and without missingkey=error",
    { timeout: 180_000 },
    async () => {
      const modules = [
        ['github.com/Masterminds/sprig/v3', 'v3.3.0'],
        ['github.com/gosimple/slug', 'v1.15.0'],
        ['sigs.k8s.io/yaml', 'v1.6.0'],
      ] as const;
      const theirs = (await runGo(oracle, modules, jobs)) as { ok: boolean; text?: string }[];
      const ours = await templating.execute(jobs);
      const differing = jobs.flatMap((job, index) => {
        const [mine, other] = [ours[index], theirs[index]];
        const same = mine?.ok === other?.ok && (mine?.ok !== true || mine.text === other?.text);
        return same ? [] : [{ job: job.template, options: job.options, mine, theirs: other }];
      });
      expect(differing).toEqual([]);
    },
  );

  test('all jobs of a call run in one process, known ones in none', async () => {
    processes = 0;
    const many = Array.from({ length: 500 }, (_, number) => ({
      template: '{{ .n }}-{{ .n | toString | sha256sum | trunc 4 }}',
      data: { n: `app-${number}` },
      options: [],
    }));
    const results = await templating.execute(many);
    expect(results.every((result) => result.ok)).toBe(true);
    expect(results[7]).toEqual({ ok: true, text: expect.stringMatching(/^app-7-[0-9a-f]{4}$/) });
    await templating.execute(many);
    expect(processes).toBe(1);
  });

  test('a failing job does not take the others along', async () => {
    const results = await templating.execute([
      { template: 'a {{ .x }}', data: { x: '1' }, options: [] },
      { template: '{{ .x.y }}', data: { x: '1' }, options: [] },
      { template: '{{ bogus }}', data: {}, options: [] },
      { template: 'b {{ .x }}', data: { x: '2' }, options: [] },
    ]);
    expect(results.map((result) => result.ok)).toEqual([true, false, false, true]);
    expect(results[1]).toMatchObject({ error: expect.stringContaining("can't evaluate field y") });
    expect(results[2]).toMatchObject({ error: expect.stringContaining('function "bogus" not defined') });
    expect(JSON.stringify(results)).not.toContain('_job-');
  });
});

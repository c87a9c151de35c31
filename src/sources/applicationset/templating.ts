import type { Json, JsonObject } from '../../core/model.ts';
import type { GoTemplate, GoTemplateJob, GoTemplateResult } from '../../core/ports.ts';
import { setKey } from '../../core/yaml/types.ts';
import { ExpansionError } from './params.ts';

/** Fills one template string; all that wait at the same time share one call of the port. */
export type TemplateBatch = (job: GoTemplateJob) => Promise<GoTemplateResult>;

/** Collects jobs until every expansion that can go on without an answer has done so, then runs them in one process. */
export function createTemplateBatch(port: GoTemplate): TemplateBatch {
  let waiting: {
    readonly job: GoTemplateJob;
    readonly resolve: (result: GoTemplateResult) => void;
    readonly reject: (error: unknown) => void;
  }[] = [];
  const flush = async (): Promise<void> => {
    const batch = waiting;
    waiting = [];
    try {
      const results = await port.execute(batch.map((item) => item.job));
      batch.forEach((item, index) =>
        item.resolve(results[index] ?? { ok: false, error: 'the template engine gave no answer' }),
      );
    } catch (error) {
      for (const item of batch) item.reject(error);
    }
  };
  return (job) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(() => void flush());
      waiting.push({ job, resolve, reject });
    });
}

/** How the strings of one ApplicationSet are filled. */
export interface Templating {
  readonly goTemplate: boolean;
  /** @throws ExpansionError when the template is malformed or, with `missingkey=error`, a key is missing */
  replace(template: string, params: JsonObject): Promise<string>;
  /** Generator `values` before their own parameters exist: stays as it is when a key is missing (3.5 RenderGeneratorParams). */
  replaceOrKeep(template: string, params: JsonObject): Promise<string>;
}

export function createTemplating(goTemplate: boolean, options: readonly string[], batch: TemplateBatch): Templating {
  if (!goTemplate) {
    const replace = (template: string, params: JsonObject): Promise<string> =>
      Promise.resolve(fastTemplate(template, params));
    return { goTemplate, replace, replaceOrKeep: replace };
  }
  const run = async (template: string, params: JsonObject, used: readonly string[]): Promise<GoTemplateResult> =>
    template.includes('{{') ? batch({ template, data: params, options: used }) : { ok: true, text: template };
  return {
    goTemplate,
    async replace(template, params) {
      const result = await run(template, params, options);
      if (!result.ok) throw new ExpansionError(`template ${shorten(template)}: ${result.error}`);
      return result.text;
    },
    async replaceOrKeep(template, params) {
      const strict = [...options.filter((option) => !option.startsWith('missingkey=')), 'missingkey=error'];
      const result = await run(template, params, strict);
      if (result.ok) return result.text;
      if (/map has no entry for key|can't evaluate field/.test(result.error)) return template;
      throw new ExpansionError(`template ${shorten(template)}: ${result.error}`);
    },
  };
}

function shorten(template: string): string {
  const line = template.replace(/\s+/g, ' ');
  return line.length > 80 ? `${line.slice(0, 77)}...` : line;
}

/**
 * `{{name}}` templates (applicationset/utils/utils.go Replace): only names of string parameters are replaced,
 * everything else in braces stays as written. An opening without an end is an error of the set.
 */
export function fastTemplate(template: string, params: JsonObject): string {
  // `.*{{.*}}.*`: opening and end in one line.
  if (!template.split('\n').some((line) => line.includes('{{') && line.indexOf('}}', line.indexOf('{{') + 2) >= 0))
    return template;
  let result = '';
  let at = 0;
  for (let open = template.indexOf('{{'); open >= 0; open = template.indexOf('{{', at)) {
    const end = template.indexOf('}}', open + 2);
    if (end < 0) throw new ExpansionError(`template ${shorten(template)}: "{{" without "}}"`);
    const tag = template.slice(open + 2, end);
    const name = tag.trim();
    const value = name !== '' && Object.hasOwn(params, name) ? params[name] : undefined;
    result += template.slice(at, open) + (typeof value === 'string' ? value : `{{${tag}}}`);
    at = end + 2;
  }
  return result + template.slice(at);
}

/** Fills every string and every key in a value (deeplyReplace); numbers and booleans stay. */
export async function replaceDeep(value: Json, replace: (template: string) => Promise<string>): Promise<Json> {
  if (typeof value === 'string') return value.includes('{{') ? replace(value) : value;
  if (Array.isArray(value)) return Promise.all(value.map((item) => replaceDeep(item, replace)));
  if (typeof value !== 'object' || value === null) return value;
  const entries = await Promise.all(
    Object.entries(value).map(async ([key, item]): Promise<readonly [string, Json]> => {
      const [name, filled] = await Promise.all([key.includes('{{') ? replace(key) : key, replaceDeep(item, replace)]);
      return [name, filled];
    }),
  );
  const result: JsonObject = {};
  for (const [key, item] of entries) setKey(result, key, item);
  return result;
}

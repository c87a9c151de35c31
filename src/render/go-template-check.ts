import type { Json, JsonObject } from '../core/model.ts';
import { isObject } from '../core/json.ts';
import { lexTemplate, printTemplate } from './go-template-lex.ts';
import type { TemplatePart, Token } from './go-template-lex.ts';

/** Functions that Helm has and Argo CD does not, and Sprig functions that Argo CD takes away (applicationset/utils). */
const forbidden = new Set(
  'env expandenv getHostByName include tpl required lookup toToml mustToToml fromToml toYamlPretty mustToYaml fromJsonArray toDuration mustToDuration durationSeconds'.split(
    ' ',
  ),
);
/** Argo CD's own functions, as templates that take the list of arguments. */
const ownFunctions: Readonly<Record<string, string>> = { normalize: 'gate.normalize', slugify: 'gate.slugify' };

/**
 * Makes a template of an ApplicationSet one that Helm's engine executes in the same way.
 * @returns the new text, or why Argo CD would refuse the template
 */
export function adaptTemplate(template: string): { readonly text: string } | { readonly error: string } {
  const parts = lexTemplate(template);
  // Helm's parser says what is wrong.
  if (parts === undefined) return { text: template };
  const adapted: TemplatePart[] = [];
  for (const part of parts) {
    if (part.type === 'text') {
      adapted.push(part);
      continue;
    }
    const refused = part.tokens.find((token) => token.type === 'word' && forbidden.has(token.text));
    if (refused !== undefined) return { error: `function "${refused.text}" not defined` };
    adapted.push({ ...part, tokens: adaptTokens(part.tokens) });
  }
  return { text: printTemplate(adapted) };
}

/** `x | slugify 20` becomes `x | list 20 | include "gate.slugify"`: the piped value is the last argument there as here. */
function adaptTokens(tokens: readonly Token[]): readonly Token[] {
  const result: Token[] = [];
  let at = 0;
  while (at < tokens.length) {
    const token = tokens[at] as Token;
    at++;
    const template =
      token.type === 'word' && Object.hasOwn(ownFunctions, token.text) ? ownFunctions[token.text] : undefined;
    if (template === undefined) {
      // Sprig's fromJson reads lists and values too, Helm's only mappings.
      result.push(token.type === 'word' && token.text === 'fromJson' ? { ...token, text: 'mustFromJson' } : token);
      continue;
    }
    const end = endOfCommand(tokens, at);
    result.push({ type: 'word', text: 'list' }, ...adaptTokens(tokens.slice(at, end)), {
      type: 'other',
      text: ` | include "${template}"`,
    });
    // The blank before `-}}` belongs to the marker.
    if (end === tokens.length && tokens.at(-1)?.type === 'space') result.push({ type: 'space', text: ' ' });
    at = end;
  }
  return result;
}

function endOfCommand(tokens: readonly Token[], from: number): number {
  let depth = 0;
  for (let at = from; at < tokens.length; at++) {
    const { type } = tokens[at] as Token;
    if (type === 'open') depth++;
    else if (type === 'close' && depth-- === 0) return at;
    else if (type === 'pipe' && depth === 0) return at;
  }
  return tokens.length;
}

/** Templates that stand for Argo CD's functions: SanitizeName and SlugifyName with gosimple/slug. */
export const helperTemplates = `{{- define "gate.normalize" -}}
{{- regexReplaceAllLiteral "[^-a-z0-9.]" (lower (last .)) "-" | trunc 253 | trimAll "-." -}}
{{- end -}}
{{- define "gate.slugify" -}}
{{- $max := 50 -}}{{- $smart := true -}}
{{- if gt (len .) 1 -}}{{- $max = index . 0 -}}{{- end -}}
{{- if gt (len .) 2 -}}{{- $smart = index . 1 -}}{{- end -}}
{{- $slug := include "gate.normalize" . -}}
{{- if and (not $smart) (ge (len $slug) $max) -}}{{- $slug = substr 0 $max $slug -}}{{- end -}}
{{- $slug = regexReplaceAllLiteral "[^a-zA-Z0-9-_]" $slug "-" -}}
{{- $slug = regexReplaceAllLiteral "-+" $slug "-" | trimAll "-_" -}}
{{- if and $smart (gt $max 0) (gt (len $slug) $max) -}}
{{- $head := regexFind "^.*-" (substr 0 (int (add $max 1)) $slug) -}}
{{- if $head -}}{{- $slug = trimSuffix "-" $head -}}{{- else -}}{{- $slug = substr 0 $max $slug -}}{{- end -}}
{{- end -}}
{{- $slug -}}
{{- end -}}
`;

/**
 * `missingkey=error`, as far as it can be told without the engine: fields that are read outside of every block.
 * Inside of blocks a missing key shows as `<no value>` in the result.
 */
export function missingKey(template: string, data: JsonObject): string | undefined {
  let depth = 0;
  for (const part of lexTemplate(template) ?? []) {
    if (part.type === 'text') continue;
    const first = part.tokens.find((token) => token.type === 'word')?.text;
    const opensWith = part.tokens.find((token) => token.type !== 'space');
    const keyword = opensWith?.type === 'word' ? first : undefined;
    if (keyword === 'end') depth--;
    else if (depth === 0 && keyword !== 'define' && keyword !== 'block') {
      const key = missingInAction(part.tokens, data);
      if (key !== undefined) return key;
    }
    if (keyword !== undefined && ['if', 'range', 'with', 'define', 'block'].includes(keyword)) depth++;
  }
  return undefined;
}

/** Does the template name a field that is there and null? */
export function readsNull(template: string, data: JsonObject): boolean {
  return (lexTemplate(template) ?? []).some(
    (part) =>
      part.type === 'action' &&
      part.tokens.some((token) => {
        const keys = token.type === 'field' ? keysOf(token.text) : undefined;
        return keys !== undefined && follow(keys, data).value === null;
      }),
  );
}

function missingInAction(tokens: readonly Token[], data: JsonObject): string | undefined {
  // `and` and `or` stop early, so what stands behind them may never be read.
  if (tokens.some((token) => token.type === 'word' && (token.text === 'and' || token.text === 'or'))) return undefined;
  for (const [index, token] of tokens.entries()) {
    if (token.type !== 'field' || tokens[index - 1]?.type === 'close') continue;
    const keys = keysOf(token.text);
    const missing = keys === undefined ? undefined : follow(keys, data).missing;
    if (missing !== undefined) return missing;
  }
  return undefined;
}

/** `.a.b` and `$.a.b` -> `a`, `b`; undefined for fields of other variables. */
function keysOf(field: string): readonly string[] | undefined {
  return /^\$?((?:\.[\p{L}_][\p{L}\p{Nd}_]*)+)$/u.exec(field)?.[1]?.slice(1).split('.');
}

function follow(keys: readonly string[], data: JsonObject): { readonly value?: Json; readonly missing?: string } {
  let at: Json = data;
  for (const key of keys) {
    if (!isObject(at)) return {};
    if (!Object.hasOwn(at, key)) return { missing: key };
    at = at[key] ?? null;
  }
  return { value: at };
}

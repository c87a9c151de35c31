import { Type } from 'typebox';
import type { Confidence, Entry, ResourceChange } from '../../core/model.ts';
import { defineRule, type Problem, type RuleContext } from '../../core/rule.ts';
import { brokenImages, copiedSealedSecrets, exampleHosts, undecrypted } from '../kit/placeholder-objects.ts';
import {
  encryptedIn,
  expansionsIn,
  nilIn,
  reminderIn,
  substitutionIn,
  templateIn,
  type Placeholder,
} from '../kit/placeholders.ts';
import { containersOf, listAt, podTemplate, stringAt } from '../kit/pods.ts';
import { asServerSays } from '../kit/dry-run.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { placeOf, type Place } from '../kit/string-place.ts';
import { stringsOf, type StringAt } from '../kit/string-walk.ts';
import { examples } from './examples/unresolved-placeholder.ts';

interface Found {
  readonly placeholder: Placeholder;
  readonly confidence: Confidence;
}

const whole = (text: string, literal: string) => text.trim() === literal;

/** Is there something in a string that should have been replaced, given the place it stands in? */
function findIn(place: Place, { value, fields }: StringAt): Found | undefined {
  if (place === 'skip' || value === '' || value.length > 200_000) return undefined;
  const nil = nilIn(value);
  if (nil !== undefined)
    return { placeholder: nil, confidence: place === 'payload' || place === 'custom' ? 'likely' : 'determined' };
  if (place === 'payload') return undefined;
  const encrypted = encryptedIn(value);
  if (encrypted !== undefined) return { placeholder: encrypted, confidence: 'likely' };
  if (place === 'custom') {
    const reminder = reminderIn(value);
    return reminder !== undefined && whole(value, reminder.literal)
      ? { placeholder: reminder, confidence: 'likely' }
      : undefined;
  }
  const oneLine = !value.includes('\n');
  const template = templateIn(value);
  const substitution = substitutionIn(value);
  if (place === 'strict') {
    const expansion = expansionsIn(value)[0];
    const open =
      template ??
      substitution ??
      (expansion === undefined ? undefined : { kind: 'expansion' as const, literal: expansion.literal });
    if (open !== undefined) return { placeholder: open, confidence: 'determined' };
    const reminder = reminderIn(value);
    return reminder === undefined ? undefined : { placeholder: reminder, confidence: 'likely' };
  }
  const reminder = reminderIn(value);
  if (reminder !== undefined && (place === 'environment' || place === 'setting' || place === 'arguments') && oneLine)
    return { placeholder: reminder, confidence: 'likely' };
  if (substitution === undefined || !oneLine || template !== undefined) return undefined;
  switch (place) {
    case 'annotation':
      // Snippets and templates for controllers have a language of their own; a host or a class name has not.
      return /snippet|template|config|script|rule|header|action|condition|auth-url|signin|redirect/i.test(
        fields.at(-1) ?? '',
      )
        ? undefined
        : { placeholder: substitution, confidence: 'likely' };
    case 'environment':
      return { placeholder: substitution, confidence: 'likely' };
    case 'setting':
      return whole(value, substitution.literal) ? { placeholder: substitution, confidence: 'hint' } : undefined;
    default:
      return undefined;
  }
}

const shellName = /(^|\/)(ba|da|a|z|k|busybox )?sh$/;

/** `$(NAME)` and `${NAME}` in command, args and env values of containers, where Kubernetes expands only `$(NAME)` of known variables. */
function* containerExpansions(
  entry: Entry,
): Iterable<{ path: string; literal: string; text: string; confidence: Confidence }> {
  const template = podTemplate(entry.object);
  if (template === undefined) return;
  for (const { container, path } of containersOf(template)) {
    const names = new Set(listAt(container, 'env').map((variable) => stringAt(variable, 'name')));
    // Names from a ConfigMap or Secret are not known here.
    const open = listAt(container, 'envFrom').length > 0;
    const command = listAt<unknown>(container, 'command').map(String);
    const args = listAt<unknown>(container, 'args').map(String);
    const shell =
      [...command, ...args].some((word) => shellName.test(word)) ||
      [...command, ...args].some((word) => /\n|;|&&|\|\|/.test(word));
    const known = (name: string) => names.has(name) || open || /_SERVICE_(HOST|PORT)|^KUBERNETES_/.test(name);
    for (const [field, words] of [
      ['command', command],
      ['args', args],
    ] as const) {
      if (shell) break;
      for (const [index, word] of words.entries()) {
        for (const { name, literal } of expansionsIn(word))
          if (!known(name)) yield { path: `${path}/${field}/${index}`, literal, text: word, confidence: 'likely' };
        const substitution = substitutionIn(word);
        if (
          substitution !== undefined &&
          templateIn(word) === undefined &&
          /^[A-Z]/.test(substitution.literal.slice(2))
        )
          yield { path: `${path}/${field}/${index}`, literal: substitution.literal, text: word, confidence: 'hint' };
      }
    }
    for (const variable of listAt(container, 'env')) {
      const value = stringAt(variable, 'value') ?? '';
      if (value.includes('\n')) continue;
      for (const { name, literal } of expansionsIn(value))
        if (!known(name))
          yield {
            path: `${path}/env/${stringAt(variable, 'name') ?? ''}/value`,
            literal,
            text: value,
            confidence: 'likely',
          };
    }
  }
}

function meaning(placeholder: Placeholder): string {
  switch (placeholder.kind) {
    case 'nil':
      return 'a template printed a value that is not set';
    case 'template':
      return 'no template engine has replaced it';
    case 'substitution':
      return 'no substitution has replaced it, and Kubernetes does not';
    case 'expansion':
      return 'no variable of this name is there to expand';
    case 'reminder':
      return 'it was meant to be replaced';
    case 'encrypted':
      return 'it is applied encrypted';
  }
}

/** The API server validates these, so it refuses the object. */
function isValidated(fields: readonly string[], placeholder: Placeholder): boolean {
  if (placeholder.kind === 'reminder' || placeholder.kind === 'encrypted') return false;
  const [first, second] = fields;
  if (first === 'metadata') return second === 'name' || second === 'namespace' || second === 'labels';
  return fields.at(-1) === 'host' && fields.includes('rules');
}

function* checkStrings(change: ResourceChange, after: Entry): Iterable<Problem> {
  if (after.ref.kind === 'CustomResourceDefinition') return;
  const before = new Map<string, string>();
  for (const { path, value } of change.before === undefined ? [] : stringsOf(change.before.object))
    before.set(path, value);
  const byLiteral = new Map<string, { found: Found; first: StringAt; others: string[]; old: boolean }>();
  for (const string of stringsOf(after.object)) {
    if (before.get(string.path) === string.value) continue;
    const found = findIn(placeOf(after.object, string.fields, string.value), string);
    if (found === undefined) continue;
    const previous = before.get(string.path);
    const old = previous !== undefined && previous.includes(found.placeholder.literal);
    const known = byLiteral.get(found.placeholder.literal);
    if (known === undefined) byLiteral.set(found.placeholder.literal, { found, first: string, others: [], old });
    else known.others.push(string.path);
  }
  for (const { found, first, others, old } of byLiteral.values()) {
    const { placeholder, confidence } = found;
    const shown = first.value.length > 120 ? `${first.value.slice(0, 117)}...` : first.value;
    yield problemAt(after, first.path, {
      message: `${formatRef(after.ref)} contains ${placeholder.literal} at ${first.path}: ${meaning(placeholder)}.`,
      confidence,
      novelty: old ? 'touched-preexisting' : 'introduced',
      ...(isValidated(first.fields, placeholder) && !old ? { willNotApply: true } : {}),
      evidence: { after: shown, facts: others.slice(0, 5).map((path) => `also at ${path}`) },
      fix: fixFor(placeholder, after),
      rootCause: `placeholder:${after.target.id}:${placeholder.literal}`,
    });
  }
}

function fixFor(placeholder: Placeholder, { target, provenance }: Entry): string {
  const where = provenance.template ?? provenance.file ?? 'the template';
  switch (placeholder.kind) {
    case 'nil':
      return `Set the value that ${where} prints, or make it mandatory there: {{ required "..." .Values.x }}.`;
    case 'substitution':
      return target.engine === 'flux'
        ? `Define the variable in postBuild.substitute or substituteFrom of ${target.name}, or escape it as $$${placeholder.literal.slice(1)}.`
        : `Replace ${placeholder.literal} in ${where}; ${target.engine === 'argocd' ? 'Argo CD' : 'this engine'} substitutes nothing.`;
    case 'encrypted':
      return 'Decrypt it on the way: decryption in the Flux Kustomization, or a plugin of Argo CD.';
    default:
      return `Replace ${placeholder.literal} in ${where} by the real value.`;
  }
}

function* checkExpansions(change: ResourceChange, after: Entry): Iterable<Problem> {
  const old = new Set(
    change.before === undefined
      ? []
      : [...containerExpansions(change.before)].map(({ path, literal }) => `${path} ${literal}`),
  );
  for (const { path, literal, text, confidence } of containerExpansions(after)) {
    if (old.has(`${path} ${literal}`)) continue;
    yield problemAt(after, path, {
      message: `${formatRef(after.ref)} passes ${literal} on as it stands: ${literal.startsWith('$(') ? 'the container has no variable of this name' : 'Kubernetes expands only $(NAME), and no shell runs here'}.`,
      confidence,
      evidence: { after: text.length > 120 ? `${text.slice(0, 117)}...` : text },
      fix: literal.startsWith('$(')
        ? `Declare the variable in env of the container, or write $${literal} if the text itself is meant.`
        : `Write $(${literal.replace(/^\$\{([A-Za-z0-9_]+).*$/, '$1')}) and declare the variable in env, or replace the text.`,
      rootCause: `placeholder:${after.target.id}:${literal}`,
    });
  }
}

export default defineRule({
  id: 'unresolved-placeholder',
  since: '0.1.0',
  family: 'YAML hygiene, templating and environment',
  title: 'Unresolved placeholder',
  severity: 'high',
  reversibility: 'instant',
  confidence: 'determined',
  needs: 'single',
  kinds: ['*'],
  live: [],
  summary:
    'Text that should have been replaced reaches the cluster: ${VAR}, {{ }}, <no value>, CHANGEME, an encrypted value.',
  docs: {
    why: 'A value that is missing does not stop a template: Go prints `<no value>`, envsubst and kustomize leave `${VAR}` or `$(VAR)` as they are, SOPS files are valid YAML. The result is a valid manifest with a wrong host, image or password. Kubernetes itself expands only `$(NAME)` of variables of the same container, in `command`, `args` and `env`.',
    fix: 'Provide the value; make it mandatory (`required` in charts, `values.schema.json`, strict substitution in Flux).',
    ignoreWhen:
      'The consumer has a template language of its own. Files in ConfigMaps, annotations with snippets and custom resources (but for the host names of routes and certificates) are left alone for that reason.',
  },
  references: [
    'https://fluxcd.io/flux/components/kustomize/kustomizations/#post-build-variable-substitution',
    'https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/',
  ],
  options: Type.Object({}),
  examples,
  *check(context: RuleContext) {
    for (const change of context.changes) {
      const { after } = change;
      if (after === undefined) continue;
      yield* asServerSays(context, after, { whenAccepted: 'keep' }, checkStrings(change, after));
      yield* checkExpansions(change, after);
      yield* brokenImages(change, after);
      yield* undecrypted(context, change, after);
    }
    yield* copiedSealedSecrets(context);
    yield* exampleHosts(context);
  },
});

import type { SourceLocation } from '../../core/errors.ts';
import type { JsonObject, NotEvaluated, ResourceRef } from '../../core/model.ts';
import type { SourcedObject } from '../../core/ports.ts';
import type { ApplicationInput } from '../argocd/application.ts';
import type { ArgoCluster } from '../argocd/clusters.ts';
import type { ArgoContext } from '../argocd/context.ts';
import type { Ownership } from '../argocd/ownership.ts';
import { asObject, get, objects, scalarText, text, texts } from '../argocd/values.ts';
import { explain, runGenerator } from './generators.ts';
import { flatten, goText } from './params.ts';
import { maximumElements } from './scope.ts';
import type { GeneratorScope } from './scope.ts';
import { mergeTemplates, renderApplication } from './template.ts';
import type { ApplicationTemplate } from './template.ts';
import { createTemplating } from './templating.ts';
import type { TemplateBatch } from './templating.ts';

export interface ExpandedSet {
  readonly ref: ResourceRef;
  readonly location: SourceLocation;
  readonly applications: readonly ApplicationInput[];
  readonly notEvaluated: readonly NotEvaluated[];
  /** False: a generator or an element is missing from `applications`. */
  readonly complete: boolean;
  readonly usesClusters: boolean;
}

const maximumNotes = 50;

export interface ExpansionSurroundings {
  readonly context: ArgoContext;
  readonly clusters: readonly ArgoCluster[];
  readonly ownership: Ownership;
  readonly batch: TemplateBatch;
}

/**
 * The Applications that an ApplicationSet generates, as the controller would write them. What cannot be expanded is
 * in `notEvaluated` and does not lose the rest; never throws for odd input.
 */
export async function expandApplicationSet(item: SourcedObject, around: ExpansionSurroundings): Promise<ExpandedSet> {
  const { object, location } = item;
  const { context } = around;
  const namespace = text(get(object, 'metadata', 'namespace')) ?? context.config.argocd.namespace;
  const name = text(get(object, 'metadata', 'name')) ?? '(without a name)';
  const ref: ResourceRef = { group: 'argoproj.io', version: 'v1alpha1', kind: 'ApplicationSet', namespace, name };
  const spec = asObject(get(object, 'spec'));
  const notEvaluated: NotEvaluated[] = [];
  let complete = true;
  let usesClusters = false;
  const report: GeneratorScope['report'] = (reason, next, at) => {
    complete = false;
    // One broken template fails for every element; nobody reads the rest.
    if (notEvaluated.length > maximumNotes) return;
    const what = `ApplicationSet ${name}`;
    if (notEvaluated.length === maximumNotes) {
      notEvaluated.push({ what, reason: 'more of its elements fail than are listed', location, weight: 'note' });
      return;
    }
    const known = notEvaluated.some((note) => note.what === what && note.reason === reason);
    if (!known)
      notEvaluated.push({
        what,
        reason,
        location: at ?? location,
        ...(next === undefined ? {} : { next }),
        weight: 'note',
      });
  };

  const templating = createTemplating(
    get(spec, 'goTemplate') === true,
    texts(get(spec, 'goTemplateOptions')),
    around.batch,
  );
  const scope: GeneratorScope = {
    context,
    clusters: around.clusters,
    ownership: around.ownership,
    templating,
    location,
    report,
    usesClusters: () => {
      usesClusters = true;
    },
  };
  const base = asObject(get(spec, 'template'));
  const entries = objects(get(spec, 'generators'));
  if (base === undefined && entries.length === 0) {
    report('it has neither generators nor a template, so it is no ApplicationSet, or a patch that nothing uses');
  } else if (base === undefined) report('it has no spec.template', 'Correct the object.');
  else if (entries.length === 0) report('it has no generators', 'Correct the object.');

  const policy = text(get(spec, 'syncPolicy', 'applicationsSync')) ?? 'sync';
  if (policy === 'create-only' || policy === 'create-delete') {
    notEvaluated.push({
      what: `ApplicationSet ${name}`,
      reason: `applicationsSync is ${policy}: changes of the template do not reach Applications that exist; gate shows them as if they were created now`,
      location,
      weight: 'note',
    });
  }
  const template: Omit<ApplicationTemplate, 'template'> = {
    namespace,
    templatePatch: text(get(spec, 'templatePatch')),
    preserveResources: get(spec, 'syncPolicy', 'preserveResourcesOnDeletion') === true,
  };
  const keepsApplications = policy === 'create-only' || policy === 'create-update';
  const elements = base === undefined ? [] : await elementsOf(entries, base, scope);
  const rendered = await Promise.all(
    elements.map(async (element): Promise<ApplicationInput | undefined> => {
      try {
        const application = await renderApplication(
          { ...template, template: element.template },
          element.params,
          templating,
        );
        return {
          object: application,
          location,
          parent: item.parent,
          set: { ref, inputs: element.files, keepsApplications },
        };
      } catch (error) {
        const { reason, next } = explain(error);
        report(
          `element ${describe(element.params)}: ${reason}`,
          next ?? 'Correct the template or the parameters; Argo CD changes nothing of the set until then.',
        );
        return undefined;
      }
    }),
  );
  const applications = withoutDuplicates(
    rendered.filter((input) => input !== undefined),
    report,
  );
  return { ref, location, applications, notEvaluated, complete, usesClusters };
}

interface Element {
  readonly params: JsonObject;
  readonly files: readonly string[];
  readonly template: JsonObject;
}

async function elementsOf(
  entries: readonly JsonObject[],
  base: JsonObject,
  scope: GeneratorScope,
): Promise<readonly Element[]> {
  const all = await Promise.all(
    entries.map(async (entry): Promise<readonly Element[]> => {
      try {
        const generated = await runGenerator(entry, scope);
        return generated.flatMap((result) => {
          const template = mergeTemplates(result.template, base);
          return result.params.map(({ params, files }) => ({ params, files, template }));
        });
      } catch (error) {
        const { reason, next } = explain(error);
        scope.report(reason, next);
        return [];
      }
    }),
  );
  const elements = all.flat();
  if (elements.length <= maximumElements) return elements;
  scope.report(`it generates ${elements.length} Applications; only the first ${maximumElements} are looked at`);
  return elements.slice(0, maximumElements);
}

/** The controller refuses the second Application of a name (validateGeneratedApplications). */
function withoutDuplicates(
  inputs: readonly ApplicationInput[],
  report: GeneratorScope['report'],
): readonly ApplicationInput[] {
  const names = new Set<string>();
  return inputs.filter((input) => {
    const name = scalarText(get(input.object, 'metadata', 'name')) ?? '';
    if (!names.has(name)) {
      names.add(name);
      return true;
    }
    report(
      `it generates two Applications named ${name}; Argo CD refuses the second`,
      'Make the name in the template unique for every element.',
    );
    return false;
  });
}

/** A few telling parameters, for messages. */
function describe(params: JsonObject): string {
  const entries = [...flatten(params)].filter(([key]) => !/\[\d+\]$|segments\.|Normalized$/.test(key)).slice(0, 4);
  return entries.length === 0
    ? '(without parameters)'
    : `{${entries.map(([key, value]) => `${key}: ${goText(value).slice(0, 60)}`).join(', ')}}`;
}

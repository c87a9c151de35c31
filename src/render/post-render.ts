import { join } from 'node:path';
import type { KustomizePatchSet } from '../core/model.ts';
import { splitDocuments } from '../core/yaml/read.ts';
import { runTool, writeAtomically } from './context.ts';
import type { RenderContext } from './context.ts';
import { fail } from './failure.ts';

const hookAnnotation = /^[ \t]+["']?helm\.sh\/hook["']?:/m;
const crdSource = /^# Source: [^\n]*\/crds\//m;

/**
 * Flux `postRenderers[].kustomize`: patches and images over the output of helm, set by set. CRDs of `crds/` never go
 * through post-renderers, hooks only from Helm 4 on (Helm 3 gives its post-renderer the manifests without hooks).
 * @returns multi-document YAML
 */
export async function postRender(
  text: string,
  sets: readonly KustomizePatchSet[],
  options: {
    readonly context: RenderContext;
    readonly kustomize: { readonly path: string };
    readonly includeHooks: boolean;
  },
): Promise<string> {
  const past: string[] = [];
  const through: string[] = [];
  for (const part of splitDocuments(text)) {
    const skipped = crdSource.test(part.text) || (!options.includeHooks && hookAnnotation.test(part.text));
    (skipped ? past : through).push(part.text);
  }
  if (through.length === 0) return text;
  let current = through.join('\n');
  for (const set of sets) current = await applySet(current, set, options);
  return [current, ...past].join('\n---\n');
}

async function applySet(
  text: string,
  set: KustomizePatchSet,
  options: { readonly context: RenderContext; readonly kustomize: { readonly path: string } },
): Promise<string> {
  const folder = await options.context.workspace.newFolder();
  await writeAtomically(join(folder, 'rendered.yaml'), text);
  const kustomization = { resources: ['rendered.yaml'], patches: set.patches, images: set.images };
  await writeAtomically(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization));
  const result = await runTool(options.context, 'kustomize', { file: options.kustomize.path, args: ['build', folder] });
  if (result.exitCode === 0) return result.stdout;
  return fail({
    kind: 'render',
    message: `The post-renderer failed: ${result.stderr
      .trim()
      .replace(/^Error: /, '')
      .replaceAll(folder, 'post-renderer')
      .slice(0, 2000)}`,
    next: 'Correct spec.postRenderers: patch paths may not be files, and every target has to exist.',
  });
}

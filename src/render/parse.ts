import { GateError } from '../core/errors.ts';
import type { Json, JsonObject, Manifest, Provenance } from '../core/model.ts';
import { readDocument, splitDocuments, YamlError } from '../core/yaml/read.ts';
import type { YamlPart } from '../core/yaml/read.ts';
import { setDefaultNamespace } from './after.ts';
import { hookPhases } from './hooks.ts';
import { manifestsOf } from './objects.ts';

export interface ParseOptions {
  /** Namespace for namespaced objects that name none. */
  readonly defaultNamespace?: string;
  /** File of the tree that holds the text; absent for the output of a tool. */
  readonly file?: string;
  /** Key of the fingerprints of secrets; default: 32 zero bytes, for tests. */
  readonly redactKey?: Uint8Array;
  /** Manifests by document text, shared between calls; must be used with one `redactKey` only. */
  readonly memo?: ParseMemo;
  /** Changes each object before secrets are redacted, for Flux's variables. */
  readonly substitute?: (object: JsonObject) => Json;
  /** Gets each object as soon as it is read, so that something is left when a later document fails. */
  readonly collect?: Manifest[];
}

/** What was parsed before, by document text. */
export type ParseMemo = Map<string, readonly Manifest[]>;

const sourceComment = /^# Source: (\S+)[ \t]*$/m;

/**
 * Reads a multi-document text as Kubernetes does. Secrets are redacted, `List`s expanded, hooks marked, and the
 * `# Source:` comments of Helm kept as provenance.
 * @throws GateError `render.bad-yaml` or `render.not-an-object`, with file (or chart template) and line
 */
export function parseManifests(text: string, options: ParseOptions = {}): { readonly manifests: readonly Manifest[] } {
  const parsed = options.collect ?? [];
  for (const part of splitDocuments(text)) parsed.push(...parsePart(part, options));
  const manifests =
    options.defaultNamespace === undefined ? parsed : setDefaultNamespace(parsed, options.defaultNamespace);
  return { manifests };
}

const noKey = new Uint8Array(32);

function parsePart(part: YamlPart, options: ParseOptions): readonly Manifest[] {
  // Lines matter for a file of the tree; tool output is the same wherever it stands.
  const memo = options.file === undefined && options.substitute === undefined ? options.memo : undefined;
  const known = memo?.get(part.text);
  if (known !== undefined) return known;
  const template = sourceComment.exec(part.text.slice(0, 2048))?.[1];
  const manifests = readPart(part, template, options);
  memo?.set(part.text, manifests);
  return manifests;
}

function readPart(part: YamlPart, template: string | undefined, options: ParseOptions): readonly Manifest[] {
  const { file } = options;
  try {
    const document = readDocument(part);
    const provenance: Provenance = {
      ...(template === undefined ? {} : { template }),
      ...(file === undefined ? {} : { file, line: document.line }),
    };
    return manifestsOf(document, options.redactKey ?? noKey, provenance, file, options.substitute).map((manifest) => {
      const hook = hookPhases(manifest.object);
      return hook === undefined ? manifest : { ...manifest, hook };
    });
  } catch (error) {
    throw located(error, part, template, file);
  }
}

/** Gives an error its place: the file of the tree, or the chart template that printed the document. */
function located(error: unknown, part: YamlPart, template: string | undefined, file: string | undefined): unknown {
  const place = file ?? template;
  if (error instanceof YamlError) {
    const line = file === undefined && error.line !== undefined ? error.line - part.line + 1 : error.line;
    return new GateError({
      code: 'render.bad-yaml',
      message: `The YAML cannot be read: ${error.message}${file === undefined && line !== undefined ? ` (line ${line} of the rendered document)` : ''}`,
      fault: 'user',
      ...(place === undefined
        ? {}
        : {
            location: {
              file: place,
              ...(file === undefined || line === undefined ? {} : { line }),
              ...(file === undefined || error.column === undefined ? {} : { column: error.column }),
            },
          }),
      next: 'Correct the YAML; `---` separates documents.',
      cause: error,
    });
  }
  if (error instanceof GateError && error.location === undefined && place !== undefined) {
    return new GateError({
      code: error.code,
      message: error.message,
      fault: error.fault,
      location: { file: place },
      ...(error.next === undefined ? {} : { next: error.next }),
      cause: error,
    });
  }
  return error;
}

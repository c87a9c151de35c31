/** The two Helm lines and the Kustomize line that gate ships with. */
export const supportedVersions = { helm3: '3.19.5', helm4: '4.2.4', kustomize: '5.8.1' } as const;

/** What is used when nothing says otherwise. */
export const defaultVersions = { helm: supportedVersions.helm3, kustomize: supportedVersions.kustomize } as const;

/** `shipped`: what the engine has inside; `used`: the supported line that renders like it. */
/**
 * `.Capabilities.KubeVersion` when neither a snapshot nor gate.yaml tells: what the released Helm 3.19 binaries assume.
 * Passed explicitly, because a Helm that was built from source without its linker flags assumes 1.20.
 */
export const assumedKubernetesVersion = '1.34.0';

export interface EngineTool {
  readonly shipped: string;
  readonly used: string;
}

interface Row {
  readonly from: readonly [number, number, number];
  readonly helm: string;
  readonly kustomize: string;
}

// argo-cd hack/tool-versions.sh at each tag; newest first.
const argocdRows: readonly Row[] = [
  { from: [3, 5, 0], helm: '4.2.1', kustomize: '5.8.1' },
  { from: [3, 4, 0], helm: '3.19.4', kustomize: '5.8.1' },
  { from: [3, 3, 14], helm: '3.19.4', kustomize: '5.8.1' },
  { from: [3, 3, 0], helm: '3.19.4', kustomize: '5.8.0' },
  { from: [3, 1, 0], helm: '3.18.4', kustomize: '5.7.0' },
  { from: [3, 0, 0], helm: '3.17.1', kustomize: '5.6.0' },
  { from: [2, 14, 0], helm: '3.16.3', kustomize: '5.4.3' },
  { from: [2, 13, 0], helm: '3.15.4', kustomize: '5.4.3' },
  { from: [0, 0, 0], helm: '3.15.2', kustomize: '5.4.2' },
];

// go.mod of helm-controller and kustomize-controller in each Flux release; newest first.
const fluxRows: readonly Row[] = [
  { from: [2, 9, 0], helm: '4.2.4', kustomize: '5.8.1' },
  { from: [2, 8, 0], helm: '4.2.0', kustomize: '5.8.1' },
  { from: [2, 7, 0], helm: '3.19.2', kustomize: '5.7.1' },
  { from: [2, 6, 0], helm: '3.17.3', kustomize: '5.6.0' },
  { from: [0, 0, 0], helm: '3.17.1', kustomize: '5.6.0' },
];

/**
 * The tools inside an Argo CD release and the supported lines that stand for them.
 * @param version `3.5`, `v3.4.1`; anything that is no version counts as the newest
 */
export function argocdTools(version: string): { readonly helm: EngineTool; readonly kustomize: EngineTool } {
  return pick(argocdRows, version);
}

/**
 * The tools inside a Flux release (of Flux itself, not of a controller) and the supported lines that stand for them.
 * @param version `2.8`, `v2.9.4`; anything that is no version counts as the newest
 */
export function fluxTools(version: string): { readonly helm: EngineTool; readonly kustomize: EngineTool } {
  return pick(fluxRows, version);
}

function pick(rows: readonly Row[], version: string): { readonly helm: EngineTool; readonly kustomize: EngineTool } {
  const wanted = /^v?(\d+)\.(\d+)(?:\.(\d+))?/.exec(version);
  const parts =
    wanted === null ? [Infinity, 0, 0] : [Number(wanted[1]), Number(wanted[2]), Number(wanted[3] ?? Infinity)];
  const row = rows.find((candidate) => compare(parts, candidate.from) >= 0) ?? rows.at(-1);
  if (row === undefined) throw new Error('the table of engine versions is empty');
  return {
    helm: { shipped: row.helm, used: row.helm.startsWith('4.') ? supportedVersions.helm4 : supportedVersions.helm3 },
    kustomize: { shipped: row.kustomize, used: supportedVersions.kustomize },
  };
}

function compare(left: readonly number[], right: readonly number[]): number {
  for (let index = 0; index < 3; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference > 0 ? 1 : -1;
  }
  return 0;
}

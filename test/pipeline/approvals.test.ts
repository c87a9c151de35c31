import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentProgress } from '../../src/cli/progress.ts';
import { GateError } from '../../src/core/errors.ts';
import type { Approval, Decisions, Finding, GateReport } from '../../src/core/model.ts';
import type { DecisionsInput } from '../../src/pipeline/approvals.ts';
import { runGate, type GatePorts } from '../../src/pipeline.ts';
import { createPorts } from '../../src/wire.ts';
import { tempDir, writeFiles } from '../kit/tmp.ts';

type Files = Readonly<Record<string, string>>;

const config = `targets:
  - {name: web, manifests: {path: deploy}, environment: production}
rules: {replicas-cut: {severity: high}}
detect: false
`;
const web = (replicas: number, image = 'registry.example.org/web:1.0.0') => `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "${image}"}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`;
const other = (value: string) => `apiVersion: v1
kind: ConfigMap
metadata: {name: other, namespace: shop}
data: {a: ${value}}
`;
const tree = (deployment: string, value = 'x'): Files => ({
  'gate.yaml': config,
  'deploy/web.yaml': deployment,
  'deploy/other.yaml': other(value),
});

async function judge(
  before: Files,
  after: Files,
  decisions?: (input: DecisionsInput) => Promise<Decisions>,
  adapt: Partial<GatePorts> = {},
): Promise<GateReport> {
  const folder = tempDir('approvals');
  writeFiles(join(folder, 'before'), before);
  writeFiles(join(folder, 'after'), after);
  const ports = await createPorts({ cache: false, progress: silentProgress });
  const { report } = await runGate(
    {
      trees: { kind: 'directories', before: join(folder, 'before'), after: join(folder, 'after') },
      targets: [],
      all: false,
      onIncomplete: 'fail',
    },
    { ...ports, ...adapt, ...(decisions === undefined ? {} : { decisions }) },
  );
  return report;
}

function recordOf(
  { fingerprint, ruleId, resource, target, severity, objectDigest = '' }: Finding,
  over: Partial<Approval> = {},
): Approval {
  const at = new Date().toISOString();
  return {
    kind: 'approve',
    finding: fingerprint,
    ruleId,
    resource,
    target,
    digest: objectDigest,
    severity,
    by: 'mia',
    reason: 'measured',
    at,
    ...over,
  };
}

const held = (report: GateReport) =>
  report.findings.filter(({ novelty }) => novelty === 'introduced' || novelty === 'worsened');
const given = (approvals: readonly Approval[]) => () => Promise.resolve({ approvals, refused: [] });

describe('a run with approvals', () => {
  const before = tree(web(4));
  const after = tree(web(1));

  it('passes with what was approved, fails again when the object changes, and not when another one does', async () => {
    const first = await judge(before, after);
    expect(first.verdict).toBe('approval');
    expect(first.approvals).toBeUndefined();
    const records = held(first).map((finding) => recordOf(finding));
    expect(records.length).toBeGreaterThan(0);

    const approved = await judge(before, after, given(records));
    expect(approved.verdict).toBe('pass');
    expect(approved.reason).toContain('approved or waived by mia');
    expect(held(approved).map((finding) => finding.approved?.reason)).toEqual(records.map(() => 'measured'));
    expect(approved.approvals).toMatchObject(records.map(() => ({ inForce: true, by: 'mia' })));

    const changed = await judge(before, tree(web(1, 'registry.example.org/web:1.0.1')), given(records));
    expect(changed.verdict).toBe('approval');
    expect(changed.approvals).toMatchObject(
      records.map(() => ({ inForce: false, why: 'approved for another state of the object' })),
    );

    expect((await judge(before, tree(web(1), 'y'), given(records))).verdict).toBe('pass');
  });

  it('the digest of a target is the same for another user, style and order, and for another base', async () => {
    const digestOf = ({ coverage }: GateReport) => coverage.targets.map(({ digest }) => digest);
    const secret = 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: hunter2}\n';
    const wanted = digestOf(await judge(before, { ...after, 'deploy/s.yaml': secret }));
    expect(wanted).toEqual([expect.stringMatching(/^sha256:[0-9a-f]{64}$/)]);
    const restyled = {
      'gate.yaml': config,
      'deploy/all.yaml': `# all\n${[secret, other('"x"'), web(1)].join('---\n')}`,
    };
    expect(digestOf(await judge(tree(web(3)), restyled))).toEqual(wanted);
    expect(digestOf(await judge(before, tree(web(1), 'y')))).not.toEqual(wanted);
  });

  it('an approved deletion is bound to all that the target renders', async () => {
    const budget =
      'apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: web, namespace: shop}\nspec: {minAvailable: 1, selector: {matchLabels: {app: web}}}\n';
    const crd =
      'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a.example.org}\nspec: {group: example.org, scope: Cluster, names: {kind: A, plural: a}, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]}\n';
    const old = { ...tree(web(4)), 'deploy/crd.yaml': crd, 'deploy/pdb.yaml': budget };
    const state = async (files: Files) =>
      held(await judge(old, files)).find(({ ruleId }) => ruleId === 'crd-deleted')?.objectDigest;
    const wanted = await state({ ...tree(web(4)), 'deploy/pdb.yaml': budget });
    expect(wanted).toMatch(/^sha256:/);
    expect(await state({ ...tree(web(4)), 'deploy/pdb.yaml': budget })).toBe(wanted);
    expect(await state(tree(web(4)))).not.toBe(wanted);
  });

  it('says which changed files a finding comes from, and reads the base side only', async () => {
    const seen: (readonly string[])[] = [];
    const texts: (string | undefined)[] = [];
    await judge({ ...before, 'catalog-info.yaml': 'old' }, { ...after, 'catalog-info.yaml': 'new' }, (input) => {
      seen.push(...held({ findings: input.findings } as GateReport).map(input.affected));
      texts.push(input.readBase('catalog-info.yaml'), input.readBase('none'));
      return Promise.resolve({ approvals: [], refused: [] });
    });
    expect(seen.length).toBeGreaterThan(0);
    for (const files of seen) expect(files).toEqual(['deploy/web.yaml']);
    expect(texts).toEqual(['old', undefined]);
  });

  it('approves nothing when the forge does not answer, and says so', async () => {
    const report = await judge(before, after, () =>
      Promise.reject(
        new GateError({
          code: 'forge.x',
          message: 'the API does not answer',
          fault: 'tool',
          next: 'Run it again.',
        }),
      ),
    );
    expect(report.verdict).toBe('approval');
    expect(report.approvals).toEqual([]);
    expect(report.coverage.notEvaluated).toContainEqual(
      expect.objectContaining({ what: 'approvals', reason: expect.stringContaining('the API does not answer') }),
    );
  });
});

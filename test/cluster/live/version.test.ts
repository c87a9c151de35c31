import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeFiles } from '../../kit/tmp.ts';
import { checkSides } from '../kit/check.ts';
import { hasCluster, useCluster } from '../kit/cluster.ts';
import { objectsOf } from '../kit/objects.ts';

const statefulSet = (revisions: number) => `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store, namespace: default}
spec:
  serviceName: store
  revisionHistoryLimit: ${revisions}
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}}
    spec:
      containers: [{name: store, image: "registry.example.org/store:1.0.0"}]
`;

const url = '/apis/apps/v1/namespaces/default/statefulsets/store';

for (const { version, refuses } of [
  { version: '1.31.4', refuses: true },
  { version: '1.34.3', refuses: false },
]) {
  describe.skipIf(!(await hasCluster({ version })))(`revisionHistoryLimit of a StatefulSet on ${version}`, () => {
    const cluster = useCluster({ version });

    test(`the server ${refuses ? 'refuses' : 'accepts'} the change, and so says the offline rule for its version`, async () => {
      const server = (await cluster().request('GET', '/version')).body.gitVersion as string;
      expect(server).toBe(`v${version}`);
      const [created] = await cluster().create(statefulSet(10));
      const [wanted] = objectsOf(statefulSet(3));

      const put = { ...created, spec: { ...created!['spec'], revisionHistoryLimit: 3 } };
      const answers = [
        await cluster().request('PUT', `${url}?dryRun=All`, put),
        await cluster().request('PATCH', `${url}?dryRun=All`, wanted, {
          contentType: 'application/merge-patch+json',
        }),
        await cluster().request('PATCH', `${url}?dryRun=All&fieldManager=test&force=true`, wanted, {
          contentType: 'application/apply-patch+yaml',
        }),
      ];
      expect(answers.map((answer) => answer.status)).toEqual(refuses ? [422, 422, 422] : [200, 200, 200]);

      const { report } = await checkSides(
        cluster().folder,
        { before: { 'store.yaml': statefulSet(10) }, after: { 'store.yaml': statefulSet(3) } },
        '--config',
        join(writeFiles(cluster().folder, { 'gate.yaml': `kubernetesVersion: ${server}\n` }), 'gate.yaml'),
      );
      expect(report.coverage.targets.map((target) => target.status)).toEqual(['rendered']);
      const findings = report.findings.filter((finding) => finding.ruleId === 'immutable-field-change');
      expect(findings.map((finding) => finding.path)).toEqual(refuses ? ['/spec/revisionHistoryLimit'] : []);
      for (const finding of findings) {
        const words = String(finding.evidence.facts?.[0]).replace('server message: spec: Forbidden: ', '');
        for (const answer of answers) expect(answer.body.message).toContain(words);
      }
    });
  });
}

import { Type } from 'typebox';
import type { Entry } from '../../core/model.ts';
import { defineRule, type Problem, type RuleContext } from '../../core/rule.ts';
import {
  commandTexts,
  fileLimitsIn,
  hungryWorkloads,
  isHungry,
  nodeSetup,
  type FileLimit,
} from '../kit/file-limits.ts';
import { containersOf, podTemplate } from '../kit/pods.ts';
import { formatRef, problemAt } from '../kit/problem.ts';
import { examples } from './examples/nofile-contract-changed.ts';

/** What remains when nothing sets it: systemd's default of the runtime service since containerd 2.0. */
const fallback = 1024;

function printed(soft: number): string {
  return Number.isFinite(soft) ? String(soft) : 'unlimited';
}

interface Cut {
  readonly source: string;
  readonly was: number;
  readonly now: number;
  readonly removed: boolean;
}

function cuts(before: readonly FileLimit[], after: readonly FileLimit[]): readonly Cut[] {
  return before.flatMap(({ source, soft }) => {
    const now = after.find((limit) => limit.source === source)?.soft;
    // Another way to set it took over.
    if (now === undefined && after.some((limit) => limit.soft >= soft)) return [];
    const value = now ?? fallback;
    return value < soft ? [{ source, was: soft, now: value, removed: now === undefined }] : [];
  });
}

const source =
  'Kubernetes has no field for it: the limit of a container is that of the container runtime on its node, until the process raises it';

function names(list: readonly string[]): string {
  return list.length > 3 ? `${list.slice(0, 3).join(', ')} and ${list.length - 3} more` : list.join(', ');
}

function* nodes(context: RuleContext<unknown>, before: Entry, after: Entry): Iterable<Problem> {
  const old = nodeSetup(before);
  const now = nodeSetup(after);
  if (old === undefined || now === undefined) return;
  const { scope } = after.target;
  const consumers = hungryWorkloads(context.after, scope);
  const blast = context.isProduction(after.target)
    ? { blast: { value: 0.8, reason: `every pod on the nodes of ${after.ref.name}` } }
    : {};
  const severity = consumers.length > 0 ? 'high' : 'medium';
  const [cut] = cuts(fileLimitsIn(old.text), fileLimitsIn(now.text));
  if (cut !== undefined) {
    yield problemAt(after, '/spec', {
      message: `New nodes of ${formatRef(after.ref)} ${cut.removed ? `no longer set ${cut.source}, so their pods get` : `set ${cut.source} to`} ${printed(cut.now)} open files (${printed(cut.was)} before): "too many open files" comes with load, on the new nodes first.`,
      severity,
      evidence: {
        before: printed(cut.was),
        after: printed(cut.now),
        facts: [source, ...(consumers.length > 0 ? [`needs many: ${names(consumers)}`] : [])],
        wouldChange: 'the open files of running pods (/proc/1/limits and their p99)',
      },
      ...blast,
      fix: `Keep ${cut.source} at ${printed(cut.was)} for the nodes of ${formatRef(after.ref)}, or let the programs raise their soft limit at start.`,
    });
    return;
  }
  // Another image may bring another default; it matters where somebody relies on it and nothing pins it.
  if (old.image === now.image || consumers.length === 0 || fileLimitsIn(now.text).length > 0) return;
  yield problemAt(after, '/spec', {
    message: `${formatRef(after.ref)} gets another node image, and nothing pins the number of open files: the default of the new image decides for ${names(consumers)}.`,
    severity: 'medium',
    evidence: {
      before: old.image,
      after: now.image,
      facts: [source],
      wouldChange: 'the limits in a pod on a node with the new image',
    },
    ...blast,
    fix: `Set LimitNOFILE for the container runtime in the start-up of ${formatRef(after.ref)}, and compare /proc/1/limits on one new node.`,
  });
}

function* commands(before: Entry, after: Entry): Iterable<Problem> {
  const old = commandTexts(before);
  const template = podTemplate(after.effective);
  if (template === undefined) return;
  const images = new Map(containersOf(template).map(({ container }) => [container.name, container.image ?? '']));
  for (const [name, { text, path }] of commandTexts(after)) {
    const was = old.get(name);
    const [cut] = was === undefined ? [] : cuts(fileLimitsIn(was.text), fileLimitsIn(text));
    if (cut === undefined) continue;
    yield problemAt(after, path, {
      message: `Container ${name} of ${formatRef(after.ref)} ${cut.removed ? `no longer raises its open files (${cut.source})` : `sets ${cut.source} lower`}: ${printed(cut.was)} before, ${cut.removed ? 'the limit of the node' : printed(cut.now)} after.`,
      severity: isHungry(images.get(name) ?? '') ? 'high' : 'medium',
      evidence: { before: printed(cut.was), after: cut.removed ? null : printed(cut.now), facts: [source] },
      fix: `Keep ${cut.source} in container ${name} of ${formatRef(after.ref)}, or make sure that the nodes allow ${printed(cut.was)}.`,
    });
  }
}

export default defineRule({
  id: 'nofile-contract-changed',
  since: '0.1.0',
  family: 'File descriptors and sysctls',
  title: 'Open-file limit changed',
  severity: 'medium',
  reversibility: 'slow',
  confidence: 'hint',
  needs: 'transition',
  kinds: [
    'karpenter.k8s.aws/EC2NodeClass',
    'bootstrap.cluster.x-k8s.io/KubeadmConfigTemplate',
    'infrastructure.cluster.x-k8s.io/AWSMachineTemplate',
    'machineconfiguration.openshift.io/MachineConfig',
    'apps/Deployment',
    'apps/StatefulSet',
    'apps/DaemonSet',
  ],
  live: [],
  summary: 'Nodes or containers get a lower limit on open files than the programs had.',
  docs: {
    why: 'The number of open files is set by the container runtime on the node (`LimitNOFILE` of containerd, `default-ulimits` of Docker), not by a manifest. A new node image or start-up script can lower it from a million to 1024: proxies, databases and brokers then fail with "too many open files", under load, and only on new nodes.',
    fix: 'Pin `LimitNOFILE` in a drop-in of the runtime, compare `/proc/1/limits` on one new node, and let programs raise their soft limit at start.',
    ignoreWhen: 'The programs raise the soft limit themselves (Go since 1.19) and the hard limit stays.',
  },
  references: [
    'https://github.com/awslabs/amazon-eks-ami/issues/234',
    'https://github.com/awslabs/amazon-eks-ami/issues/1551',
    'https://github.com/containerd/containerd/pull/8924',
  ],
  options: Type.Object({}),
  examples,
  *check(context) {
    for (const { before, after } of context.changes) {
      if (before === undefined || after === undefined) continue;
      yield* nodes(context, before, after);
      yield* commands(before, after);
    }
  },
});

import { GateError } from '../core/errors.ts';

/** The inputs of action.yml. What is not set stays absent, so that gate.yaml and the defaults of gate decide. */
export interface Inputs {
  readonly token: string;
  readonly directory?: string;
  /** Name of this gate when several judge one pull request. */
  readonly name?: string;
  readonly environment?: string;
  readonly targets: readonly string[];
  readonly all: boolean;
  readonly base?: string;
  readonly config?: string;
  readonly snapshots: readonly string[];
  readonly live: readonly (string | undefined)[];
  readonly kubeconfig?: string;
  readonly clusterName?: string;
  /** Seconds. */
  readonly clusterTimeout: number;
  readonly prometheus?: string;
  readonly dryRun: boolean;
  readonly dryRunPods: boolean;
  readonly failOn: 'approval' | 'block' | 'never';
  readonly onIncomplete: 'fail' | 'warn';
  /** `changes`: not on pull requests that change nothing, unless it is there already. */
  readonly comment: 'true' | 'false' | 'changes';
  /** Remarks on the lines that cause findings; needs `comment`. */
  readonly inline: boolean;
  readonly checks: boolean;
  readonly labels: boolean;
  readonly author?: string;
  readonly reportDirectory?: string;
  /** Seconds for the whole step. */
  readonly timeLimit: number;
}

/** @throws GateError action.input */
export function readInputs(environment: Readonly<Record<string, string | undefined>>): Inputs {
  // The runner upper-cases names and keeps dashes.
  const get = (name: string): string | undefined => {
    const value = (environment[`INPUT_${name.toUpperCase()}`] ?? '').trim();
    return value === '' ? undefined : value;
  };
  const optional = <Key extends string>(key: Key, name: string) => {
    const value = get(name);
    return (value === undefined ? {} : { [key]: value }) as Partial<Record<Key, string>>;
  };
  const lines = (name: string): string[] =>
    (get(name) ?? '')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
  const flag = (name: string, absent: boolean): boolean => {
    const value = get(name);
    if (value === undefined) return absent;
    // As the YAML 1.2 core schema has it, which the runner's own functions use.
    if (/^(?:true|True|TRUE)$/.test(value)) return true;
    if (/^(?:false|False|FALSE)$/.test(value)) return false;
    throw wrong(name, value, 'Use true or false.');
  };
  const choice = <const Values extends readonly string[]>(name: string, values: Values, absent: Values[number]) => {
    const value = get(name) ?? absent;
    if (!values.includes(value)) throw wrong(name, value, `Use one of ${values.join(', ')}.`);
    return value as Values[number];
  };
  const seconds = (name: string, absent: number): number => {
    const value = get(name) ?? String(absent);
    if (!/^\d{1,5}$/.test(value) || Number(value) < 1) throw wrong(name, value, 'Use a number of seconds.');
    return Number(value);
  };

  const contexts = lines('context');
  const live = contexts.length > 0 ? contexts : flag('live', false) ? [undefined] : [];
  const inputs: Inputs = {
    token: get('github-token') ?? '',
    ...optional('directory', 'directory'),
    ...optional('name', 'name'),
    ...optional('environment', 'environment'),
    targets: lines('targets'),
    all: flag('all', false),
    ...optional('base', 'base'),
    ...optional('config', 'config'),
    snapshots: lines('snapshot'),
    live,
    ...optional('kubeconfig', 'kubeconfig'),
    ...optional('clusterName', 'cluster-name'),
    clusterTimeout: seconds('cluster-timeout', 60),
    ...optional('prometheus', 'prometheus'),
    dryRun: flag('dry-run', false),
    dryRunPods: flag('dry-run-pods', false),
    failOn: choice('fail-on', ['approval', 'block', 'never'], 'approval'),
    onIncomplete: choice('on-incomplete', ['fail', 'warn'], 'fail'),
    comment: choice('comment', ['true', 'false', 'changes'], 'true'),
    inline: flag('inline', true),
    checks: flag('checks', true),
    labels: flag('labels', false),
    ...optional('author', 'author'),
    ...optional('reportDirectory', 'report-directory'),
    timeLimit: seconds('time-limit', 1_200),
  };
  check(inputs);
  return inputs;
}

function check(inputs: Inputs): void {
  if (inputs.live.length === 0) {
    for (const [name, given] of [
      ['kubeconfig', inputs.kubeconfig !== undefined],
      ['cluster-name', inputs.clusterName !== undefined],
      ['dry-run', inputs.dryRun],
      ['dry-run-pods', inputs.dryRunPods],
    ] as const) {
      if (given) throw usage(`the input ${name} needs a live cluster`, 'Set `live: true` or `context`.');
    }
  }
  // Two gates of one name at one commit would overwrite each other's check.
  if (inputs.targets.length > 0 && inputs.name === undefined)
    throw usage(
      'with the input targets gate judges a part of the repository, and its check needs a name of its own',
      'Set the input `name`, for example to the name of the cluster.',
    );
}

function wrong(name: string, value: string, next: string): GateError {
  return usage(`the input ${name} is ${JSON.stringify(value)}`, next);
}

function usage(message: string, next: string): GateError {
  return new GateError({ code: 'action.input', message, fault: 'user', next });
}

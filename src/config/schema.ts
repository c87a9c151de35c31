import { Type, type TObject, type TProperties, type TSchema } from 'typebox';
import { severities } from '../core/model.ts';

/** The shape of gate.yaml. The JSON Schema for editors is generated from it; `load.ts` checks with it. */

const text = (description: string, extra: object = {}): TSchema => Type.String({ minLength: 1, description, ...extra });
const texts = (description: string): TSchema => Type.Array(Type.String({ minLength: 1 }), { description });
const optional = (schema: TSchema): TSchema => Type.Optional(schema);
const strict = (properties: TProperties, description: string): TObject =>
  Type.Object(properties, { additionalProperties: false, description });
const textMap = (description: string): TSchema => Type.Record(Type.String(), Type.String(), { description });

const exactVersion = (tool: string, example: string): TSchema =>
  text(`Exact version of ${tool}. Write it in quotes.`, {
    pattern: String.raw`^v?\d+\.\d+\.\d+$`,
    examples: [example],
  });
const kubernetesVersion = text(
  'Version of Kubernetes for `.Capabilities` and for the rules on API versions. Write it in quotes.',
  {
    pattern: String.raw`^v?\d+\.\d+(\.\d+)?([-+].*)?$`,
    examples: ['1.34'],
  },
);
const apiVersions = texts(
  'API versions that the cluster serves, as `helm template --api-versions` takes them: `apps/v1`, `apps/v1/Deployment`.',
);

const tools = strict(
  { helm: optional(exactVersion('Helm', '3.19.5')), kustomize: optional(exactVersion('Kustomize', '5.8.1')) },
  'Versions of the tools. Without it: the version that the Argo CD or Flux version ships.',
);

const chart = Type.Union(
  [
    text('Folder of a chart in this repository, or `oci://registry/path/chart`.'),
    strict(
      {
        repository: text('URL of the chart repository.', { examples: ['https://charts.example.org'] }),
        name: text('Name of the chart.'),
        version: optional(text('Exact version or a range; the newest without it.')),
      },
      'A chart of a chart repository.',
    ),
    strict(
      {
        oci: text('Address of the chart without its tag.', {
          pattern: '^oci://',
          examples: ['oci://registry.example.org/charts/shop'],
        }),
        version: optional(text('Exact version or a range; the newest without it.')),
        digest: optional(
          text('Digest of the chart; wins over the version.', {
            pattern: '^sha256:[0-9a-f]{64}$',
            examples: [`sha256:${'0'.repeat(64)}`],
          }),
        ),
      },
      'A chart of an OCI registry.',
    ),
  ],
  { description: 'The chart: a folder of this repository, or where to fetch it.' },
);

const target = strict(
  {
    name: text('Name of the target in the report, and the release name unless `release` is given.'),
    helm: optional(
      strict(
        {
          chart,
          values: optional(texts('Values files relative to the root of the repository; later files win.')),
          release: optional(text('Release name.')),
          namespace: optional(text('Namespace of the release.')),
          set: optional(
            Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]), {
              description: 'As `helm --set`: `global.host: example.org`.',
            }),
          ),
          extraValues: optional(texts('Values files relative to this file, applied before `values`.')),
        },
        'A Helm chart.',
      ),
    ),
    kustomize: optional(
      strict(
        {
          path: text('Folder with the kustomization, relative to the root of the repository.'),
          enableHelm: optional(Type.Boolean({ description: 'As `kustomize build --enable-helm`.', default: false })),
        },
        'A Kustomize overlay.',
      ),
    ),
    manifests: optional(
      strict(
        {
          path: text('File or folder with manifests, relative to the root of the repository.'),
          recurse: optional(Type.Boolean({ description: 'Read the folders below, too.', default: true })),
        },
        'Plain manifests.',
      ),
    ),
    environment: optional(text('Name of the environment.')),
    cluster: optional(text('Name of the cluster.')),
    tools: optional(tools),
    kubernetesVersion: optional(kubernetesVersion),
    apiVersions: optional(apiVersions),
  },
  'One unit of deployment: exactly one of `helm`, `kustomize`, `manifests`.',
);

const environment = strict(
  {
    name: text('Name of the environment.'),
    production: optional(
      Type.Boolean({
        description:
          'Does an outage here hurt users? Without it the name decides: `dev`, `test`, `stage`, `qa` and the like are not production.',
      }),
    ),
    match: optional(texts('Globs on target ids, names and paths of the targets that belong to it.')),
    onIncomplete: optional(
      Type.Enum(['fail', 'warn'], {
        description:
          'What a target that cannot be evaluated does to the verdict. `warn` opens the gate and is printed in every report.',
        default: 'fail',
      }),
    ),
  },
  'An environment.',
);

const cluster = strict(
  {
    name: text('Name of the cluster, as Argo CD destinations and folders name it.'),
    environment: optional(text('Name of its environment.')),
    server: optional(text('URL of its API server, as Argo CD destinations name it.')),
    labels: optional(textMap('Labels of its Argo CD cluster Secret, for the clusters generator.')),
    annotations: optional(textMap('Annotations of its Argo CD cluster Secret.')),
    project: optional(text('Argo CD project of the cluster.')),
    kubernetesVersion: optional(kubernetesVersion),
    apiVersions: optional(apiVersions),
  },
  'A cluster.',
);

const severity = (description: string): TSchema => Type.Enum([...severities], { description });

const rule = Type.Union(
  [
    Type.Enum(['off', 'on', ...severities], { description: '`off`, `on`, or the severity that its findings get.' }),
    strict(
      {
        severity: optional(severity('Severity of its findings instead of its own.')),
        options: optional(Type.Object({}, { description: 'Options of the rule; see its documentation.' })),
      },
      'Severity and options.',
    ),
  ],
  { description: 'How a rule is applied.' },
);

const waiver = strict(
  {
    rule: text('Id of the rule.'),
    resource: text('Glob on `Kind/namespace/name`, or `Kind/name` for objects without namespace.', {
      examples: ['Deployment/shop/*'],
    }),
    target: optional(text('Glob on the target id or name; every target without it.')),
    reason: text('Why the finding is accepted.'),
    owner: text('Who answers for it.'),
    expires: text('Last day on which it is in force.', {
      pattern: String.raw`^\d{4}-\d{2}-\d{2}$`,
      examples: ['2027-03-31'],
    }),
  },
  'A finding that is accepted until a day.',
);

/** Schema of gate.yaml. Every key has a description: it is what editors show. */
export const gateConfigSchema = strict(
  {
    targets: optional(
      Type.Array(target, { description: 'Targets that are written down instead of, or besides, what is detected.' }),
    ),
    detect: optional(Type.Boolean({ description: '`false`: only the targets above.', default: true })),
    exclude: optional(texts('Globs on target ids, names or paths that are left out. They are listed in the report.')),
    environments: optional(
      Type.Array(environment, { description: 'Environments: names, weight and what belongs to them.' }),
    ),
    clusters: optional(Type.Array(cluster, { description: 'Clusters: what Argo CD knows from its cluster Secrets.' })),
    promotion: optional(texts('Environment names from first to last: a change goes from left to right.')),
    chartRepositories: optional(textMap('Chart repository URL -> URL of a mirror, or a folder relative to this file.')),
    gitRepositories: optional(
      textMap(
        'Git repository URL -> folder with a checkout, relative to this file: for charts and bases of other repositories.',
      ),
    ),
    repositoryUrls: optional(texts('URLs under which this repository is known, besides its git remotes.')),
    tools: optional(tools),
    argocd: optional(
      strict(
        {
          version: optional(
            text('Version of Argo CD. Write it in quotes. The newest without it.', {
              pattern: String.raw`^v?\d+\.\d+(\.\d+)?$`,
              examples: ['3.5'],
            }),
          ),
          namespace: optional(text('Namespace of Argo CD.', { default: 'argocd' })),
          kustomizeBuildOptions: optional(
            Type.String({ description: '`kustomize.buildOptions` of the ConfigMap argocd-cm.', default: '' }),
          ),
          newGitFileGlobbing: optional(
            Type.Boolean({
              description: '`applicationsetcontroller.enable.new.git.file.globbing` of argocd-cmd-params-cm.',
              default: false,
            }),
          ),
        },
        'How Argo CD is set up.',
      ),
    ),
    flux: optional(
      strict(
        {
          version: optional(
            text('Version of Flux. Write it in quotes. The newest without it.', {
              pattern: String.raw`^v?\d+\.\d+(\.\d+)?$`,
              examples: ['2.9'],
            }),
          ),
          strictSubstitutions: optional(
            Type.Boolean({
              description: 'Is an undefined variable in postBuild an error? Without it the version decides.',
            }),
          ),
        },
        'How Flux is set up.',
      ),
    ),
    kubernetesVersion: optional(kubernetesVersion),
    apiVersions: optional(apiVersions),
    rules: optional(
      Type.Record(Type.String(), rule, { description: 'Rule id -> `off`, a severity, or {severity, options}.' }),
    ),
    waivers: optional(
      Type.Array(waiver, { description: 'Findings that are accepted, with reason, owner and last day.' }),
    ),
    allowMassDelete: optional(
      Type.Integer({
        minimum: 0,
        description: 'Number of deletions that this change announces, for the rule mass-deletion.',
      }),
    ),
    prometheus: optional(
      strict(
        {
          // Its form is checked in fill.ts, where the message does not repeat it: it may hold a password.
          url: text('Address of the Prometheus API, http or https, without credentials.', {
            examples: ['http://prometheus.example.org:9090'],
          }),
          window: optional(
            text('How far back to look, as a Prometheus duration. Without it: `7d`.', {
              pattern: '^[1-9][0-9]{0,3}[mhdw]$',
              examples: ['7d'],
            }),
          ),
          labels: optional(
            textMap(
              'Labels of the series of this cluster, where one Prometheus holds several clusters: `cluster: eu-1`.',
            ),
          ),
          queries: optional(
            strict(
              {
                memory: optional(text('Bytes by `namespace`, `pod` (or `workload`, `workload_type`) and `container`.')),
                cpu: optional(text('Cores by `namespace`, `pod` (or `workload`, `workload_type`) and `container`.')),
                start: optional(
                  text(
                    'Seconds from start to ready by `namespace`, `pod` (or `workload`, `workload_type`) and `container`.',
                  ),
                ),
                requests: optional(text('Requests per second by `namespace` and `service`.')),
              },
              'PromQL in place of the built-in queries; `$window` stands for the window.',
            ),
          ),
        },
        'Where metrics are read, as evidence. Credentials come from the environment (GATE_PROMETHEUS_TOKEN and others).',
      ),
    ),
  },
  'Configuration of gate. YAML data only, never executed; read from the base side when a change is judged.',
);

/** An image reference, with Docker's defaults filled in. */
export interface ImageReference {
  /** `docker.io` when none is written; with the port: `registry.example.org:5000`. */
  readonly host: string;
  /** Path without host; official images of Docker Hub get `library/`. */
  readonly repository: string;
  /** As written; absent when there is none. Without tag and digest the kubelet pulls `latest`. */
  readonly tag?: string;
  /** `sha256:…`; wins over the tag. */
  readonly digest?: string;
}

// The grammar of github.com/distribution/reference (reference.go, regexp.go), which the kubelet and containerd use.
const hostPattern =
  /^(?:\[[0-9a-f:]+\]|[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*)(?::[0-9]+)?$/i;
const componentPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagPattern = /^\w[\w.-]{0,127}$/;
const digestPattern = /^[a-z][a-z0-9]*(?:[-_+.][a-z][a-z0-9]*)*:[0-9a-f]{32,}$/i;
/** Characters of `host/repository` (NameTotalLengthMax). */
const longestName = 255;
/** Far beyond any valid reference; keeps the patterns away from large input. */
const longestText = 1024;

/**
 * Parses an image reference as the container runtime does.
 * @param text as in `spec.containers[].image` or `FROM`
 * @returns undefined when the runtime would refuse it (InvalidImageName)
 */
export function parseImage(text: string): ImageReference | undefined {
  if (text.length > longestText) return undefined;
  const at = text.indexOf('@');
  const digest = at === -1 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !digestPattern.test(digest)) return undefined;
  const named = at === -1 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(':');
  // A colon before the last slash belongs to the port.
  const hasTag = colon > named.lastIndexOf('/');
  const tag = hasTag ? named.slice(colon + 1) : undefined;
  if (tag !== undefined && !tagPattern.test(tag)) return undefined;
  const name = hasTag ? named.slice(0, colon) : named;
  // 64 hex digits are an image id, not a name (ParseNormalizedNamed).
  if (/^[0-9a-f]{64}$/.test(name)) return undefined;

  const { host, path } = splitHost(name);
  const repository = host === 'docker.io' && !path.includes('/') ? `library/${path}` : path;
  if (!hostPattern.test(host) || host.length + 1 + repository.length > longestName) return undefined;
  if (!repository.split('/').every((component) => componentPattern.test(component))) return undefined;
  return { host, repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** The first component is a host when it has a dot, a port or capitals, or is `localhost` (splitDockerDomain in normalize.go). */
function splitHost(name: string): { host: string; path: string } {
  const slash = name.indexOf('/');
  const first = slash === -1 ? '' : name.slice(0, slash);
  const isHost = first.includes('.') || first.includes(':') || first === 'localhost' || first !== first.toLowerCase();
  if (!isHost) return { host: 'docker.io', path: name };
  return { host: first === 'index.docker.io' ? 'docker.io' : first, path: name.slice(slash + 1) };
}

/** `host/repository`, the identity of an image without its version. */
export function imageName(image: ImageReference): string {
  return `${image.host}/${image.repository}`;
}

/** The tag that is pulled: `latest` without tag and digest, undefined when only the digest decides. */
export function effectiveTag(image: ImageReference): string | undefined {
  return image.tag ?? (image.digest === undefined ? 'latest' : undefined);
}

/** Last component of the repository: `api` of `registry.example.org/shop/api:1`. */
export function imageBaseName(image: ImageReference): string {
  return image.repository.slice(image.repository.lastIndexOf('/') + 1);
}

/** As short as Docker prints it: without `docker.io/library/`. */
export function formatImage(image: ImageReference): string {
  const name = image.host === 'docker.io' ? image.repository.replace(/^library\/(?=[^/]+$)/, '') : imageName(image);
  return `${name}${image.tag === undefined ? '' : `:${image.tag}`}${image.digest === undefined ? '' : `@${image.digest}`}`;
}

import type { BuildFile } from '../core/model.ts';
import type { Tree } from '../core/ports.ts';
import { isForeign, maximumBuildFiles, readBuildFile } from './build-files.ts';

/** `Dockerfile`, `Dockerfile.prod`, `Dockerfile-dev`, `api.Dockerfile`, `Containerfile` and the like. */
const dockerfileName = /^(?:(?:dockerfile|containerfile)(?:[._-][^/]*)?|[^/]+[._-](?:dockerfile|containerfile))$/i;
/** Templates are not Dockerfiles yet, and ignore files never are. */
const notDockerfile = /\.(dockerignore|j2|jinja2?|tmpl|tpl|template|erb|mustache|md|txt|sh|ya?ml|json|bak|orig)$/i;

export function isDockerfile(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return dockerfileName.test(name) && !notDockerfile.test(name) && !isForeign(path);
}

/** All Dockerfiles of a tree, in the order of their paths. */
export function collectDockerfiles(tree: Tree): readonly BuildFile[] {
  const paths = tree.list('').filter(isDockerfile);
  return paths.slice(0, maximumBuildFiles).flatMap((path) => readBuildFile(tree, path, 'dockerfile') ?? []);
}

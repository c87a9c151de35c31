import { createGitHub } from '../../../src/forge/github.ts';

/** A process of its own that writes the sticky comment: `node write-comment.ts URL TOKEN PULL HEAD ORDER BODY`. Prints what became of it. */
const [apiUrl = '', token = '', number = '', headSha = '', order = '', body = ''] = process.argv.slice(2);
const forge = await createGitHub({
  token,
  apiUrl,
  repository: 'acme/shop-gitops',
  deadline: Date.now() + 30_000,
  version: 'test',
});
const written = await forge.writeComment(Number(number), {
  instance: 'production',
  revision: { headSha, order: order.split('.').map(Number) },
  bodies: [body],
});
process.stdout.write(written.outcome === 'refused' ? `refused: ${written.problem.message}` : written.outcome, () =>
  process.exit(0),
);

import type { Forge } from '../core/forge.ts';
import { openForge } from '../wire/forge.ts';
import type { Inputs } from './inputs.ts';
import { log } from './runner.ts';

/** The forge, or why there is none: a run without a token still judges. */
export type Connection = { readonly forge: Forge } | { readonly error: unknown };

/**
 * Opens the forge that the runner names. Nothing is sent. Never throws.
 * @param deadline ms since 1970
 */
export async function connect(
  inputs: Inputs,
  environment: Readonly<Record<string, string | undefined>>,
  deadline: number,
): Promise<Connection> {
  try {
    const forge = await openForge({
      token: inputs.token,
      apiUrl: environment['GITHUB_API_URL'] ?? 'https://api.github.com',
      repository: environment['GITHUB_REPOSITORY'] ?? '',
      deadline,
      ...(inputs.author === undefined ? {} : { author: inputs.author }),
      note: log,
    });
    return { forge };
  } catch (error) {
    return { error };
  }
}

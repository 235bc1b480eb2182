/** Owns reading this process's own service account token, which the node renews in place. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '@kfctl/core';

const FRESH_MS = 30_000;

/** The token of the directory's `token` file, read again when older than 30 s; undefined where there is none. */
export function createOwnToken(directory: string, clock: Clock): () => Promise<string | undefined> {
  let known: { readonly token: string | undefined; readonly readAt: number } | undefined;
  return async () => {
    if (known === undefined || clock.now() - known.readAt > FRESH_MS) {
      const text = await readFile(path.join(directory, 'token'), 'utf8').catch(() => undefined);
      known = { token: text?.trim(), readAt: clock.now() };
    }
    return known.token;
  };
}

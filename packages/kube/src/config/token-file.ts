/** Owns bearer tokens that live in a file and are replaced there before they expire. */
import { readFile } from 'node:fs/promises';
import { AppError, Secret } from '@kfctl/core';
import type { CredentialSource } from './kube-config.ts';

/** The kubelet replaces a token well before it expires; reading once a minute is how long others cache it too. */
const REREAD_MS = 60_000;

/** A source that reads `path` at most once a minute, and at once after a refusal. */
export function fileToken(path: string, now: () => number = Date.now): CredentialSource {
  let cached: { readonly token: string; readonly readAt: number } | undefined;
  const read = async (): Promise<string> => {
    if (cached !== undefined && now() - cached.readAt < REREAD_MS) return cached.token;
    const text = await readFile(path, 'utf8').catch((cause: unknown) => {
      // An old token may still be good while the file is being replaced.
      if (cached !== undefined) return cached.token;
      throw new AppError('KUBE_TOKEN_UNREADABLE', `cannot read the token file ${path}`, { cause });
    });
    cached = { token: text.trim(), readAt: now() };
    return cached.token;
  };
  return {
    current: async () => ({ authorization: new Secret(`Bearer ${await read()}`) }),
    invalidate: () => {
      cached = undefined;
      return true;
    },
  };
}

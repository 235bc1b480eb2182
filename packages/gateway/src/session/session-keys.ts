/** Owns the keys that an in-process check needs, read from the AuthService's own Secrets: sessions are opened with one, identities proved with the other. */
import { Secret } from '@kfctl/core';
import type { SecretObject } from '@kfctl/kube';
import { parseAssertionKeys } from '@kfctl/oidc';
import type { Source } from '../istio/sources.ts';

export interface SecretKey {
  readonly name: string;
  readonly key: string;
}

export interface SessionKeys {
  /** The first seals, all open; never empty. */
  readonly sealing: readonly Secret[];
  readonly assertion: readonly Secret[];
  /** Tells one set of keys from another. */
  readonly version: string;
}

export interface SessionKeysOptions {
  readonly secrets: Source<SecretObject>;
  readonly namespace: string;
  readonly sessionKey: SecretKey;
  readonly assertionKey: SecretKey;
}

/** Undefined while there is no session key. */
export function readSessionKeys({
  secrets,
  namespace,
  sessionKey,
  assertionKey,
}: SessionKeysOptions): SessionKeys | undefined {
  const read = ({ name, key }: SecretKey): { text: string; version: string } => {
    const secret = secrets.get(name, namespace);
    const text = Buffer.from(secret?.data?.[key] ?? '', 'base64').toString('utf8');
    return { text, version: `${secret?.metadata.uid} ${secret?.metadata.resourceVersion}` };
  };
  const [session, assertion] = [read(sessionKey), read(assertionKey)];
  const sealing = session.text
    .split(',')
    .map((key) => key.trim())
    .filter((key) => key !== '')
    .map((key) => new Secret(key));
  if (sealing.length === 0) return undefined;
  return {
    sealing,
    assertion: assertion.text === '' ? [] : (parseAssertionKeys(assertion.text) ?? []),
    version: `${session.version} ${assertion.version}`,
  };
}

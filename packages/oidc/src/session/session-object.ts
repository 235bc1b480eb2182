/** Owns the form in which a session is a Kubernetes object, for those who write them and those who follow them. */
import type { StoredSession } from './session.ts';

export const SESSION_OBJECT = {
  apiVersion: 'auth.kubeflow.org/v1',
  kind: 'AuthServiceSession',
  plural: 'authservicesessions',
} as const;

/** The fields that mean something; the object is called by the session's id, which cannot be turned back into the cookie. */
export interface SessionObject {
  readonly metadata: { readonly name?: string; readonly resourceVersion?: string };
  readonly spec?: { readonly sealed?: string; readonly expiresAt?: string };
}

const SESSION_ID = /^[0-9a-f]{64}$/;

/** Undefined for an object that is no session. */
export function storedSessionOf({
  metadata: { name: id, resourceVersion: version },
  spec,
}: SessionObject): StoredSession | undefined {
  const expiresAtMs = Date.parse(spec?.expiresAt ?? '');
  if (id === undefined || !SESSION_ID.test(id) || spec?.sealed === undefined || Number.isNaN(expiresAtMs))
    return undefined;
  return { id, sealed: spec.sealed, expiresAtMs, ...(version === undefined ? {} : { version }) };
}

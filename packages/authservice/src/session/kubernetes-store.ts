/** Owns sessions as Kubernetes objects: watched by every replica, kept over restarts, no volume needed. */
import type { Logger } from '@kfctl/core';
import { defineResource, followObjects, isKubeError } from '@kfctl/kube';
import type { KubeClient, KubeObject, ResourceType } from '@kfctl/kube';
import { SESSION_OBJECT, storedSessionOf } from '@kfctl/oidc';
import type { StoredSession } from '@kfctl/oidc';
import type { SessionStore } from './session-store.ts';

/** For people who list the objects; a replica of before says nothing. */
type Holding = 'session' | 'check-lease';

interface AuthServiceSession extends KubeObject {
  spec?: { readonly holds?: Holding; readonly sealed?: string; readonly expiresAt?: string };
}

export const sessionResource: ResourceType<AuthServiceSession> = defineResource<AuthServiceSession>(
  SESSION_OBJECT.apiVersion,
  SESSION_OBJECT.kind,
  { plural: SESSION_OBJECT.plural },
);

export interface KubernetesStoreOptions {
  readonly client: Pick<KubeClient, 'get' | 'list' | 'watch' | 'create' | 'replace' | 'patch' | 'delete' | 'close'>;
  readonly namespace: string;
  readonly log: Logger;
}

/** A longer pause after failures would leave another replica's logouts unseen for longer. */
const MAX_BACKOFF_MS = 2_000;

/** The object of a session is called by the session's id: the hash cannot be turned into the cookie. */
export function createKubernetesStore({ client, namespace, log }: KubernetesStoreOptions): SessionStore {
  return {
    follow: (listener, signal) =>
      followObjects(
        { client, type: sessionResource, namespace, log, maxBackoffMs: MAX_BACKOFF_MS },
        {
          put: (object) => {
            const stored = storedSessionOf(object);
            if (stored === undefined) listener.remove(object.metadata.name ?? '');
            else listener.put(stored);
          },
          remove: (name) => listener.remove(name),
          retain: (names) => listener.retain(names),
        },
        signal,
      ),
    write: async (stored, replaces) => {
      try {
        const object = toObject(stored, namespace, 'session');
        if (replaces === undefined) await client.create(sessionResource, object, { namespace });
        else {
          const metadata = { ...object.metadata, resourceVersion: replaces.version ?? '' };
          await client.replace(sessionResource, { ...object, metadata }, { namespace });
        }
        return true;
      } catch (error) {
        const refusals = replaces === undefined ? ['AlreadyExists'] : ['NotFound', 'Conflict'];
        if (refusals.some((reason) => isKubeError(error, reason))) return false;
        throw error;
      }
    },
    delete: async (id) => void (await client.delete(sessionResource, id, { namespace })),
    get: async (id) => {
      const object = await client.get(sessionResource, id, { namespace });
      return object === undefined ? undefined : storedSessionOf(object);
    },
    publish: async (sealed) => {
      const object = toObject(sealed, namespace, 'check-lease');
      try {
        const patch = { kind: 'merge', body: { spec: object.spec } } as const;
        await client.patch(sessionResource, sealed.id, { namespace, patch });
      } catch (error) {
        if (!isKubeError(error, 'NotFound')) throw error;
        await client.create(sessionResource, object, { namespace });
      }
    },
    close: async () => client.close(),
  };
}

function toObject({ id, sealed, expiresAtMs }: StoredSession, namespace: string, holds: Holding): AuthServiceSession {
  return {
    apiVersion: SESSION_OBJECT.apiVersion,
    kind: SESSION_OBJECT.kind,
    metadata: { name: id, namespace, labels: { app: 'authservice' } },
    spec: { holds, sealed, expiresAt: new Date(expiresAtMs).toISOString() },
  };
}

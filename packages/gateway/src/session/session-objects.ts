/** Owns what the gateway knows of the AuthService's session objects: their descriptor, and the way in which they come. */
import type { Logger } from '@kfctl/core';
import { defineResource, followObjects } from '@kfctl/kube';
import type { KubeClient, KubeObject, ObjectFollower, ResourceType } from '@kfctl/kube';
import { SESSION_OBJECT } from '@kfctl/oidc';

export interface SessionKubeObject extends KubeObject {
  spec?: { readonly sealed?: string; readonly expiresAt?: string };
}

export const sessionObjects: ResourceType<SessionKubeObject> = defineResource<SessionKubeObject>(
  SESSION_OBJECT.apiVersion,
  SESSION_OBJECT.kind,
  { plural: SESSION_OBJECT.plural },
);

/** Tells of every object there is in the gateway's namespace, then of each change, until the signal aborts; `followObjects` of kube. */
export type FollowSessions = (follower: ObjectFollower<SessionKubeObject>, signal: AbortSignal) => Promise<void>;

export interface FollowSessionsOptions {
  readonly client: Pick<KubeClient, 'list' | 'watch'>;
  readonly namespace: string;
  readonly log: Logger;
}

/** Sessions are followed while the process lives, and whoever follows them wants them. */
export function followSessions(options: FollowSessionsOptions, whileRunning: AbortSignal): FollowSessions {
  return (follower, signal) =>
    followObjects({ ...options, type: sessionObjects }, follower, AbortSignal.any([whileRunning, signal]));
}

/** Owns the descriptor of the AuthService's session objects. */
import { defineResource } from '@kfctl/kube';
import type { KubeObject, ResourceType } from '@kfctl/kube';
import { SESSION_OBJECT } from '@kfctl/oidc';

export interface SessionKubeObject extends KubeObject {
  spec?: { readonly sealed?: string; readonly expiresAt?: string };
}

export const sessionObjects: ResourceType<SessionKubeObject> = defineResource<SessionKubeObject>(
  SESSION_OBJECT.apiVersion,
  SESSION_OBJECT.kind,
  { plural: SESSION_OBJECT.plural },
);

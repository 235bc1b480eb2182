/** Owns the one ordered list of admission plugins. */
import { createEscalationCheck } from '../rbac/escalation.ts';
import type { RbacAuthorizer } from '../rbac/rbac-authorizer.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { AdmissionPlugin } from './admission.ts';
import { createLimitRanger } from './limit-ranger.ts';
import { createNamespaceLifecycle } from './namespace-lifecycle.ts';
import { createResourceQuota } from './resource-quota.ts';
import { createServiceAccountAdmission } from './service-account.ts';

export interface AdmissionDeps {
  readonly store: ObjectStore;
  readonly rbac: RbacAuthorizer;
}

/** Quota is last: it must count what the others made of the object. */
export function createAdmissionPlugins({ store, rbac }: AdmissionDeps): readonly AdmissionPlugin[] {
  return [
    createNamespaceLifecycle(store),
    createServiceAccountAdmission(store),
    createLimitRanger(store),
    createEscalationCheck(rbac),
    createResourceQuota(store),
  ];
}

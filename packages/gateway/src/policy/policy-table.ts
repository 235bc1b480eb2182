/**
 * Owns which policies stand before a request, and in which order: CUSTOM (ask an authorizer), then DENY, then ALLOW, as in Istio.
 *
 *   request -> CUSTOM matches? ask -> DENY matches? 403 -> ALLOW exists and none matches? 403 -> pass
 */
import type { UnknownObject } from '@kfctl/kube';
import type { PolicyModel } from '../istio/authorization-policy.ts';
import type { ExternalAuthorizer, MeshConfig } from '../istio/mesh-config.ts';
import { matchesRule } from './match-rule.ts';
import type { PolicyRequest } from './match-rule.ts';

/** The policies that select one workload. */
export interface PolicySet {
  readonly custom: readonly CustomPolicy[];
  readonly deny: readonly PolicyModel[];
  readonly allow: readonly PolicyModel[];
  /** A policy that cannot be understood, and never could be, denies everything it might concern. */
  readonly broken: string | undefined;
}

export interface CustomPolicy {
  readonly policy: PolicyModel;
  /** Undefined: the mesh configuration names no such provider. */
  readonly authorizer: ExternalAuthorizer | undefined;
}

export interface PolicySetInput {
  readonly policies: readonly PolicyModel[];
  readonly broken: readonly UnknownObject[];
  readonly mesh: MeshConfig;
  /** Istio's root namespace: policies there concern every workload. */
  readonly rootNamespace: string;
}

export interface Workload {
  readonly namespace: string;
  readonly labels: ReadonlyMap<string, string>;
}

/** The policies for one workload. */
export function selectPolicies(input: PolicySetInput, workload: Workload): PolicySet {
  const inScope = (namespace: string): boolean => namespace === workload.namespace || namespace === input.rootNamespace;
  const selected = input.policies.filter(
    ({ namespace, selector }) =>
      inScope(namespace) && [...selector].every(([key, value]) => workload.labels.get(key) === value),
  );
  const broken = input.broken.find((object) => inScope(object.metadata.namespace ?? ''));
  return {
    custom: selected
      .filter(({ action }) => action === 'CUSTOM')
      .map((policy) => ({ policy, authorizer: input.mesh.authorizers.get(policy.provider) })),
    deny: selected.filter(({ action }) => action === 'DENY'),
    allow: selected.filter(({ action }) => action === 'ALLOW'),
    broken: broken === undefined ? undefined : `${broken.metadata.namespace ?? ''}/${broken.metadata.name ?? ''}`,
  };
}

/** The CUSTOM policies that want the request checked, each authorizer once. */
export function requiredChecks(set: PolicySet, request: PolicyRequest): readonly CustomPolicy[] {
  if (set.custom.length === 0) return set.custom;
  const matching = set.custom.filter(({ policy }) => policy.rules.some((rule) => matchesRule(rule, request)));
  return [...new Map(matching.map((custom) => [custom.policy.provider, custom])).values()];
}

/** The policy that refuses the request, or undefined when it may pass. Judged after the checks, on what they made of the request. */
export function findRefusal(set: PolicySet, request: PolicyRequest): string | undefined {
  if (set.broken !== undefined) return set.broken;
  const denied = set.deny.find(({ rules }) => rules.some((rule) => matchesRule(rule, request)));
  if (denied !== undefined) return denied.key;
  if (set.allow.length === 0) return undefined;
  const allowed = set.allow.some(({ rules }) => rules.some((rule) => matchesRule(rule, request)));
  return allowed ? undefined : 'no ALLOW policy';
}

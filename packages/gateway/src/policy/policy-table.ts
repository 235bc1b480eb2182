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
  /** ALLOW policies that may select the workload: they close it, and open it for nobody. */
  readonly mayRestrict: string | undefined;
  /** A policy that cannot be understood, and never could be, denies everything it might concern. */
  readonly broken: string | undefined;
}

export const NO_POLICIES: PolicySet = { custom: [], deny: [], allow: [], mayRestrict: undefined, broken: undefined };

export interface CustomPolicy {
  readonly policy: PolicyModel;
  /** Undefined: the mesh configuration names no such provider. */
  readonly authorizer: ExternalAuthorizer | undefined;
}

export interface PolicyTableInput {
  readonly policies: readonly PolicyModel[];
  readonly broken: readonly UnknownObject[];
  readonly mesh: MeshConfig;
  /** Istio's root namespace: policies there concern every workload. */
  readonly rootNamespace: string;
}

export interface Workload {
  readonly namespace: string;
  readonly labels: ReadonlyMap<string, string>;
  /** False when the workload may have more labels than are known here. */
  readonly knowsAllLabels: boolean;
}

export interface PolicyTable {
  select(workload: Workload): PolicySet;
}

/** Indexes policies by namespace, so that thousands of profile namespaces cost nothing to each other. */
export function createPolicyTable({ policies, broken, mesh, rootNamespace }: PolicyTableInput): PolicyTable {
  const byNamespace = Map.groupBy(policies, ({ namespace }) => namespace);
  const brokenByNamespace = Map.groupBy(broken, ({ metadata }) => metadata.namespace ?? '');
  return {
    select(workload) {
      const scopes = [...new Set([rootNamespace, workload.namespace])];
      const inScope = scopes.flatMap((namespace) => byNamespace.get(namespace) ?? []);
      const odd = scopes.flatMap((namespace) => brokenByNamespace.get(namespace) ?? [])[0];
      if (inScope.length === 0 && odd === undefined) return NO_POLICIES;
      return {
        ...selectFrom(inScope, workload, mesh),
        broken: odd && `${odd.metadata.namespace}/${odd.metadata.name}`,
      };
    },
  };
}

function selectFrom(policies: readonly PolicyModel[], workload: Workload, mesh: MeshConfig): PolicySet {
  const chosen = policies.map((policy) => ({ policy, selected: selects(policy, workload) }));
  const ofAction = (action: PolicyModel['action'], ...answers: Selection[]): PolicyModel[] =>
    chosen
      .filter(({ policy, selected }) => policy.action === action && answers.includes(selected))
      .map(({ policy }) => policy);
  return {
    custom: ofAction('CUSTOM', 'yes', 'maybe').map((policy) => ({
      policy,
      authorizer: mesh.authorizers.get(policy.provider),
    })),
    deny: ofAction('DENY', 'yes', 'maybe'),
    allow: ofAction('ALLOW', 'yes'),
    mayRestrict: ofAction('ALLOW', 'maybe')[0]?.key,
    broken: undefined,
  };
}

type Selection = 'yes' | 'no' | 'maybe';

/** A label that is not known leaves it open, and open questions are answered against the request. */
function selects({ selector }: PolicyModel, { labels, knowsAllLabels }: Workload): Selection {
  const missing = [...selector].filter(([key, value]) => labels.get(key) !== value);
  if (missing.length === 0) return 'yes';
  return knowsAllLabels || missing.some(([key]) => labels.has(key)) ? 'no' : 'maybe';
}

/** The CUSTOM policies that want the request checked, each authorizer once. */
export function requiredChecks(set: PolicySet, request: PolicyRequest): readonly CustomPolicy[] {
  const matching = set.custom.filter(({ policy }) => policy.rules.some((rule) => matchesRule(rule, request)));
  if (matching.length < 2) return matching;
  return [...new Map(matching.map((custom) => [custom.policy.provider, custom])).values()];
}

/** Nothing in it can refuse a request, whatever that is. */
export function isIndifferent({ deny, allow, mayRestrict, broken }: PolicySet): boolean {
  return deny.length === 0 && allow.length === 0 && mayRestrict === undefined && broken === undefined;
}

/** The policy that refuses the request, or undefined when it may pass. Judged after the checks, on what they made of the request. */
export function findRefusal(set: PolicySet, request: PolicyRequest): string | undefined {
  if (set.broken !== undefined) return set.broken;
  const denied = set.deny.find(({ rules }) => rules.some((rule) => matchesRule(rule, request)));
  if (denied !== undefined) return denied.key;
  if (set.allow.length === 0) return set.mayRestrict;
  const allowed = set.allow.some(({ rules }) => rules.some((rule) => matchesRule(rule, request)));
  return allowed ? undefined : 'no ALLOW policy';
}

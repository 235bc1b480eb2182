/** Owns the Istio AuthorizationPolicies that let people into a workspace; the values that they compare are literal, never patterns. */
import { defineResource } from '@kfctl/kube';
import type { KubeObject, ObjectMeta, ResourceType } from '@kfctl/kube';

export interface PolicyRule {
  from?: { source: { principals?: string[]; namespaces?: string[] } }[];
  to?: { operation: { paths?: string[]; methods?: string[] } }[];
  when?: { key: string; values: string[] }[];
}

export interface AuthorizationPolicy extends KubeObject {
  spec?: { action?: string; rules?: PolicyRule[] };
}

/** Served by every Istio since 1.4. */
export const authorizationPolicies: ResourceType<AuthorizationPolicy> = defineResource(
  'security.istio.io/v1beta1',
  'AuthorizationPolicy',
  { plural: 'authorizationpolicies' },
);

export interface IstioNames {
  readonly userIdHeader: string;
  readonly userIdPrefix: string;
  /** mTLS principals of the only ones that may vouch for a user. */
  readonly gatewayPrincipal: string;
  readonly pipelinesPrincipal: string;
  readonly notebooksPrincipal: string;
}

/** The rule "this person, through the gateway": both halves must hold, so that no pod can send the header itself. */
export function personRule(names: IstioNames, user: string): PolicyRule {
  return {
    from: [{ source: { principals: [names.gatewayPrincipal, names.pipelinesPrincipal] } }],
    when: [{ key: `request.headers[${names.userIdHeader}]`, values: [names.userIdPrefix + user] }],
  };
}

/** `ns-owner-access-istio`: the owner, the workspace's own pods, probes, and the notebook controller's look at idle kernels. */
export function ownerPolicy(names: IstioNames, metadata: ObjectMeta, owner: string): AuthorizationPolicy {
  return policy(metadata, [
    personRule(names, owner),
    { when: [{ key: 'source.namespace', values: [metadata.namespace ?? ''] }] },
    { to: [{ operation: { paths: ['/healthz', '/metrics', '/wait-for-drain'] } }] },
    {
      from: [{ source: { principals: [names.notebooksPrincipal] } }],
      to: [{ operation: { methods: ['GET'], paths: ['*/api/kernels'] } }],
    },
  ]);
}

/** The policy half of a binding. */
export function personPolicy(names: IstioNames, metadata: ObjectMeta, user: string): AuthorizationPolicy {
  return policy(metadata, [personRule(names, user)]);
}

function policy(metadata: ObjectMeta, rules: PolicyRule[]): AuthorizationPolicy {
  return {
    apiVersion: 'security.istio.io/v1beta1',
    kind: 'AuthorizationPolicy',
    metadata,
    spec: { action: 'ALLOW', rules },
  };
}

/** Owns which DestinationRule a service gets: what all of them mean together. Pure: objects in, an immutable table out. */
import type { DestinationRuleModel, Subset } from '../istio/destination-rule.ts';
import { byAge } from '../istio/object-key.ts';
import { effectivePolicy, NO_POLICY } from '../istio/traffic-policy/traffic-policy.ts';
import type { PortPolicy, TrafficPolicy } from '../istio/traffic-policy/traffic-policy.ts';
import { serviceHost } from '../upstream/service-host.ts';
import type { ServiceRef } from '../upstream/service-host.ts';
import { createHostMap } from './host-map.ts';
import type { HostMap } from './host-map.ts';

export interface DestinationTable {
  /** Undefined: the rules know no such subset, or a broken one wants TLS. */
  find(service: ServiceRef, port: number, subset: string | undefined): DestinationPolicy | undefined;
}

export interface DestinationPolicy {
  readonly policy: PortPolicy;
  /** Of the pods of the subset; undefined means all. */
  readonly labels: ReadonlyMap<string, string> | undefined;
}

export interface DestinationTableInput {
  readonly rules: readonly DestinationRuleModel[];
  /** Of the gateway. Istio's root namespace is the same here. */
  readonly namespace: string;
  readonly labels: ReadonlyMap<string, string>;
}

/** All rules of one namespace for one host. */
interface Merged {
  readonly isUnsafe: boolean;
  readonly policy: TrafficPolicy | undefined;
  readonly subsets: ReadonlyMap<string, Subset>;
}

const NOTHING: DestinationPolicy = { policy: NO_POLICY, labels: undefined };

export const EMPTY_DESTINATION_TABLE: DestinationTable = {
  find: (_service, _port, subset) => (subset === undefined ? NOTHING : undefined),
};

/** Istio's precedence: rules in the service's own namespace, then those in the root namespace; in each, the most specific host. */
export function buildDestinationTable(input: DestinationTableInput): DestinationTable {
  if (input.rules.length === 0) return EMPTY_DESTINATION_TABLE;
  const visible = input.rules.filter((rule) => isVisible(rule, input));
  const byNamespace = new Map<string, HostMap<Merged>>();
  for (const namespace of new Set(visible.map((rule) => rule.namespace))) {
    const own = visible.filter((rule) => rule.namespace === namespace).toSorted((a, b) => byAge(a.object, b.object));
    byNamespace.set(namespace, createHostMap(mergeByHost(own)));
  }
  return {
    find(service, port, subset) {
      const host = serviceHost(service);
      const merged = byNamespace.get(service.namespace)?.find(host) ?? byNamespace.get(input.namespace)?.find(host);
      if (merged === undefined) return EMPTY_DESTINATION_TABLE.find(service, port, subset);
      if (merged.isUnsafe) return undefined;
      if (subset === undefined) return { policy: effectivePolicy(merged.policy, undefined, port), labels: undefined };
      const found = merged.subsets.get(subset);
      if (found === undefined) return undefined;
      return { policy: effectivePolicy(merged.policy, found.policy, port), labels: found.labels };
    },
  };
}

function isVisible(rule: DestinationRuleModel, { namespace, labels }: DestinationTableInput): boolean {
  if (rule.exportTo !== undefined && !rule.exportTo.includes(namespace)) return false;
  if (rule.clients === undefined) return true;
  return rule.namespace === namespace && [...rule.clients].every(([key, value]) => labels.get(key) === value);
}

/** Istio's merging: the oldest rule's policy stands, younger ones add the subsets that are not there yet. */
function mergeByHost(rules: readonly DestinationRuleModel[]): ReadonlyMap<string, Merged> {
  const merged = new Map<string, Merged>();
  for (const { host, policy, subsets, isUnsafe } of rules) {
    const before = merged.get(host);
    merged.set(host, {
      isUnsafe: before?.isUnsafe === true || isUnsafe === true,
      policy: before?.policy ?? policy,
      subsets: new Map([...subsets, ...(before?.subsets ?? [])]),
    });
  }
  return merged;
}

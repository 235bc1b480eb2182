/** Owns what a request is judged by: one immutable value, replaced as a whole. */
import type { JwtRule } from '../istio/request-authentication.ts';
import type { MeshConfig } from '../istio/mesh-config.ts';
import { DEFAULT_MESH_CONFIG } from '../istio/mesh-config.ts';
import { NO_POLICIES } from '../policy/policy-table.ts';
import type { PolicySet } from '../policy/policy-table.ts';
import type { EndpointSet } from '../upstream/service-directory.ts';
import { createFieldRules } from '../request/field-rules.ts';
import type { HeadRules } from '../request/request-head.ts';
import { EMPTY_DESTINATION_TABLE } from '../routes/destination-table.ts';
import type { DestinationTable } from '../routes/destination-table.ts';
import { EMPTY_ROUTE_TABLE } from '../routes/route-table.ts';
import type { RouteTable } from '../routes/route-table.ts';

export interface GatewayState {
  readonly table: RouteTable;
  readonly destinations: DestinationTable;
  /** Where the pods of subsets are that routes lead to. */
  readonly subsetNamespaces: ReadonlySet<string>;
  /** Policies that select the gateway itself. */
  readonly policies: PolicySet;
  /** Policies that select the workload behind a destination: where it has no sidecar, the gateway keeps them for it. */
  readonly destinationPolicies: (endpoints: EndpointSet) => PolicySet;
  /** Whose tokens the gateway accepts. */
  readonly tokenRules: readonly JwtRule[];
  readonly headRules: HeadRules;
  readonly mesh: MeshConfig;
}

export const EMPTY_STATE: GatewayState = {
  table: EMPTY_ROUTE_TABLE,
  destinations: EMPTY_DESTINATION_TABLE,
  subsetNamespaces: new Set(),
  policies: NO_POLICIES,
  destinationPolicies: () => NO_POLICIES,
  tokenRules: [],
  headRules: { fields: createFieldRules([]), escapedSlashes: DEFAULT_MESH_CONFIG.escapedSlashes },
  mesh: DEFAULT_MESH_CONFIG,
};

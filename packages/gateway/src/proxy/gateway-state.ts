/** Owns what a request is judged by: one immutable value, replaced as a whole. */
import type { MeshConfig } from '../istio/mesh-config.ts';
import { DEFAULT_MESH_CONFIG } from '../istio/mesh-config.ts';
import type { PolicySet } from '../policy/policy-table.ts';
import { createFieldRules } from '../request/field-rules.ts';
import type { FieldRules } from '../request/field-rules.ts';
import { EMPTY_ROUTE_TABLE } from '../routes/route-table.ts';
import type { RouteTable } from '../routes/route-table.ts';

export interface GatewayState {
  readonly table: RouteTable;
  /** Policies that select the gateway itself. */
  readonly policies: PolicySet;
  readonly fieldRules: FieldRules;
  readonly mesh: MeshConfig;
}

export const EMPTY_STATE: GatewayState = {
  table: EMPTY_ROUTE_TABLE,
  policies: { custom: [], deny: [], allow: [], broken: undefined },
  fieldRules: createFieldRules([]),
  mesh: DEFAULT_MESH_CONFIG,
};

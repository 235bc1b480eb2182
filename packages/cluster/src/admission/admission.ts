/** Owns the contract of admission: the last word on a write before it is stored. Plugins are synchronous and in-process. */
import type { ServedResource } from '../resources/definition.ts';
import type { RequestContext } from '../registry/request-context.ts';
import type { JsonObject } from '../schema/json.ts';

export interface AdmissionRequest {
  readonly operation: 'create' | 'update' | 'delete';
  readonly served: ServedResource;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
  /** In the request's version; plugins that mutate change it in place. Undefined on delete. */
  readonly object: JsonObject | undefined;
  readonly old: JsonObject | undefined;
  readonly context: RequestContext;
}

/** Throws StatusError to refuse. */
export interface AdmissionPlugin {
  readonly name: string;
  mutate?(request: AdmissionRequest): void;
  validate?(request: AdmissionRequest): void;
}

export function isResource(request: AdmissionRequest, group: string, plural: string): boolean {
  const { definition } = request.served;
  return definition.group === group && definition.plural === plural;
}

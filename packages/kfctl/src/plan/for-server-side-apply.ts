/**
 * Owns what server-side apply needs of an object that plain YAML does not say.
 * - `protocol` is a merge key of port lists, and API servers before 1.23 refuse an element without it.
 * - The rules of an aggregated ClusterRole belong to the aggregation controller: naming them is a conflict for ever.
 */
import type { UnknownObject } from '@kfctl/kube';

/** The object as it can be applied: ports name their protocol, aggregated roles no rules. */
export function forServerSideApply(object: UnknownObject): UnknownObject {
  const copy = structuredClone(object);
  if (object.kind === 'ClusterRole' && object['aggregationRule'] !== undefined) delete copy['rules'];
  const spec = (copy['spec'] ?? {}) as Record<string, unknown>;
  if (object.kind === 'Service') setProtocols(spec['ports']);
  for (const pod of podSpecs(object.kind, spec)) {
    for (const container of [pod['containers'], pod['initContainers']].flat()) {
      setProtocols((container as { ports?: unknown } | null | undefined)?.ports);
    }
  }
  return copy;
}

type Json = Record<string, unknown>;

function podSpecs(kind: string, spec: Json): Json[] {
  const direct = kind === 'Pod' ? [spec] : [];
  const template = (spec['template'] as { spec?: Json } | undefined)?.spec;
  const job = (spec['jobTemplate'] as { spec?: { template?: { spec?: Json } } } | undefined)?.spec?.template?.spec;
  return [...direct, template, job].filter((pod): pod is Json => typeof pod === 'object' && pod !== null);
}

function setProtocols(ports: unknown): void {
  if (!Array.isArray(ports)) return;
  for (const port of ports as (Json | null)[])
    if (port !== null && typeof port === 'object') port['protocol'] ??= 'TCP';
}

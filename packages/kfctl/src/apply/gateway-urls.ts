/** Owns the address at which people reach the dashboard, as the gateway's Service tells it. */
import type { UnknownObject } from '@kfctl/kube';
import { ingressAddresses } from './readiness.ts';

/** The local cluster says here which ports it could bind for those of the Service: `{"80":80,"443":8443}`. */
const BOUND_PORTS = 'kfctl.kubeflow.org/bound-ports';
/** And here for which ports it could bind none, with the reason. */
const UNBOUND_PORTS = 'kfctl.kubeflow.org/unbound-ports';
const HTTPS = 443;

/** `https://10.0.0.100/` for each address; with the port where it is not 443. */
export function gatewayUrls(service: UnknownObject | undefined): string[] {
  if (unboundReason(service) !== undefined) return [];
  const port = boundPort(service?.metadata.annotations?.[BOUND_PORTS]);
  return ingressAddresses(service).map((address) => {
    const host = address.includes(':') ? `[${address}]` : address;
    return `https://${host}${port === HTTPS ? '' : `:${port}`}/`;
  });
}

/** Why nothing listens for the gateway on this machine; undefined where something does. */
export function unboundReason(service: UnknownObject | undefined): string | undefined {
  const reason = entryOf(service?.metadata.annotations?.[UNBOUND_PORTS]);
  return typeof reason === 'string' ? reason : undefined;
}

/** True when the local cluster has told which port it bound for the gateway; elsewhere nothing tells. */
export function isBound(service: UnknownObject): boolean {
  return entryOf(service.metadata.annotations?.[BOUND_PORTS]) !== undefined;
}

function boundPort(text: string | undefined): number {
  const port = entryOf(text);
  return typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536 ? port : HTTPS;
}

/** What an annotation says of the https port; undefined where it says nothing, or is damaged. */
function entryOf(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return (JSON.parse(text) as Record<string, unknown> | null)?.[HTTPS];
  } catch {
    return undefined;
  }
}

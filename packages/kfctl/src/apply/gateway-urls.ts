/** Owns the address at which people reach the dashboard, as the gateway's Service tells it. */
import type { UnknownObject } from '@kfctl/kube';
import { ingressAddresses } from './readiness.ts';

/** The local cluster says here which ports it could bind instead of those of the Service: `{"443":8443}`. */
const BOUND_PORTS = 'kfctl.kubeflow.org/bound-ports';
const HTTPS = 443;

/** `https://10.0.0.100/` for each address; with the port where it is not 443. */
export function gatewayUrls(service: UnknownObject | undefined): string[] {
  const port = boundPort(service?.metadata.annotations?.[BOUND_PORTS]);
  return ingressAddresses(service).map((address) => {
    const host = address.includes(':') ? `[${address}]` : address;
    return `https://${host}${port === HTTPS ? '' : `:${port}`}/`;
  });
}

function boundPort(text: string | undefined): number {
  if (text === undefined) return HTTPS;
  try {
    const port: unknown = (JSON.parse(text) as Record<string, unknown> | null)?.[HTTPS];
    return Number.isInteger(port) && Number(port) > 0 && Number(port) < 65_536 ? Number(port) : HTTPS;
  } catch {
    return HTTPS;
  }
}

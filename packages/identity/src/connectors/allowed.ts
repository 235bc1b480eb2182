/** Owns whether a client may be served by a connector: both sides have a say, and every grant asks here. */
import type { Client } from '../clients/find-client.ts';
import type { GrantType } from '../config/config.ts';
import type { ConnectorInfo } from './connector-set.ts';

/** Dex advisory GHSA-7qjx-gp9h-65qj: a client tied to some connectors is tied to them in every grant. */
export function acceptsConnector(
  { allowedConnectors }: Pick<Client, 'allowedConnectors'>,
  connectorId: string,
): boolean {
  return allowedConnectors.length === 0 || allowedConnectors.includes(connectorId);
}

/** `connectors[].grantTypes`; a connector that is not there serves nothing. */
export function servesGrant(connector: Pick<ConnectorInfo, 'grantTypes'> | undefined, grant: GrantType): boolean {
  if (connector === undefined) return false;
  return connector.grantTypes.length === 0 || connector.grantTypes.includes(grant);
}

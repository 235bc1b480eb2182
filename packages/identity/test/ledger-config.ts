/** Owns the configuration of a provider that a ledger is kept of: many people who log in without a password, keys that rotate at each start. */

export const CONNECTORS = 100;

/** `storage` is a flow mapping of YAML. */
export function ledgerConfig(storage: string): string {
  const connectors = Array.from(
    { length: CONNECTORS },
    (_, at) => `- {type: mockCallback, id: mock${at}, name: Mock ${at}}`,
  );
  return `issuer: http://127.0.0.1/dex
storage: ${storage}
web: {http: "127.0.0.1:0"}
oauth2: {skipApprovalScreen: true}
signer: {config: {algorithm: RS256, keysRotationPeriod: 1ms}}
logger: {level: info, format: json}
connectors:
${connectors.join('\n')}
staticClients: [{id: app, name: App, secret: secret, redirectURIs: [/cb]}]
`;
}

/** Owns the command `kfctl dex connectors list`. */
import { listConnectors } from '../users/connectors.ts';
import type { ListedConnector } from '../users/connectors.ts';
import { readDexConfig } from '../users/dex-config-map.ts';
import { connect } from './invocation.ts';
import type { ClusterOptions, Invocation } from './invocation.ts';

export interface ConnectorFlags extends ClusterOptions {
  readonly output?: string;
}

export async function runConnectorsList(invocation: Invocation, flags: ConnectorFlags): Promise<void> {
  const { terminal } = invocation;
  const { client } = await connect(invocation, flags);
  try {
    const connectors = await listConnectors(client, (await readDexConfig(client)).text);
    if (flags.output === 'json') terminal.result(JSON.stringify({ connectors }, undefined, 2));
    else if (connectors.length === 0) terminal.result('No connectors: nobody can log in. Check: kfctl ldap check');
    else terminal.result(renderTable(connectors));
  } finally {
    client.close();
  }
}

function renderTable(connectors: readonly ListedConnector[]): string {
  const rows = connectors.map(({ id, type, name, from, shadowed }) => [
    id,
    type,
    name,
    from === 'file' ? 'configuration file' : `management API${shadowed ? ' (the file’s is in use)' : ''}`,
  ]);
  // Whoever may write a connector does not write to the terminal of who lists them.
  const plain = rows.map((row) => row.map((cell) => cell.replaceAll(/\p{C}/gu, '?')));
  const all = [['ID', 'TYPE', 'NAME', 'FROM'], ...plain];
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n');
}

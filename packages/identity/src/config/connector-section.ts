/** Owns the `connectors` section: the common keys of every connector; what `config` means is the connector's own business. */
import type { CheckedPerson, ConnectorEntry } from '../connectors/connector.ts';
import { CONNECTOR_TYPES } from '../connectors/registry.ts';
import { anyNode, object } from './object-shape.ts';
import { GRANT_TYPES } from './oauth2-section.ts';
import { contextOf, expanded, listOf, refine, reportKey, string } from './shape.ts';
import type { ReadContext, Shape } from './shape.ts';
import type { YamlNode } from './yaml-tree.ts';

interface ConnectorEnvelope {
  readonly type: string;
  readonly id: string;
  readonly name: string;
  readonly config: YamlNode | undefined;
  readonly grantTypes: readonly string[];
}

const document: Shape<ConnectorEnvelope> = object('A way to prove who one is.', {
  type: string('What kind of connector this is.', { required: true }),
  id: string('Part of addresses and of `sub`: never change it.', { required: true }),
  name: string('Shown to people.', { required: true }),
  config: anyNode('The settings of that type.'),
  grantTypes: listOf('The grants it may serve; empty means all.', string('A grant type.')),
});

const envelope = refine(document, ({ grantTypes }, complain) => {
  const strange = grantTypes.find((grant) => !(GRANT_TYPES as readonly string[]).includes(grant));
  if (strange !== undefined) complain('grantTypes', `holds "${strange}"`, `Known: ${GRANT_TYPES.join(', ')}.`);
});

/** For the reference. */
export const connectorEnvelope: Shape<unknown> = envelope;

/** Reads the list. Connector modules are loaded only when the file names them. */
export async function readConnectors(
  node: YamlNode | undefined,
  context: ReadContext,
): Promise<readonly ConnectorEntry[]> {
  const nodes: YamlNode[] = [];
  listOf('', { kind: '', summary: '', read: (item) => void (item === undefined || nodes.push(item)) }).read(
    node,
    context,
  );
  const entries: ConnectorEntry[] = [];
  const ids = new Set<string>();
  for (const [index, item] of nodes.entries()) {
    const inner = { ...context, path: `${context.path}[${index}]`, offset: item.offset };
    const entry = await readConnector(item, inner);
    if (entry === undefined) continue;
    if (ids.has(entry.id)) {
      reportKey(inner, item, {
        key: 'id',
        message: `is "${entry.id}", which another connector has`,
        hint: 'Give each connector its own id.',
      });
    }
    ids.add(entry.id);
    entries.push(entry);
  }
  return entries;
}

/** One connector; undefined, with a problem reported, where its type is not known. */
export async function readConnector(node: YamlNode, context: ReadContext): Promise<ConnectorEntry | undefined> {
  const { type, id, name, config, grantTypes } = envelope.read(node, context);
  if (type === '') return undefined;
  const load = Object.hasOwn(CONNECTOR_TYPES, type) ? CONNECTOR_TYPES[type] : undefined;
  if (load === undefined) {
    const hint = `Known: ${Object.keys(CONNECTOR_TYPES).join(', ')}.`;
    reportKey(context, node, { key: 'type', message: `is "${type}"`, hint });
    return undefined;
  }
  const connectorType = await load();
  // A misspelt allowedGroups would let everybody in.
  const inner = { ...contextOf(context, 'config', node), strict: true };
  const value = expanded(connectorType.schema).read(config, inner);
  const { check } = connectorType;
  const tried = check === undefined ? {} : { check: (person: CheckedPerson) => check(value, person) };
  return { id, name, type, grantTypes, open: (deps) => connectorType.open(value, deps), ...tried };
}

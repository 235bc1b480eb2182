/** Owns what ways to log in the cluster has: those of dex's configuration, and those kept through its management API. */
import { defineResource, isKubeError } from '@kfctl/kube';
import type { KubeClient, ResourceType, UnknownObject } from '@kfctl/kube';
import { parseDocument } from 'yaml';
import { kfctlError } from '../errors.ts';
import { NAMESPACE } from './dex-config-map.ts';

export interface ListedConnector {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly from: 'file' | 'api';
  /** The file has one of this id, which is the one in use. */
  readonly shadowed: boolean;
}

const connectorType: ResourceType = defineResource('dex.coreos.com/v1', 'Connector', { plural: 'connectors' });

/** By id. Settings are not read: they hold secrets. */
export async function listConnectors(client: KubeClient, configText: string): Promise<readonly ListedConnector[]> {
  const inFile = connectorsOfFile(configText);
  const ids = new Set(inFile.map(({ id }) => id));
  const stored = (await storedConnectors(client)).map((object) => ({
    id: String(object['id'] ?? object.metadata.name),
    type: String(object['type'] ?? ''),
    name: String(object['name'] ?? ''),
  }));
  return [
    ...inFile.map((one) => ({ ...one, from: 'file' as const, shadowed: false })),
    ...stored.map((one) => ({ ...one, from: 'api' as const, shadowed: ids.has(one.id) })),
  ].toSorted((left, right) => (left.id < right.id ? -1 : 1));
}

async function storedConnectors(client: KubeClient): Promise<readonly UnknownObject[]> {
  try {
    return (await client.list(connectorType, { namespace: NAMESPACE })).items;
  } catch (error) {
    // Dex has not run yet, or keeps its state elsewhere.
    if (isKubeError(error, 'NotFound')) return [];
    throw error;
  }
}

type Named = Pick<ListedConnector, 'id' | 'type' | 'name'>;

function connectorsOfFile(text: string): Named[] {
  const file = asMap(parse(text));
  const listed: unknown = file.get('connectors');
  const named = (Array.isArray(listed) ? listed : []).map((item): Named => {
    const fields = asMap(item);
    const textOf = (key: string): string => String(fields.get(key) ?? '');
    return { id: textOf('id'), type: textOf('type'), name: textOf('name') };
  });
  return file.get('enablepassworddb') === true ? [...named, { id: 'local', type: 'local', name: 'Email' }] : named;
}

// What the parser says of a mistake shows the line, which may be one of a secret.
function parse(text: string): unknown {
  const document = parseDocument(text, { prettyErrors: false });
  const [mistake] = document.errors;
  if (mistake === undefined) return document.toJS();
  const line = text.slice(0, mistake.pos[0]).split('\n').length;
  throw kfctlError('DEX_CONFIG_INVALID', `line ${line} of the configuration of dex in the cluster is not YAML`, {
    hint: 'Correct it: kubectl -n kubeflow edit configmap dex',
  });
}

/** Keys of dex's file mean the same in any case of letters. */
function asMap(value: unknown): ReadonlyMap<string, unknown> {
  if (typeof value !== 'object' || value === null) return new Map();
  return new Map(Object.entries(value).map(([key, item]) => [key.toLowerCase(), item as unknown]));
}

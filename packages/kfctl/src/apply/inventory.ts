/** Owns the inventory: a ConfigMap in the cluster that lists what a deployment applied, for prune and delete. */
import type { ConfigMap, KubeClient } from '@kfctl/kube';
import { resources } from '@kfctl/kube';
import { kfctlError } from '../errors.ts';
import { keyOfId } from '../plan/object-id.ts';
import type { ObjectId } from '../plan/object-id.ts';
import { DEPLOYMENT_ANNOTATION, FIELD_MANAGER } from './ownership.ts';

export interface InventoryEntry extends ObjectId {
  readonly version: string;
  readonly application: string;
  /** It was there before us: it is never removed. */
  readonly adopted?: boolean;
}

export interface InventoryPlace {
  readonly deployment: string;
  readonly namespace: string;
  /** Made by `kfctl up` on its own cluster: a deployment by hand may take its objects over. */
  readonly local?: boolean;
}

const MANAGED = { 'app.kubernetes.io/managed-by': 'kfctl' };
const LOCAL = { 'kfctl.kubeflow.org/local': 'true' };

export const inventoryPrefix = 'kfctl-inventory-';

export function inventoryName(deployment: string): string {
  return `${inventoryPrefix}${deployment}`;
}

/** Reads an inventory; undefined when there is none. Throws `MANIFEST_INVALID` when it cannot be understood: guessing would delete. */
export async function readInventory(
  client: Pick<KubeClient, 'get'>,
  { deployment, namespace }: InventoryPlace,
): Promise<readonly InventoryEntry[] | undefined> {
  const map = await client.get(resources.configMaps, inventoryName(deployment), { namespace });
  if (map === undefined) return undefined;
  try {
    return parseEntries(map.data?.['objects'] ?? '');
  } catch (cause) {
    throw kfctlError(
      'MANIFEST_INVALID',
      `the inventory ConfigMap ${namespace}/${inventoryName(deployment)} is damaged`,
      {
        cause,
        hint: 'Restore its key "objects", or delete the ConfigMap and run kfctl apply all to write it anew.',
      },
    );
  }
}

/** Writes the inventory unless it says the same already; true when it was written. */
export async function writeInventory(
  client: Pick<KubeClient, 'get' | 'apply'>,
  { deployment, namespace, local }: InventoryPlace,
  entries: readonly InventoryEntry[],
): Promise<boolean> {
  const name = inventoryName(deployment);
  const objects = renderEntries(entries);
  const present = await client.get(resources.configMaps, name, { namespace });
  if (present?.data?.['objects'] === objects) return false;
  const map: ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      namespace,
      labels: { ...MANAGED, ...(local === true ? LOCAL : {}) },
      annotations: { [DEPLOYMENT_ANNOTATION]: deployment },
    },
    data: { objects },
  };
  await client.apply(resources.configMaps, map, { fieldManager: FIELD_MANAGER, force: true });
  return true;
}

/** Other deployments in the namespace that `kfctl up` made. */
export async function listLocalDeployments(
  client: Pick<KubeClient, 'list'>,
  { deployment, namespace }: InventoryPlace,
): Promise<ReadonlySet<string>> {
  const labelSelector = Object.entries({ ...MANAGED, ...LOCAL })
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
  const { items } = await client.list(resources.configMaps, { namespace, labelSelector });
  const names = items
    .map(({ metadata }) => metadata.name ?? '')
    .filter((name) => name.startsWith(inventoryPrefix))
    .map((name) => name.slice(inventoryPrefix.length));
  return new Set(names.filter((name) => name !== deployment));
}

/** Takes entries out of another deployment's inventory, because they have a new owner. */
export async function releaseEntries(
  client: Pick<KubeClient, 'get' | 'apply'>,
  place: InventoryPlace,
  entries: readonly InventoryEntry[],
): Promise<void> {
  const taken = new Set(entries.map(keyOfId));
  const present = (await readInventory(client, place)) ?? [];
  await writeInventory(
    client,
    place,
    present.filter((entry) => !taken.has(keyOfId(entry))),
  );
}

/** One line an object: `application group/version kind namespace/name [adopted]`; a person can read it. */
function renderEntries(entries: readonly InventoryEntry[]): string {
  return entries
    .map(({ application, group, version, kind, namespace, name, adopted }) =>
      [application, `${group}/${version}`, kind, `${namespace}/${name}`, ...(adopted === true ? ['adopted'] : [])].join(
        ' ',
      ),
    )
    .toSorted()
    .map((line) => `${line}\n`)
    .join('');
}

/** Reads the lines back; throws on one that cannot be understood. */
export function parseEntries(text: string): InventoryEntry[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const match = /^(\S+) ([^\s/]*)\/(\S+) (\S+) ([^\s/]*)\/(\S+)( adopted)?$/.exec(line);
      if (match === null) throw new Error(`cannot read the line ${JSON.stringify(line)}`);
      const [, application = '', group = '', version = '', kind = '', namespace = '', name = '', adopted] = match;
      return {
        application,
        group,
        version,
        kind,
        namespace,
        name,
        ...(adopted === undefined ? {} : { adopted: true }),
      };
    });
}

/** All of `first`, then those of `second` that are not in it. */
export function mergeEntries(first: readonly InventoryEntry[], second: readonly InventoryEntry[]): InventoryEntry[] {
  const known = new Set(first.map(keyOfId));
  return [...first, ...second.filter((entry) => !known.has(keyOfId(entry)))];
}

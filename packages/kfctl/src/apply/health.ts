/** Owns the health of an installed platform as the cluster tells it: workloads, address, first user. */
import { resources } from '@kfctl/kube';
import type { KubeClient, UnknownObject } from '@kfctl/kube';
import { GATEWAY_SERVICE } from '../credentials/plan-certificate.ts';
import { USER_SECRET } from '../credentials/plan-credentials.ts';
import { describeId } from '../plan/object-id.ts';
import { createTypeFinder } from '../plan/plan.ts';
import { getObject, PARALLEL } from './apply-waves.ts';
import { diagnose } from './diagnose.ts';
import { inventoryPrefix, parseEntries } from './inventory.ts';
import type { InventoryEntry } from './inventory.ts';
import { typeOfEntry } from './prune.ts';
import { gatewayUrls, unboundReason } from './gateway-urls.ts';
import { readinessCheck } from './readiness.ts';
import { runBounded } from './run-bounded.ts';

export interface ComponentHealth {
  readonly application: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly ready: boolean;
  /** Why it is not ready. */
  readonly reason: string | undefined;
  /** What its pods say about it. */
  readonly troubles: readonly string[];
}

export interface PlatformHealth {
  readonly deployment: string;
  readonly components: readonly ComponentHealth[];
  readonly urls: readonly string[];
  /** Why nobody can reach it. */
  readonly unreachable: string | undefined;
  readonly user: string | undefined;
}

/** The health of every deployment of kfctl in the cluster. */
export async function readHealth(client: KubeClient): Promise<PlatformHealth[]> {
  const maps = await client.list(resources.configMaps, { labelSelector: 'app.kubernetes.io/managed-by=kfctl' });
  const inventories = maps.items.filter(({ metadata }) => metadata.name?.startsWith(inventoryPrefix));
  const types = await createTypeFinder(client);
  return Promise.all(
    inventories.map(async ({ metadata, data }) => {
      const entries = parseEntries(data?.['objects'] ?? '');
      const read = (entry: InventoryEntry): Promise<UnknownObject | undefined> => {
        const type = typeOfEntry(types, entry);
        return type === undefined ? Promise.resolve(undefined) : getObject(client, type, entry);
      };
      const workloads = entries.filter(
        (entry) => readinessCheck(entry) !== undefined && entry.kind !== 'CustomResourceDefinition',
      );
      const components = await runBounded(workloads, PARALLEL, async (entry) =>
        toHealth(client, entry, await read(entry)),
      );
      const gateway = entries.find(({ kind, name }) => kind === 'Service' && name === GATEWAY_SERVICE);
      const user = entries.find(({ kind, name }) => kind === 'Secret' && name === USER_SECRET);
      const service = gateway === undefined ? undefined : await read(gateway);
      const urls = service === undefined ? [] : gatewayUrls(service);
      return {
        deployment: (metadata.name ?? '').slice(inventoryPrefix.length),
        components,
        urls,
        unreachable: urls.length > 0 ? undefined : unreachableReason(service),
        user: user === undefined ? undefined : userOf(await read(user)),
      };
    }),
  );
}

async function toHealth(
  client: KubeClient,
  entry: InventoryEntry,
  object: UnknownObject | undefined,
): Promise<ComponentHealth> {
  const { application, kind, namespace, name } = entry;
  const readiness = readinessCheck(entry)?.(object) ?? { kind: 'ready' };
  const component = { application, kind, namespace, name };
  if (readiness.kind === 'ready') return { ...component, ready: true, reason: undefined, troubles: [] };
  const troubles = object === undefined ? [] : await diagnose(client, object);
  return { ...component, ready: false, reason: readiness.reason, troubles };
}

function unreachableReason(service: UnknownObject | undefined): string | undefined {
  const unbound = unboundReason(service);
  if (unbound !== undefined) return `the gateway has no port on this machine: ${unbound}`;
  const isBalanced = (service?.['spec'] as { type?: unknown } | undefined)?.type === 'LoadBalancer';
  return isBalanced ? 'the gateway has no address yet' : undefined;
}

function userOf(secret: UnknownObject | undefined): string | undefined {
  const data = secret?.['data'] as Record<string, string> | undefined;
  return data?.['email'] === undefined ? undefined : Buffer.from(data['email'], 'base64').toString('utf8');
}

/** One line a component, for people. */
export function renderHealth({ components }: PlatformHealth): string[] {
  return components.map(({ ready, reason, troubles, kind, namespace, name }) => {
    const subject = describeId({ group: '', kind, namespace, name });
    return `${ready ? 'ready    ' : 'not ready'}  ${subject}${reason === undefined ? '' : `: ${[...troubles, reason].join('; ')}`}`;
  });
}

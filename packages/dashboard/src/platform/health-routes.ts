/** Owns the picture of the platform's health: the Deployments of its namespaces and whether they are ready. */
import { compareText } from '@kfctl/core';
import { jsonResponse } from '@kfctl/http';
import type { Clock } from '@kfctl/core';
import type { Route } from '@kfctl/http';
import { resources } from '@kfctl/kube';
import type { KubeClient, KubeObject } from '@kfctl/kube';
import { requireUser } from '../identity/identify.ts';
import type { IdentityRules } from '../identity/identify.ts';

export interface ComponentHealth {
  readonly name: string;
  readonly namespace: string;
  readonly state: 'ready' | 'starting' | 'down';
  readonly readyReplicas: number;
  readonly replicas: number;
}

export interface HealthOptions {
  readonly client: Pick<KubeClient, 'list'>;
  readonly identity: IdentityRules;
  readonly namespaces: readonly string[];
  readonly clock: Clock;
}

const CACHE_MS = 2000;

export function healthRoutes(options: HealthOptions): Route[] {
  const read = cached(() => readHealth(options), options.clock);
  return [
    {
      method: 'GET',
      path: '/api/platform/health',
      handler: requireUser(options.identity, async () =>
        jsonResponse(200, { components: await read() }, { 'cache-control': 'no-store' }),
      ),
    },
  ];
}

/** All callers within CACHE_MS share one reading, so that a wall of open dashboards costs one list. */
function cached<T>(read: () => Promise<T>, clock: Clock): () => Promise<T> {
  let current: { readonly at: number; readonly value: Promise<T> } | undefined;
  return () => {
    if (current === undefined || clock.now() - current.at > CACHE_MS) {
      const value = read();
      value.catch(() => (current = undefined));
      current = { at: clock.now(), value };
    }
    return current.value;
  };
}

async function readHealth({ client, namespaces }: HealthOptions): Promise<ComponentHealth[]> {
  const lists = await Promise.all(namespaces.map((namespace) => client.list(resources.deployments, { namespace })));
  return lists
    .flatMap(({ items }) => items.map(toHealth))
    .toSorted((a, b) => compareText(a.namespace, b.namespace) || compareText(a.name, b.name));
}

function toHealth(deployment: KubeObject): ComponentHealth {
  const replicas = numberAt(deployment, 'spec', 'replicas') ?? 1;
  const readyReplicas = numberAt(deployment, 'status', 'readyReplicas') ?? 0;
  const state = readyReplicas >= replicas ? 'ready' : readyReplicas > 0 ? 'starting' : 'down';
  return {
    name: deployment.metadata.name ?? '',
    namespace: deployment.metadata.namespace ?? '',
    state,
    readyReplicas,
    replicas,
  };
}

function numberAt(object: object, part: string, field: string): number | undefined {
  const section: unknown = Reflect.get(object, part);
  const value: unknown = typeof section === 'object' && section !== null ? Reflect.get(section, field) : undefined;
  return typeof value === 'number' ? value : undefined;
}

/** Owns the status of the configuration's objects: whether each is in force; of a pool also how many addresses are given and left. */
import { describeError } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import { isKubeError, withCondition } from '@kfctl/kube';
import type { Condition, KubeClient, ResourceType } from '@kfctl/kube';
import type { Allocator } from '../allocate/allocator.ts';
import { ipAddressPools, l2Advertisements } from '../pools/configuration.ts';
import type { ConfigObjects, PoolObject } from '../pools/configuration.ts';
import { poolSize } from '../pools/pool.ts';
import { summariseProblems } from '../pools/render-problems.ts';
import type { ConfigState } from './config-state.ts';

export interface PoolStatusOptions {
  readonly client: Pick<KubeClient, 'patch'>;
  readonly log: Logger;
  readonly allocator: Allocator;
  readonly config: ConfigState;
  /** The objects as they are now. */
  current(): Pick<ConfigObjects, 'pools' | 'advertisements'>;
}

export interface PoolStatusWriter {
  /** Something has changed: statuses are written a moment later, those that differ. */
  touch(): void;
  stop(): void;
}

const GATHER_MS = 100;
const RETRY_MS = 5000;

export function createPoolStatusWriter(options: PoolStatusOptions): PoolStatusWriter {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const touchIn = (ms: number): void => {
    if (stopped) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      void writeAll(options).catch((error: unknown) => {
        options.log.warn('cannot write the status of a pool', { error: describeError(error) });
        touchIn(RETRY_MS);
      });
    }, ms);
  };
  const stop = (): void => {
    stopped = true;
    clearTimeout(timer);
  };
  return { touch: () => touchIn(GATHER_MS), stop };
}

async function writeAll(options: PoolStatusOptions): Promise<void> {
  const write = async (
    type: ResourceType<PoolObject>,
    object: PoolObject,
    status: Record<string, unknown>,
  ): Promise<void> => {
    if (JSON.stringify(pick(object.status, status)) === JSON.stringify(status)) return;
    const { name = '', namespace = '' } = object.metadata;
    try {
      const patch = { kind: 'merge', body: { status } } as const;
      await options.client.patch(type, name, { namespace, subresource: 'status', patch });
    } catch (error) {
      if (!isKubeError(error, 'NotFound')) throw error;
    }
  };
  const { pools, advertisements } = options.current();
  for (const object of pools)
    await write(ipAddressPools, object, { ...renderCounts(object, options), ...renderReady(object, options) });
  for (const object of advertisements) await write(l2Advertisements, object, renderReady(object, options));
}

function renderCounts(object: PoolObject, { allocator }: PoolStatusOptions): Record<string, unknown> {
  const name = object.metadata.name ?? '';
  const pool = allocator.pools.find((one) => one.name === name);
  const used = (family: 'IPv4' | 'IPv6'): number => allocator.inUse(name, family);
  const size = (family: 'IPv4' | 'IPv6'): number => (pool === undefined ? 0 : Number(poolSize(pool, family)));
  return {
    assignedIPv4: used('IPv4'),
    assignedIPv6: used('IPv6'),
    availableIPv4: size('IPv4') - used('IPv4'),
    availableIPv6: size('IPv6') - used('IPv6'),
  };
}

function renderReady(object: PoolObject, { config }: PoolStatusOptions): Record<string, unknown> {
  const { name = '' } = object.metadata;
  const mistake = config.mistakes.find((one) => one.object.kind === object.kind && one.object.metadata.name === name);
  const ready =
    mistake !== undefined
      ? { status: 'False', reason: 'Invalid', message: summariseProblems(mistake.problems) }
      : config.stale
        ? {
            status: 'False',
            reason: 'Stale',
            message: 'another object is wrong; the configuration before it stays in force',
          }
        : { status: 'True', reason: 'InForce', message: '' };
  const conditions = (object.status?.['conditions'] ?? []) as readonly Condition[];
  return { conditions: withCondition(conditions, { type: 'Ready', ...ready }, new Date()) };
}

function pick(status: Record<string, unknown> | undefined, like: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.keys(like).map((key) => [key, status?.[key]]));
}

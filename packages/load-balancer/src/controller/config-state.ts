/** Owns the configuration in force: the last good one; a bad one is told about and changes nothing. */
import type { Logger } from '@kfctl/core';
import { recordEvent } from '@kfctl/kube';
import type { ConfigMap, KubeClient } from '@kfctl/kube';
import type { Allocator } from '../allocate/allocator.ts';
import { parsePoolConfig } from '../pools/parse-pool-config.ts';
import { locateProblems, summariseProblems } from '../pools/render-problems.ts';

export interface ConfigState {
  /** True once a configuration is in force. */
  readonly loaded: boolean;
  /** True when the cluster's configuration is not the one in force. */
  readonly stale: boolean;
  /** Takes the ConfigMap as it is now; undefined when there is none. */
  apply(configMap: ConfigMap | undefined): void;
}

export interface ConfigStateOptions {
  readonly client: Pick<KubeClient, 'create' | 'get' | 'patch'>;
  readonly log: Logger;
  readonly allocator: Allocator;
  readonly configMap: string;
}

export function createConfigState(options: ConfigStateOptions): ConfigState {
  const { allocator, configMap: name } = options;
  const log = options.log.child({ configmap: name });
  const state = {
    loaded: false,
    stale: false,
    apply(configMap: ConfigMap | undefined): void {
      if (configMap === undefined) {
        state.stale = true;
        log.warn('configuration is missing, MetalLB will not function', {
          op: 'setConfig',
          error: 'no MetalLB configuration in cluster',
        });
        return;
      }
      const text = configMap.data?.['config'] ?? '';
      const parsed = parsePoolConfig(text);
      state.stale = parsed.kind === 'invalid';
      if (parsed.kind === 'invalid') {
        const error = summariseProblems(parsed.problems);
        log.error('config (re)load failed, config marked stale', { event: 'configStale', error });
        void tellOwner(options, configMap, locateProblems(text, parsed.problems).then(summariseProblems));
        return;
      }
      state.loaded = true;
      const homeless = allocator.setPools(parsed.pools);
      log.info('config (re)loaded', { event: 'configLoaded', ...(homeless.length === 0 ? {} : { moving: homeless }) });
    },
  };
  return state;
}

async function tellOwner(
  { client, log }: ConfigStateOptions,
  configMap: ConfigMap,
  problems: Promise<string>,
): Promise<void> {
  const message = `the configuration before it stays in force: ${await problems}`;
  await recordEvent({
    client,
    log,
    component: 'metallb-controller',
    object: configMap,
    type: 'Warning',
    reason: 'ConfigInvalid',
    message,
  });
}

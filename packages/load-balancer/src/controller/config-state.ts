/** Owns the configuration in force: the last good one; a bad one is told about and changes nothing. */
import { describeError } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import { recordEvent } from '@kfctl/kube';
import type { KubeClient } from '@kfctl/kube';
import type { Allocator } from '../allocate/allocator.ts';
import { readConfiguration } from '../pools/configuration.ts';
import type { ConfigObjects, Configuration, Mistake } from '../pools/configuration.ts';
import { locateProblems, summariseProblems } from '../pools/render-problems.ts';

export interface ConfigState {
  /** True once a configuration is in force. */
  readonly loaded: boolean;
  /** True when the cluster's configuration is not the one in force. */
  readonly stale: boolean;
  /** What is wrong with it, by object. */
  readonly mistakes: readonly Mistake[];
  /** Takes the objects as they are now. */
  apply(objects: ConfigObjects): void;
}

export interface ConfigStateOptions {
  readonly client: Pick<KubeClient, 'create' | 'get' | 'patch'>;
  readonly log: Logger;
  readonly allocator: Allocator;
  readonly configMap: string;
}

export function createConfigState(options: ConfigStateOptions): ConfigState {
  const { allocator } = options;
  const log = options.log.child({ configmap: options.configMap });
  let silent = '';
  const state = {
    loaded: false,
    stale: false,
    mistakes: [] as readonly Mistake[],
    apply(objects: ConfigObjects): void {
      const outcome = readConfiguration(objects);
      state.stale = outcome.kind !== 'configuration';
      state.mistakes = outcome.kind === 'invalid' ? outcome.mistakes : [];
      switch (outcome.kind) {
        case 'missing':
          log.warn('configuration is missing, MetalLB will not function', {
            op: 'setConfig',
            error: 'no MetalLB configuration in cluster',
          });
          return;
        case 'invalid':
          log.error('config (re)load failed, config marked stale', {
            event: 'configStale',
            error: outcome.mistakes.map(summarise).join('; '),
          });
          for (const mistake of outcome.mistakes) void tellOwner(options, mistake);
          return;
        case 'configuration': {
          state.loaded = true;
          const homeless = allocator.setPools(outcome.configuration.pools);
          log.info('config (re)loaded', {
            event: 'configLoaded',
            ...(homeless.length === 0 ? {} : { moving: homeless }),
          });
          const unheard = unannounced(outcome.configuration);
          if (unheard.length > 0 && unheard.join() !== silent)
            log.warn('pools without an L2Advertisement: their addresses are given but not announced', {
              pools: unheard,
            });
          silent = unheard.join();
        }
      }
    },
  };
  return state;
}

/** The most frequent mistake of who comes from the ConfigMap. */
function unannounced({ pools, advertisements }: Configuration): readonly string[] {
  return pools.map(({ name }) => name).filter((name) => !advertisements.some(({ pools: named }) => named.has(name)));
}

function summarise({ object, problems }: Mistake): string {
  const where = object.kind === 'ConfigMap' ? '' : `${object.kind} "${object.metadata.name ?? ''}": `;
  return `${where}${summariseProblems(problems)}`;
}

async function tellOwner({ client, log }: ConfigStateOptions, { object, problems, text }: Mistake): Promise<void> {
  try {
    const located = text === undefined ? problems : await locateProblems(text, problems);
    const message = `the configuration before it stays in force: ${summariseProblems(located)}`;
    const about = { component: 'metallb-controller', object, type: 'Warning', reason: 'ConfigInvalid' } as const;
    await recordEvent({ client, log, ...about, message });
  } catch (error) {
    log.warn('cannot tell what is wrong with the configuration', { error: describeError(error) });
  }
}

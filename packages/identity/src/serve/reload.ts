/** Owns what a changed configuration file may change while the process runs. */
import type { Clock, Environment, Logger } from '@kfctl/core';
import type { IdentityConfig } from '../config/config.ts';
import { parseConfig } from '../config/parse-config.ts';
import { summariseProblem } from '../config/problems.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { LiveProvider } from './live-provider.ts';

const { isDeepStrictEqual } = process.getBuiltinModule('node:util');

/** Sections that are bound to what exists once per process. */
const FIXED = ['issuer', 'storage', 'telemetry', 'grpc', 'logger'] as const;

/** What became of the newest text of the file. */
export interface ConfigState {
  /** Undefined while the newest text is in use; otherwise how many mistakes it has. */
  refusedMistakes(): number | undefined;
  took(mistakes: number): void;
}

/** The state, shown by metrics too. */
export function createConfigState(metrics: Pick<Metrics, 'gauge'>, clock: Clock): ConfigState {
  let refused = 0;
  const took = (mistakes: number): void => {
    refused = mistakes;
    metrics.gauge('identity_config_in_use', 'Whether the newest configuration file is in use.', mistakes === 0 ? 1 : 0);
    if (mistakes > 0) return;
    const seconds = Math.floor(clock.now() / 1000);
    metrics.gauge('identity_config_loaded_timestamp_seconds', 'When the configuration in use was read.', seconds);
  };
  took(0);
  return { took, refusedMistakes: () => (refused === 0 ? undefined : refused) };
}

export interface ReloadDeps {
  readonly state: Pick<ConfigState, 'took'>;
  readonly provider: Pick<LiveProvider, 'config' | 'use'>;
  readonly env: Environment;
  readonly log: Logger;
}

/** Puts a new text to use, or keeps the configuration in use when the text has mistakes. Never throws. */
export async function reload(text: string, { provider, env, log, state }: ReloadDeps): Promise<void> {
  const { config, problems, warnings } = await parseConfig(text, env);
  state.took(config === undefined ? problems.length : 0);
  if (config === undefined) {
    const mistakes = problems.map((problem) => summariseProblem(text, problem));
    log.error('configuration refused, the one before stays in use', { mistakes });
    return;
  }
  if (warnings.length > 0)
    log.warn('configuration has parts of no effect', { parts: warnings.map((one) => summariseProblem(text, one)) });
  const before = provider.config();
  const waiting = FIXED.filter((section) => !isDeepStrictEqual(config[section], before[section]));
  const listeners = !isDeepStrictEqual(listenersOf(config), listenersOf(before));
  const restart = listeners ? [...waiting, 'web'] : waiting;
  if (restart.length > 0) log.warn('some changes need a restart of the process', { sections: restart });
  provider.use(keepFixed(config, before));
  const { staticPasswords, staticClients, connectors } = config;
  const counts = { users: staticPasswords.length, clients: staticClients.length, connectors: connectors.length };
  log.info('configuration changed', counts);
}

function keepFixed(config: IdentityConfig, before: IdentityConfig): IdentityConfig {
  const { issuer, basePath, storage, telemetry, grpc, logger } = before;
  return {
    ...config,
    issuer,
    basePath,
    storage,
    telemetry,
    grpc,
    logger,
    web: { ...config.web, ...listenersOf(before) },
  };
}

function listenersOf({ web }: IdentityConfig): object {
  const { http, https, tlsCert, tlsKey, tlsMinVersion, tlsMaxVersion } = web;
  return { http, https, tlsCert, tlsKey, tlsMinVersion, tlsMaxVersion };
}

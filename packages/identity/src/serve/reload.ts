/** Owns what a changed configuration file may change while the process runs. */
import { isDeepStrictEqual } from 'node:util';
import type { Environment, Logger } from '@kfctl/core';
import type { IdentityConfig } from '../config/config.ts';
import { parseConfig } from '../config/parse-config.ts';
import { summariseProblem } from '../config/problems.ts';
import type { LiveProvider } from './live-provider.ts';

/** Sections that are bound to what exists once per process. */
const FIXED = ['issuer', 'storage', 'telemetry', 'grpc', 'logger'] as const;

export interface ReloadDeps {
  readonly provider: Pick<LiveProvider, 'config' | 'use'>;
  readonly env: Environment;
  readonly log: Logger;
}

/** Puts a new text to use, or keeps the configuration in use when the text has mistakes. Never throws. */
export async function reload(text: string, { provider, env, log }: ReloadDeps): Promise<void> {
  const { config, problems } = await parseConfig(text, env);
  if (config === undefined) {
    const mistakes = problems.map((problem) => summariseProblem(text, problem));
    log.error('configuration refused, the one before stays in use', { mistakes });
    return;
  }
  const before = provider.config();
  const waiting = FIXED.filter((section) => !isDeepStrictEqual(config[section], before[section]));
  const listeners = !isDeepStrictEqual(listenersOf(config), listenersOf(before));
  const restart = listeners ? [...waiting, 'web'] : waiting;
  if (restart.length > 0) log.warn('some changes need a restart of the process', { sections: restart });
  provider.use(keepFixed(config, before));
  log.info('configuration changed', { users: config.staticPasswords.length, clients: config.staticClients.length });
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

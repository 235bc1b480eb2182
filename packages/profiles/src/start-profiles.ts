/** Owns the wiring of the process: informers, access management, the controller under its lease, health. */
import { createHttpServer, createRouter, textResponse } from '@kfctl/http';
import type { Logger, RunningProcess } from '@kfctl/core';
import type { HttpServer } from '@kfctl/http';
import { createInformer, resources, runLeaderElection } from '@kfctl/kube';
import type { KubeClient } from '@kfctl/kube';
import { accessRoutes } from './access/access-routes.ts';
import { createTokenVerifier } from './access/verify-token.ts';
import type { Config } from './config.ts';
import { profiles } from './profile/profile.ts';
import { runProfileController } from './profile/run-profile-controller.ts';

export interface ProfilesOptions {
  readonly client: KubeClient;
  readonly config: Config;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** The listening address; every address of the host when absent. */
  readonly host?: string;
}

export interface ProfilesProcess extends RunningProcess {
  readonly port: number;
  readonly healthPort: number;
  /** Rejects when the controller cannot go on. */
  readonly failed: Promise<never>;
}

/** Starts everything; access management answers on every replica, the controller runs on the one that holds the lease. */
export async function startProfiles(options: ProfilesOptions): Promise<ProfilesProcess> {
  const { client, config, log, signal, host } = options;
  const profileInformer = createInformer({ client, type: profiles, log });
  const roleBindings = createInformer({ client, type: resources.roleBindings, log });
  profileInformer.start(signal);
  roleBindings.start(signal);
  const routes = accessRoutes({
    client,
    log,
    identity: config,
    istio: config.istio,
    registrationFlow: config.registrationFlow,
    profilesPerUser: config.profilesPerUser,
    reservedNamespaces: config.reservedNamespaces,
    profiles: profileInformer,
    roleBindings,
    ...(config.trustedCallers.size === 0 ? {} : { verifyToken: createTokenVerifier(client, config.trustedCallers) }),
  });
  const access = createHttpServer({ handler: createRouter(routes), log, maxBodyBytes: 64 * 1024 });
  const health = createHealthServer(Promise.all([profileInformer.synced, roleBindings.synced]), log);
  const [port, healthPort] = await Promise.all([
    access.listen(config.port, host),
    health.listen(config.healthPort, host),
  ]);
  log.info('access management listens', { port, callers: config.trustedCallers.size === 0 ? 'network' : 'token' });
  const controller = runLeaderElection({
    client,
    namespace: config.podNamespace,
    name: 'profile-controller',
    identity: config.podName,
    log,
    signal,
    onLeading: (leading) =>
      runProfileController({
        client,
        log,
        istio: config.istio,
        reservedNamespaces: config.reservedNamespaces,
        now: () => new Date(),
        profiles: profileInformer,
        signal: leading,
      }),
  });
  const failed = new Promise<never>((_resolve, reject) => void controller.catch(reject));
  const stop = async (): Promise<void> => {
    await Promise.all([access.close(), health.close(), controller.catch(() => undefined)]);
    client.close();
  };
  return { port, healthPort, failed, stop };
}

function createHealthServer(synced: Promise<unknown>, log: Logger): HttpServer {
  let ready = false;
  synced.then(
    () => (ready = true),
    () => undefined,
  );
  const handler = createRouter([
    { method: 'GET', path: '/healthz', handler: () => textResponse(200, 'ok\n') },
    {
      method: 'GET',
      path: '/readyz',
      handler: () => (ready ? textResponse(200, 'ok\n') : textResponse(503, 'not synced\n')),
    },
  ]);
  return createHttpServer({ handler, log });
}

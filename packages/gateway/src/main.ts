/** The gateway process: Istio's objects in, an HTTPS front door out. */
import { createLogger, runProcess } from '@kfctl/core';
import {
  createInformer,
  createKubeClient,
  endpointSliceClient,
  loadKubeConfig,
  recordEvent,
  resources,
} from '@kfctl/kube';
import type { KubeClient, KubeObject, ResourceType } from '@kfctl/kube';
import { readConfig } from './config.ts';
import { startGateway } from './gateway.ts';
import type { GatewayDeps } from './gateway.ts';
import { createHealthServer } from './health/health-server.ts';
import { optionalSource } from './istio/optional-source.ts';
import { createPodSources } from './istio/pod-sources.ts';
import {
  authorizationPolicies,
  destinationRules,
  envoyFilters,
  gateways,
  requestAuthentications,
  virtualServices,
} from './istio/resources.ts';
import { followSessions } from './session/session-objects.ts';

const log = createLogger({ fields: { component: 'gateway' } });

await runProcess({
  log,
  async start(signal) {
    const config = readConfig(process.env);
    const client = createKubeClient(await loadKubeConfig({ env: process.env }));
    const source = endpointSliceClient(client);
    const watch = <T extends KubeObject>(type: ResourceType<T>, namespace?: string) => {
      const informer = createInformer({ client: source, type, log, ...(namespace === undefined ? {} : { namespace }) });
      informer.start(signal);
      return informer;
    };
    const sessions = config.sessionCheck && followSessions({ client, namespace: config.namespace, log }, signal);
    const gateway = startGateway({
      config,
      sessions,
      log,
      sources: {
        gateways: watch(gateways),
        virtualServices: watch(virtualServices),
        destinationRules: optionalSource(watch(destinationRules), destinationRules, client),
        authorizationPolicies: watch(authorizationPolicies),
        envoyFilters: optionalSource(watch(envoyFilters), envoyFilters, client),
        requestAuthentications: optionalSource(watch(requestAuthentications), requestAuthentications, client),
        configMaps: watch(resources.configMaps, config.namespace),
        secrets: watch(resources.secrets, config.namespace),
        services: watch(resources.services),
        endpointSlices: watch(resources.endpointSlices),
        pods: createPodSources((namespace) => watch(resources.pods, namespace)),
      },
      writeAccessLog: (lines) => void process.stdout.write(lines),
      warnAbout: createWarner(client, config.podName),
    });
    const health = createHealthServer({
      notReady: () => gateway.notReady(),
      renderMetrics: () => gateway.renderMetrics(),
      log,
    });
    await health.listen(config.healthPort, config.host);
    return {
      async stop() {
        await gateway.stop();
        await health.close();
        client.close();
      },
    };
  },
});

/** Problems with an object are told as its events. */
function createWarner(client: KubeClient, host: string): GatewayDeps['warnAbout'] {
  return (object, reason, message) =>
    void recordEvent({ client, log, component: 'gateway', host, object, type: 'Warning', reason, message });
}

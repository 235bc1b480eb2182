/** The dashboard process: reads its settings, connects to Kubernetes and access management, serves pages and API. */
import path from 'node:path';
import { createLogger, runProcess, systemClock } from '@kfctl/core';
import { createHttpServer } from '@kfctl/http';
import { createKubeClient, loadKubeConfig } from '@kfctl/kube';
import { createAccessClient } from './access/access-client.ts';
import { createOwnToken } from './access/own-token.ts';
import { readConfig } from './config.ts';
import { createDashboard } from './create-dashboard.ts';
import { renderError } from './errors.ts';
import { createPages } from './pages/page-routes.ts';

const log = createLogger();

await runProcess({
  log,
  start: async () => {
    const config = readConfig(process.env);
    const client = createKubeClient(await loadKubeConfig({ env: process.env }));
    const ownToken = createOwnToken(config.serviceAccountDirectory, systemClock);
    const access = createAccessClient({ ...config.accessManagement, ownToken });
    const pages = createPages(path.join(import.meta.dirname, '..', 'web', 'dist'));
    const handler = createDashboard({ config, client, access, pages, clock: systemClock, version: '0.1.0' });
    const server = createHttpServer({ handler, log, renderError, maxBodyBytes: 65_536 });
    log.info('listening', { port: await server.listen(config.port) });
    return {
      stop: async () => {
        await server.close();
        access.close();
        client.close();
      },
    };
  },
});

/** The load balancer's processes: `load-balancer controller` hands out addresses. */
import { AppError, runProcess } from '@kfctl/core';
import { createKubeClient, loadKubeConfig } from '@kfctl/kube';
import { readConfig } from './config.ts';
import { startController } from './controller/start-controller.ts';
import { createSeedLogger } from './controller/seed-logger.ts';

const log = createSeedLogger();

await runProcess({
  log,
  start: async (signal) => {
    const role = process.argv[2] ?? '';
    if (role !== 'controller') {
      throw new AppError('USAGE', `unknown process "${role}"`, { hint: 'Start it as: load-balancer controller' });
    }
    const config = readConfig(process.env);
    const client = createKubeClient(await loadKubeConfig({ env: process.env }));
    return startController({ client, config, log, signal });
  },
});

/**
 * The load balancer's processes: `controller` hands out addresses, `speaker` announces them on the network; `explain` tells from the
 * cluster's objects why an address is missing or silent.
 */
import { AppError, runProcess } from '@kfctl/core';
import { createKubeClient, loadKubeConfig } from '@kfctl/kube';
import { readConfig, readSpeakerConfig } from './config.ts';
import { createSeedLogger } from './controller/seed-logger.ts';

const log = createSeedLogger();

if (process.argv[2] === 'explain') {
  const { runExplain } = await import('./explain/run-explain.ts');
  await runExplain(process.stdin, process.stdout);
} else
  await runProcess({
    log,
    start: async (signal) => {
      const role = process.argv[2] ?? '';
      if (role !== 'controller' && role !== 'speaker') {
        throw new AppError('USAGE', `unknown process "${role}"`, {
          hint: 'Start it as: load-balancer controller, or: load-balancer speaker',
        });
      }
      const client = createKubeClient(await loadKubeConfig({ env: process.env }));
      if (role === 'controller') {
        const config = readConfig(process.env);
        const { startController } = await import('./controller/start-controller.ts');
        return startController({ client, config, log, signal });
      }
      const config = readSpeakerConfig(process.env);
      const { startSpeaker } = await import('./speaker/start-speaker.ts');
      return startSpeaker({ client, config, log, signal });
    },
  });

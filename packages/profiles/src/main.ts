/** The `profiles` process: profile controller and access management. */
import { createLogger, runProcess } from '@kfctl/core';
import { createKubeClient, loadKubeConfig } from '@kfctl/kube';
import { readConfig } from './config.ts';
import { startProfiles } from './start-profiles.ts';

const log = createLogger({ fields: { component: 'profiles' } });

await runProcess({
  log,
  start: async (signal) => {
    const config = readConfig(process.env);
    const client = createKubeClient(await loadKubeConfig({ env: process.env }));
    return startProfiles({ client, config, log, signal });
  },
});

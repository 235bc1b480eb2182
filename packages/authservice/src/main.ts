/** The `authservice` process: reads its settings, then answers gateways. */
import { createLogger, runProcess } from '@kfctl/core';
import { readConfig } from './config/config.ts';
import { startAuthService } from './start-authservice.ts';

const log = createLogger({ fields: { component: 'authservice' } });

await runProcess({
  log,
  start: async (signal) => {
    const config = readConfig(process.env);
    const fields = { component: 'authservice' };
    return startAuthService(config, {
      env: process.env,
      log: createLogger({ level: config.logLevel, fields }),
      signal,
    });
  },
});

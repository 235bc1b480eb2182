/** The local cluster's process: `kfctl up` starts it, hears `ready` from it, and ends it by SIGTERM or by ending itself. */
import { createLogger, runProcess } from '@kfctl/core';
import { parseConfig } from './config.ts';
import { startCluster } from './start-cluster.ts';

const log = createLogger({ fields: { component: 'cluster' } });

await runProcess({
  log,
  graceMs: 2800,
  start: async () => {
    const config = parseConfig(process.argv.slice(2), process.env);
    const cluster = await startCluster(config, log);
    process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
    process.send?.({ kind: 'ready' });
    log.info('cluster ready', { apiServer: cluster.api.url });
    return cluster;
  },
});

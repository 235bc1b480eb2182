/** Owns the settings of the load balancer's processes, all from the environment. */
import { hostname } from 'node:os';
import { createEnvReader, randomToken } from '@kfctl/core';
import type { Environment } from '@kfctl/core';

export interface Config {
  /** Where the configuration and the lease live. */
  readonly namespace: string;
  readonly configName: string;
  readonly loadBalancerClass: string;
  /** Of health and metrics. */
  readonly port: number;
  /** Unique among the replicas. */
  readonly identity: string;
}

export function readConfig(env: Environment): Config {
  const read = createEnvReader(env);
  const config: Config = {
    namespace: read.string('METALLB_NAMESPACE', 'metallb-system'),
    configName: read.string('METALLB_CONFIG', 'config'),
    loadBalancerClass: read.string('METALLB_LB_CLASS', ''),
    port: read.integer('METALLB_PORT', { fallback: 7472, min: 0, max: 65_535 }),
    // A host's name alone is not unique: where pods share it, two would hold one lease.
    identity: read.string('POD_NAME', `${hostname()}_${randomToken(6)}`),
  };
  read.finish();
  return config;
}

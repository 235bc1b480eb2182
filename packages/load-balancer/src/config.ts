/** Owns the settings of the load balancer's processes, all from the environment. */
import { hostname } from 'node:os';
import { createEnvReader, randomToken } from '@kfctl/core';
import type { Environment, EnvReader } from '@kfctl/core';

export interface Config {
  /** Where the configuration and the lease live. */
  readonly namespace: string;
  readonly configName: string;
  readonly loadBalancerClass: string;
  /** Of health and metrics. */
  readonly port: number;
  /** The address that health and metrics listen on. */
  readonly host: string;
  /** Unique among the replicas. */
  readonly identity: string;
}

export interface SpeakerConfig extends Config {
  /** The name of the node that it runs on. */
  readonly node: string;
  readonly election: 'lease' | 'stateless';
  readonly ignoreExcludeLabel: boolean;
  /** Regular expressions of interfaces' names. */
  readonly excludedInterfaces: readonly string[];
  /** Between two repetitions of "this address is here"; 0: only at take-over. */
  readonly refreshSeconds: number;
}

/** Interfaces of container networks and tunnels: their other end is on this very node. */
const EXCLUDED_INTERFACES =
  '^docker ^cbr ^dummy ^virbr ^lxcbr ^veth ^lo$ ^cali ^tunl ^flannel ^kube-ipvs ^cni ^nodelocaldns ^lxc'.split(' ');

export function readConfig(env: Environment): Config {
  const read = createEnvReader(env);
  const config = readShared(read);
  read.finish();
  return config;
}

export function readSpeakerConfig(env: Environment): SpeakerConfig {
  const read = createEnvReader(env);
  const config: SpeakerConfig = {
    ...readShared(read),
    node: read.string('METALLB_NODE_NAME'),
    election: read.optional('METALLB_ELECTION') === 'stateless' ? 'stateless' : 'lease',
    ignoreExcludeLabel: read.boolean('METALLB_IGNORE_EXCLUDE_LABEL', false),
    excludedInterfaces: read.list('METALLB_EXCLUDED_INTERFACES', EXCLUDED_INTERFACES),
    refreshSeconds: read.integer('METALLB_REFRESH_SECONDS', { fallback: 60, min: 0, max: 86_400 }),
  };
  const election = read.optional('METALLB_ELECTION') ?? 'lease';
  if (election !== 'lease' && election !== 'stateless')
    read.problem('METALLB_ELECTION', `"${election}" is unknown; use lease or stateless`);
  for (const pattern of config.excludedInterfaces)
    if (!isPattern(pattern)) read.problem('METALLB_EXCLUDED_INTERFACES', `"${pattern}" is not a regular expression`);
  read.finish();
  return config;
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}

function readShared(read: EnvReader): Config {
  return {
    namespace: read.string('METALLB_NAMESPACE', 'metallb-system'),
    configName: read.string('METALLB_CONFIG', 'config'),
    loadBalancerClass: read.string('METALLB_LB_CLASS', ''),
    port: read.integer('METALLB_PORT', { fallback: 7472, min: 0, max: 65_535 }),
    // A host's name alone is not unique: where pods share it, two would hold one lease.
    identity: read.string('POD_NAME', `${hostname()}_${randomToken(6)}`),
    host: read.string('METALLB_HOST', '0.0.0.0'),
  };
}

/** Owns the explanation of the configuration: missing, wrong, in the wrong place, or of no effect. */
import { readConfiguration } from '../pools/configuration.ts';
import type { Configuration, Mistake, PoolObject } from '../pools/configuration.ts';
import { poolSize } from '../pools/pool.ts';
import { locateProblems, summariseProblems } from '../pools/render-problems.ts';
import type { Finding } from './finding.ts';
import type { BalancerWorld } from './world.ts';

export interface ExplainedConfiguration {
  /** Undefined when the cluster's configuration cannot be in force. */
  readonly configuration: Configuration | undefined;
  readonly findings: readonly Finding[];
}

export async function explainConfiguration(world: BalancerWorld): Promise<ExplainedConfiguration> {
  const { namespace, configMap } = world;
  const isHere = ({ metadata }: PoolObject): boolean => metadata.namespace === namespace;
  const pools = world.pools.filter(isHere);
  const advertisements = world.advertisements.filter(isHere);
  const strangers = [...world.pools, ...world.advertisements].filter((object) => !isHere(object));
  const misplaced = strangers.map((object) => explainMisplaced(object, namespace));
  const outcome = readConfiguration({ configMap, pools, advertisements });
  switch (outcome.kind) {
    case 'missing':
      return { configuration: undefined, findings: [explainMissing(namespace), ...misplaced] };
    case 'invalid': {
      const findings = await Promise.all(outcome.mistakes.map(explainMistake));
      return { configuration: undefined, findings: [...findings, ...misplaced] };
    }
    default: {
      const { configuration } = outcome;
      const findings = [...explainPools(configuration, namespace), ...explainSilence(configuration), ...misplaced];
      return { configuration, findings };
    }
  }
}

function explainMissing(namespace: string): Finding {
  return {
    level: 'problem',
    subject: 'load balancer configuration',
    finding: 'there is none: no service gets an address',
    evidence: [`no ConfigMap ${namespace}/config, no IPAddressPool in ${namespace}`],
    next: `kubectl create configmap config -n ${namespace} --from-literal=config='address-pools: [{name: default, protocol: layer2, addresses: [FIRST-LAST]}]'`,
  };
}

async function explainMistake({ object, problems, text }: Mistake): Promise<Finding> {
  const located = text === undefined ? problems : await locateProblems(text, problems);
  const { name = '', namespace = '' } = object.metadata;
  return {
    level: 'problem',
    subject: `${object.kind} ${namespace}/${name}`,
    finding: 'is not in force, what was good before it is; a restarted controller has nothing',
    evidence: located.map((problem) => summariseProblems([problem])),
    next: `kubectl edit ${object.kind.toLowerCase()} -n ${namespace} ${name}`,
  };
}

function explainMisplaced({ kind, metadata }: PoolObject, namespace: string): Finding {
  return {
    level: 'problem',
    subject: `${kind} ${metadata.namespace ?? ''}/${metadata.name ?? ''}`,
    finding: `has no effect: resource must be created in ${namespace} namespace`,
    evidence: [],
    next: `kubectl get ${kind.toLowerCase()} -n ${metadata.namespace ?? ''} ${metadata.name ?? ''} -o yaml`,
  };
}

function explainPools({ pools }: Configuration, namespace: string): readonly Finding[] {
  if (pools.length > 0) return [];
  return [
    {
      level: 'problem',
      subject: 'load balancer configuration',
      finding: 'has no pool: no service gets an address',
      evidence: [`ConfigMap ${namespace}/config lists no address-pools`],
      next: `kubectl edit configmap -n ${namespace} config`,
    },
  ];
}

/** The most frequent mistake of who comes from the ConfigMap. */
function explainSilence({ pools, advertisements }: Configuration): readonly Finding[] {
  const silent = pools.filter(({ name }) => !advertisements.some(({ pools: named }) => named.has(name)));
  return silent.map((pool) => ({
    level: 'problem',
    subject: `IPAddressPool ${pool.name}`,
    finding: 'its addresses are given but never announced: no L2Advertisement names it',
    evidence: [`${poolSize(pool)} addresses`],
    next: `make an L2Advertisement with ipAddressPools: [${pool.name}]`,
  }));
}

/** Owns what a configuration is, whichever form it came in, and how the two forms exclude each other. */
import { defineResource } from '@kfctl/kube';
import type { ConfigMap, KubeObject, LabelSelector, ResourceType } from '@kfctl/kube';
import { parsePoolConfig } from './parse-pool-config.ts';
import type { Problem } from './parse-pool-config.ts';
import { parsePoolObjects } from './parse-pool-objects.ts';
import type { Pool } from './pool.ts';

/** From where the addresses of some pools are announced. */
export interface Advertisement {
  readonly name: string;
  /** Names of pools. */
  readonly pools: ReadonlySet<string>;
  /** One must match the node; none: every node. */
  readonly nodeSelectors: readonly LabelSelector[];
  /** Exact names; undefined: every interface. */
  readonly interfaces: readonly string[] | undefined;
  /** One must match the service; none: every service. */
  readonly serviceSelectors: readonly LabelSelector[];
  /** A node is preferred by the sum of the weights that match it. */
  readonly preferences: readonly NodePreference[];
}

export interface NodePreference {
  /** 1 to 100. */
  readonly weight: number;
  readonly selector: LabelSelector;
}

export interface Configuration {
  readonly pools: readonly Pool[];
  readonly advertisements: readonly Advertisement[];
}

/** Mistakes, by the object that must be corrected. */
export interface Mistake {
  readonly object: KubeObject;
  readonly problems: readonly Problem[];
  /** The text that the problems are places in, when it is not the object itself. */
  readonly text?: string;
}

export type ConfigOutcome =
  | { readonly kind: 'missing' }
  | { readonly kind: 'configuration'; readonly configuration: Configuration }
  | { readonly kind: 'invalid'; readonly mistakes: readonly Mistake[] };

export interface PoolObject extends KubeObject {
  spec?: unknown;
  status?: Record<string, unknown>;
}

export interface ConfigObjects {
  readonly configMap: ConfigMap | undefined;
  readonly pools: readonly PoolObject[];
  readonly advertisements: readonly PoolObject[];
}

export const ipAddressPools: ResourceType<PoolObject> = defineResource('metallb.io/v1beta1', 'IPAddressPool', {
  plural: 'ipaddresspools',
});
export const l2Advertisements: ResourceType<PoolObject> = defineResource('metallb.io/v1beta1', 'L2Advertisement', {
  plural: 'l2advertisements',
});

/** Reads whichever form is used. */
export function readConfiguration({ configMap, pools, advertisements }: ConfigObjects): ConfigOutcome {
  const objects = [...pools, ...advertisements];
  if (configMap === undefined)
    return objects.length === 0 ? { kind: 'missing' } : parsePoolObjects(pools, advertisements);
  const text = configMap.data?.['config'] ?? '';
  const parsed = parsePoolConfig(text);
  if (parsed.kind === 'invalid')
    return { kind: 'invalid', mistakes: [{ object: configMap, problems: parsed.problems, text }] };
  if (objects.length === 0) {
    const everything = new Set(parsed.pools.map(({ name }) => name));
    const advertisement = {
      name: '',
      pools: everything,
      nodeSelectors: [],
      interfaces: undefined,
      serviceSelectors: [],
      preferences: [],
    };
    return { kind: 'configuration', configuration: { pools: parsed.pools, advertisements: [advertisement] } };
  }
  // An emptied ConfigMap is how one moves from the old form to the new one.
  return parsed.pools.length === 0
    ? parsePoolObjects(pools, advertisements)
    : { kind: 'invalid', mistakes: [configMap, ...objects].map((object) => twice(object, configMap, objects)) };
}

function twice(object: KubeObject, configMap: ConfigMap, objects: readonly KubeObject[]): Mistake {
  const names = objects.slice(0, 3).map(({ kind, metadata }) => `${kind} "${metadata.name ?? ''}"`);
  const more = objects.length > names.length ? ` and ${objects.length - names.length} more` : '';
  const message =
    `configured twice: by address-pools in ConfigMap "${configMap.metadata.name ?? ''}" and by ${names.join(', ')}${more}; ` +
    'keep one form: empty the ConfigMap, or delete the objects';
  return { object, problems: [{ path: [], message }] };
}

/** Owns the Prometheus text of the controller, under the names that MetalLB's dashboards use. */
import type { Family } from '../address/address.ts';
import { poolSize } from '../pools/pool.ts';
import type { Pool } from '../pools/pool.ts';
import type { ControllerState } from './run-controller.ts';

/** Empty gauges before the controller leads. */
export function renderMetrics(state: ControllerState | undefined): string {
  const pools = state?.allocator.pools ?? [];
  const each = (value: (pool: Pool) => bigint | number): readonly Sample[] =>
    pools.map((pool) => [{ pool: pool.name }, String(value(pool))]);
  const used = (pool: Pool, family?: Family): number => state?.allocator.inUse(pool.name, family) ?? 0;
  const families = (['IPv4', 'IPv6'] as const).flatMap((family) => [
    ...gauge(
      `metallb_allocator_${family.toLowerCase()}_addresses_total`,
      `${family} addresses that a pool can hand out.`,
      each((pool) => poolSize(pool, family)),
    ),
    ...gauge(
      `metallb_allocator_${family.toLowerCase()}_addresses_in_use_total`,
      `${family} addresses of a pool in use.`,
      each((pool) => used(pool, family)),
    ),
  ]);
  const counter = (name: string, help: string, value: number): readonly string[] =>
    renderMetric({ name, help, kind: 'counter' }, [[{}, String(value)]]);
  return [
    ...gauge(
      'metallb_allocator_addresses_total',
      'Addresses that a pool can hand out.',
      each((pool) => poolSize(pool)),
    ),
    ...gauge(
      'metallb_allocator_addresses_in_use_total',
      'Addresses of a pool in use.',
      each((pool) => used(pool)),
    ),
    ...families,
    ...gauge(
      'metallb_allocator_services_allocated_total',
      'Services with an address of the pool.',
      each((pool) => state?.allocator.services(pool.name) ?? 0),
    ),
    ...counter('metallb_k8s_client_updates_total', 'Statuses that were written.', state?.writes.done ?? 0),
    ...counter('metallb_k8s_client_update_errors_total', 'Writes that failed.', state?.writes.failed ?? 0),
    ...gauge('metallb_k8s_client_config_loaded_bool', '1 when a configuration is in force.', [
      [{}, state?.config.loaded === true ? '1' : '0'],
    ]),
    ...gauge('metallb_k8s_client_config_stale_bool', '1 when the configuration in force is not the present one.', [
      [{}, state?.config.stale === true ? '1' : '0'],
    ]),
    '',
  ].join('\n');
}

export type Sample = readonly [labels: Readonly<Record<string, string>>, value: string];

export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly kind: 'gauge' | 'counter';
}

/** The lines of one metric. */
export function renderMetric({ name, help, kind }: Metric, samples: readonly Sample[]): string[] {
  const render = ([labels, value]: Sample): string => {
    const pairs = Object.entries(labels).map(
      ([label, text]) => `${label}="${text.replaceAll(/[\\"\n]/g, (mark) => (mark === '\n' ? '\\n' : `\\${mark}`))}"`,
    );
    return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`;
  };
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`, ...samples.map(render)];
}

function gauge(name: string, help: string, samples: readonly Sample[]): string[] {
  return renderMetric({ name, help, kind: 'gauge' }, samples);
}

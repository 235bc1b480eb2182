/** Owns the Prometheus text of the speaker, under the names that MetalLB's dashboards use. */
import { renderMetric } from '../controller/render-metrics.ts';
import type { Speaker } from './run-speaker.ts';

export interface SpeakerState {
  readonly node: string;
  readonly loaded: boolean;
  readonly stale: boolean;
}

export async function renderSpeakerMetrics(speaker: Speaker, { node, loaded, stale }: SpeakerState): Promise<string> {
  const announcer = await speaker.announcer();
  const counters = (await announcer?.counters()) ?? [];
  const each = (pick: (counter: (typeof counters)[number]) => number) =>
    counters.map((counter) => [{ ip: counter.address }, String(pick(counter))] as const);
  return [
    ...renderMetric(
      { name: 'metallb_speaker_announced', help: 'Services announced from this node.', kind: 'gauge' },
      speaker.announced.map(({ service, ip }) => [{ service, protocol: 'layer2', node, ip }, '1']),
    ),
    ...renderMetric(
      { name: 'metallb_layer2_requests_received', help: 'ARP and NDP requests for an address.', kind: 'counter' },
      each(({ requests }) => requests),
    ),
    ...renderMetric(
      { name: 'metallb_layer2_responses_sent', help: 'Answers to them.', kind: 'counter' },
      each(({ responses }) => responses),
    ),
    ...renderMetric(
      {
        name: 'metallb_layer2_gratuitous_sent',
        help: 'Unasked frames that tell where an address is.',
        kind: 'counter',
      },
      each(({ gratuitous }) => gratuitous),
    ),
    ...renderMetric(
      { name: 'metallb_k8s_client_config_loaded_bool', help: '1 when a configuration is in force.', kind: 'gauge' },
      [[{}, loaded ? '1' : '0']],
    ),
    ...renderMetric(
      {
        name: 'metallb_k8s_client_config_stale_bool',
        help: '1 when the configuration in force is not the present one.',
        kind: 'gauge',
      },
      [[{}, stale ? '1' : '0']],
    ),
    '',
  ].join('\n');
}

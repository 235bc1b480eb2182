/** Owns the gateway's numbers and their Prometheus text form. Label values come from closed sets, so that clients cannot grow them. */
import type { AccessLog, AccessRecord } from '../proxy/access-log.ts';

export interface Metrics {
  observe(record: AccessRecord): void;
  /** An endpoint of this service (`namespace/name`) is left out for a while. Services with rules only: their number is the configuration's. */
  countEjection(service: string): void;
  /** Text exposition format 0.0.4. */
  render(): string;
}

export interface MetricsOptions {
  /** Values read when the text is rendered. */
  readonly gauges: () => Readonly<Record<string, number>>;
}

const BUCKETS_MS = [1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000];
const PREFIX = 'kfctl_gateway';

export function createMetrics({ gauges }: MetricsOptions): Metrics {
  const requests = new RequestCounters();
  const buckets = BUCKETS_MS.map(() => 0);
  const ejections = new Map<string, number>();
  const totals = { count: 0, durationMs: 0, received: 0, sent: 0 };
  return {
    observe(record) {
      requests.count(record);
      totals.count += 1;
      totals.durationMs += record.durationMs;
      totals.received += record.bytesReceived;
      totals.sent += record.bytesSent;
      const index = BUCKETS_MS.findIndex((bound) => record.durationMs <= bound);
      if (index >= 0) buckets[index] = (buckets[index] ?? 0) + 1;
    },
    countEjection: (service) => void ejections.set(service, (ejections.get(service) ?? 0) + 1),
    render: () =>
      [
        ...renderFamily(REQUESTS, requests.read()),
        ...renderHistogram(buckets, totals),
        ...renderFamily(RECEIVED, new Map([['', totals.received]])),
        ...renderFamily(SENT, new Map([['', totals.sent]])),
        ...renderFamily(EJECTIONS, new Map([...ejections].map(([name, count]) => [`service="${name}"`, count]))),
        ...Object.entries(gauges()).flatMap(([name, value]) =>
          renderFamily({ name, type: 'gauge', help: 'As of now.' }, new Map([['', value]])),
        ),
        '',
      ].join('\n'),
  };
}

const REQUESTS: Family = {
  name: 'requests_total',
  type: 'counter',
  help: 'Requests by protocol, status and Envoy response flags.',
};
const RECEIVED: Family = { name: 'received_bytes_total', type: 'counter', help: 'Bytes of request bodies.' };
const SENT: Family = { name: 'sent_bytes_total', type: 'counter', help: 'Bytes of response bodies.' };

const EJECTIONS: Family = {
  name: 'outlier_ejections_total',
  type: 'counter',
  help: 'Endpoints that failed too often and were left out for a while.',
};

/** An access log that counts each record, too. */
export function countingLog(log: AccessLog, metrics: Metrics): AccessLog {
  return {
    flush: () => log.flush(),
    write(record) {
      metrics.observe(record);
      log.write(record);
    },
  };
}

interface Counter {
  readonly labels: string;
  count: number;
}

/** Requests by labels, which are written out once for each combination, not for each request. */
class RequestCounters {
  readonly #counters = new Map<string, Map<number, Counter>>();

  count({ protocol, status, flags }: AccessRecord): void {
    const key = flags === '' ? protocol : `${protocol} ${flags}`;
    const counter = this.#counters.get(key)?.get(status);
    if (counter !== undefined) return void (counter.count += 1);
    const labels = `protocol="${protocol}",code="${status}",flags="${flags || '-'}"`;
    const byStatus = this.#counters.get(key) ?? new Map<number, Counter>();
    this.#counters.set(key, byStatus.set(status, { labels, count: 1 }));
  }

  read(): ReadonlyMap<string, number> {
    const all = [...this.#counters.values()].flatMap((byStatus) => [...byStatus.values()]);
    return new Map(all.map(({ labels, count }) => [labels, count]));
  }
}

interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
}

function renderFamily({ name, type, help }: Family, values: ReadonlyMap<string, number>): string[] {
  const full = `${PREFIX}_${name}`;
  const lines = [...values].map(([labels, value]) => `${full}${labels === '' ? '' : `{${labels}}`} ${value}`);
  return [`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`, ...lines];
}

function renderHistogram(buckets: readonly number[], totals: { count: number; durationMs: number }): string[] {
  const full = `${PREFIX}_request_duration_milliseconds`;
  let sum = 0;
  const lines = BUCKETS_MS.map((bound, index) => {
    sum += buckets[index] ?? 0;
    return `${full}_bucket{le="${bound}"} ${sum}`;
  });
  return [
    `# HELP ${full} From the request's head to the end of its answer.`,
    `# TYPE ${full} histogram`,
    ...lines,
    `${full}_bucket{le="+Inf"} ${totals.count}`,
    `${full}_sum ${totals.durationMs.toFixed(3)}`,
    `${full}_count ${totals.count}`,
  ];
}

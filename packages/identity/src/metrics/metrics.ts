/** Owns Prometheus metrics: the request counters that Dex has, in the text format, without a library. */
import type { HttpHandler, HttpResponse } from '@kfctl/http';
import { VERSION } from '../version.ts';

export interface Metrics {
  /** Counts and times a handler's requests under a name of ours, never under what a client sent. */
  observe(name: string, handler: HttpHandler): HttpHandler;
  /** Sets a number that goes up and down; the first call makes it. */
  gauge(name: string, help: string, value: number): void;
  /** Sets a number that only grows; the first call makes it. */
  counter(name: string, help: string, value: number): void;
  /** The text exposition format 0.0.4. */
  render(): string;
}

const BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'OPTIONS', 'PUT', 'DELETE', 'PATCH']);

interface Series {
  count: number;
  sumSeconds: number;
  sumBytes: number;
  /** Requests in each bucket alone; the text adds them up. */
  readonly buckets: number[];
}

export function createMetrics(): Metrics {
  const series = new Map<string, Series>();
  const numbers = new Map<string, readonly string[]>();
  const show =
    (type: string) =>
    (name: string, help: string, value: number): void =>
      void numbers.set(name, [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, `${name} ${value}`]);
  const record = (labels: string, seconds: number, bytes: number): void => {
    const entry = series.get(labels) ?? { count: 0, sumSeconds: 0, sumBytes: 0, buckets: BUCKETS_SECONDS.map(() => 0) };
    entry.count += 1;
    entry.sumSeconds += seconds;
    entry.sumBytes += bytes;
    const bucket = BUCKETS_SECONDS.findIndex((limit) => seconds <= limit);
    if (bucket >= 0) entry.buckets[bucket] = (entry.buckets[bucket] ?? 0) + 1;
    if (entry.count === 1) series.set(labels, entry);
  };
  return {
    observe: (name, handler) => async (request) => {
      const start = performance.now();
      const response = await handler(request);
      const method = METHODS.has(request.method) ? request.method.toLowerCase() : 'other';
      const labels = `code="${response.status}",handler="${name}",method="${method}"`;
      record(labels, (performance.now() - start) / 1000, bytesOf(response));
      return response;
    },
    gauge: show('gauge'),
    counter: show('counter'),
    render: () =>
      [
        ...renderCounters(series),
        ...renderHistogram(series),
        ...renderSizes(series),
        ...BUILD,
        ...[...numbers.values()].flat(),
        '',
      ].join('\n'),
  };
}

const BUILD = [
  '# HELP dex_build_info What is running; the name is the one that dashboards look for.',
  '# TYPE dex_build_info gauge',
  `dex_build_info{version="${VERSION}",runtime="node ${process.version}"} 1`,
];

/** Pages and JSON are nearly ASCII: the characters are near enough the bytes. */
function bytesOf({ body }: HttpResponse): number {
  return typeof body === 'string' || Buffer.isBuffer(body) ? body.length : 0;
}

function renderSizes(series: ReadonlyMap<string, Series>): string[] {
  const lines = [...series].flatMap(([labels, { count, sumBytes }]) => [
    `response_size_bytes_sum{${labels}} ${sumBytes}`,
    `response_size_bytes_count{${labels}} ${count}`,
  ]);
  return ['# HELP response_size_bytes Sizes of answers.', '# TYPE response_size_bytes summary', ...lines];
}

function renderCounters(series: ReadonlyMap<string, Series>): string[] {
  const lines = [...series].map(([labels, { count }]) => `http_requests_total{${labels}} ${count}`);
  return ['# HELP http_requests_total Count of all HTTP requests.', '# TYPE http_requests_total counter', ...lines];
}

function renderHistogram(series: ReadonlyMap<string, Series>): string[] {
  const lines = [...series].flatMap(([labels, { count, sumSeconds, buckets }]) => [
    ...BUCKETS_SECONDS.map((limit, index) => {
      const upTo = buckets.slice(0, index + 1).reduce((sum, requests) => sum + requests, 0);
      return `request_duration_seconds_bucket{${labels},le="${limit}"} ${upTo}`;
    }),
    `request_duration_seconds_bucket{${labels},le="+Inf"} ${count}`,
    `request_duration_seconds_sum{${labels}} ${sumSeconds.toFixed(6)}`,
    `request_duration_seconds_count{${labels}} ${count}`,
  ]);
  return [
    '# HELP request_duration_seconds Time until the answer is ready.',
    '# TYPE request_duration_seconds histogram',
    ...lines,
  ];
}

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
const OTHER = 'other';

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
  const open = (name: string, method: string, status: number): Series => {
    const labels = `code="${status}",handler="${name}",method="${method.toLowerCase()}"`;
    const entry = series.get(labels) ?? { count: 0, sumSeconds: 0, sumBytes: 0, buckets: BUCKETS_SECONDS.map(() => 0) };
    series.set(labels, entry);
    return entry;
  };
  return {
    observe: (name, handler) => {
      const find = createFinder((method, status) => open(name, method, status));
      return async (request) => {
        const start = performance.now();
        const response = await handler(request);
        const entry = find(METHODS.has(request.method) ? request.method : OTHER, response.status);
        record(entry, (performance.now() - start) / 1000, bytesOf(response));
        return response;
      };
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

function record(entry: Series, seconds: number, bytes: number): void {
  entry.count += 1;
  entry.sumSeconds += seconds;
  entry.sumBytes += bytes;
  const bucket = BUCKETS_SECONDS.findIndex((limit) => seconds <= limit);
  if (bucket >= 0) entry.buckets[bucket] = (entry.buckets[bucket] ?? 0) + 1;
}

/** Remembers what was made for a method and a status: the label text of each request need not be put together and looked up. */
function createFinder<T>(make: (method: string, status: number) => T): (method: string, status: number) => T {
  const byMethod = new Map<string, Map<number, T>>();
  return (method, status) => {
    const known = byMethod.get(method)?.get(status);
    if (known !== undefined) return known;
    const made = make(method, status);
    const byStatus = byMethod.get(method) ?? new Map<number, T>();
    byMethod.set(method, byStatus.set(status, made));
    return made;
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

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from './metrics.ts';

test('requests are counted by protocol, status and flags, durations in cumulative buckets', () => {
  const metrics = createMetrics({ gauges: () => ({ open_connections: 3 }) });
  const record = {
    startedAtMs: 0,
    method: 'GET',
    target: '/',
    protocol: 'HTTP/2',
    status: 200,
    flags: '',
    bytesReceived: 1,
    bytesSent: 10,
    durationMs: 7,
    upstreamMs: undefined,
    forwardedFor: '',
    requestId: '',
    upstreamHost: undefined,
    traceId: undefined,
    head: undefined,
  };
  metrics.observe(record);
  metrics.observe({ ...record, status: 503, flags: 'UH', durationMs: 70_000 });
  const text = metrics.render();
  for (const line of [
    'kfctl_gateway_requests_total{protocol="HTTP/2",code="200",flags="-"} 1',
    'kfctl_gateway_requests_total{protocol="HTTP/2",code="503",flags="UH"} 1',
    'kfctl_gateway_request_duration_milliseconds_bucket{le="5"} 0',
    'kfctl_gateway_request_duration_milliseconds_bucket{le="10"} 1',
    'kfctl_gateway_request_duration_milliseconds_bucket{le="60000"} 1',
    'kfctl_gateway_request_duration_milliseconds_bucket{le="+Inf"} 2',
    'kfctl_gateway_sent_bytes_total 20',
    'kfctl_gateway_open_connections 3',
  ]) {
    assert.ok(text.includes(`${line}\n`), line);
  }
});

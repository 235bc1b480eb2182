/** Owns the `web` and `telemetry` sections. */
import type { TelemetryConfig, WebConfig } from './config.ts';
import { listenAddress } from './listen-address.ts';
import { object } from './object-shape.ts';
import { boolean, listOf, mapped, oneOf, refine, string } from './shape.ts';
import type { Shape } from './shape.ts';

const TLS_VERSIONS = { values: ['1.2', '1.3'] } as const;

interface SecurityHeaders {
  readonly 'Content-Security-Policy': string;
  readonly 'X-Frame-Options': string;
  readonly 'X-Content-Type-Options': string;
  readonly 'X-XSS-Protection': string;
  readonly 'Strict-Transport-Security': string;
}

const headers: Shape<SecurityHeaders> = object('Security headers of every response; they replace the built-in ones.', {
  'Content-Security-Policy': string('Replaces the strict built-in policy of pages.'),
  'X-Frame-Options': string('DENY is built in.'),
  'X-Content-Type-Options': string('nosniff is built in.'),
  'X-XSS-Protection': string('Obsolete in browsers.'),
  'Strict-Transport-Security': string('For example max-age=31536000; includeSubDomains.'),
});

const section = object('Where and how the provider is served.', {
  http: listenAddress('Plain HTTP listener, for example 0.0.0.0:5556.', 'web-http-addr'),
  https: listenAddress('HTTPS listener; needs tlsCert and tlsKey.', 'web-https-addr'),
  tlsCert: string('Certificate chain file (PEM); read again when it changes.'),
  tlsKey: string('Private key file (PEM).'),
  tlsMinVersion: oneOf('Oldest TLS version accepted.', { ...TLS_VERSIONS, fallback: '1.2' }),
  tlsMaxVersion: oneOf('Newest TLS version accepted.', { ...TLS_VERSIONS, fallback: '1.3' }),
  headers,
  allowedOrigins: listOf(
    'Origins that may read discovery, keys, tokens and userinfo from scripts (CORS); "*" for all.',
    string('An origin.'),
  ),
  allowedHeaders: listOf('Request headers that such scripts may send.', string('A header name.'), ['Authorization']),
  clientRemoteIP: object('Where the address of a client is found behind proxies.', {
    header: string('For example X-Forwarded-For.'),
    trustedProxies: listOf(
      'Networks (CIDR) whose word about the header is taken.',
      string('A network such as 10.0.0.0/8.'),
    ),
  }),
});

const checked = refine(section, (web, complain) => {
  if (web.http === undefined && web.https === undefined) {
    complain('', 'has neither http nor https', 'Set web.http, for example to 0.0.0.0:5556.');
  }
  if (web.https !== undefined && web.tlsCert === '') {
    complain('tlsCert', 'is required with https', 'Name the certificate file.');
  }
  if (web.https !== undefined && web.tlsKey === '') complain('tlsKey', 'is required with https', 'Name the key file.');
  if (web.tlsMinVersion > web.tlsMaxVersion) {
    complain('tlsMinVersion', 'is above tlsMaxVersion', 'Swap or remove one of them.');
  }
});

export const webSection: Shape<WebConfig> = mapped(checked, (web) => ({ ...web, headers: givenHeaders(web.headers) }));

export const telemetrySection: Shape<TelemetryConfig> = object('Health and metrics, apart from the provider.', {
  http: listenAddress(
    'Listener of /healthz, /healthz/live, /healthz/ready and /metrics, for example 0.0.0.0:5558.',
    'telemetry-addr',
  ),
  enableProfiling: boolean('Accepted for compatibility; there is no Go profiler here.'),
});

function givenHeaders(headers: SecurityHeaders): Readonly<Record<string, string>> {
  const given = Object.entries(headers).filter(([, value]) => value !== '');
  return Object.fromEntries(given.map(([name, value]) => [name.toLowerCase(), value]));
}

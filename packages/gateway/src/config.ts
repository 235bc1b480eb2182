/** Owns the gateway's settings: environment in, frozen Config out. */
import { createEnvReader } from '@kfctl/core';
import type { Environment, EnvReader } from '@kfctl/core';
import type { SecretKey } from './session/session-keys.ts';

export interface Config {
  /** Port that Gateway objects name -> port to listen on. */
  readonly listenPorts: ReadonlyMap<number, number>;
  readonly host: string;
  readonly healthPort: number;
  readonly namespace: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly podName: string;
  /** The gateway's SPIFFE identity, by which policies of destinations know it. */
  readonly principal: string;
  /** In-process session check; undefined: the AuthService is asked about every request. */
  readonly sessionCheck: SessionCheckConfig | undefined;
  readonly maxConnections: number;
  /** How long the head of a request may take. */
  readonly headTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly drainMs: number;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly accessLog: boolean;
  readonly accessLogTraceId: boolean;
}

export interface SessionCheckConfig {
  /** The provider of CUSTOM policies that is our AuthService. */
  readonly provider: string;
  readonly sessionKey: SecretKey;
  readonly assertionKey: SecretKey;
}

/** Reads the settings; throws one `CONFIG_INVALID` that lists every mistake. */
export function readConfig(env: Environment): Config {
  const reader = createEnvReader(env);
  const namespace = reader.string('POD_NAMESPACE', 'istio-system');
  const account = reader.string('SERVICE_ACCOUNT', 'istio-ingressgateway-service-account');
  const config: Config = {
    listenPorts: readPorts(reader),
    host: reader.string('LISTEN_HOST', '0.0.0.0'),
    healthPort: reader.integer('HEALTH_PORT', { fallback: 15_021, min: 0, max: 65_535 }),
    namespace,
    principal: `${reader.string('TRUST_DOMAIN', 'cluster.local')}/ns/${namespace}/sa/${account}`,
    labels: readLabels(reader),
    podName: reader.string('POD_NAME', 'istio-ingressgateway'),
    sessionCheck: readSessionCheck(reader),
    maxConnections: reader.integer('MAX_CONNECTIONS', { fallback: 10_000, min: 1, max: 1_000_000 }),
    headTimeoutMs: reader.durationMs('REQUEST_HEADERS_TIMEOUT', 15_000),
    idleTimeoutMs: reader.durationMs('STREAM_IDLE_TIMEOUT', 300_000),
    drainMs: reader.durationMs('DRAIN_TIMEOUT', 5_000),
    logLevel: readLevel(reader),
    accessLog: reader.boolean('ACCESS_LOG', true),
    accessLogTraceId: reader.boolean('ACCESS_LOG_TRACE_ID', false),
  };
  reader.finish();
  return Object.freeze(config);
}

function readPorts(reader: EnvReader): ReadonlyMap<number, number> {
  const ports = new Map<number, number>();
  for (const item of reader.list('LISTEN_PORTS', ['80=8080', '443=8443'])) {
    const [port, listenPort] = item.split('=').map(Number);
    if (!isPort(port) || !(isPort(listenPort) || listenPort === 0)) {
      reader.problem('LISTEN_PORTS', `"${item}" is not of the form 443=8443`);
    } else ports.set(port, listenPort);
  }
  return ports;
}

function isPort(value: number | undefined): value is number {
  return value !== undefined && Number.isInteger(value) && value > 0 && value <= 65_535;
}

/** The AuthService's Secrets, by the names that its manifests give them. */
function readSessionCheck(reader: EnvReader): SessionCheckConfig | undefined {
  if (!reader.boolean('SESSION_CHECK', true)) return undefined;
  return {
    provider: reader.string('SESSION_CHECK_PROVIDER', 'authservice'),
    sessionKey: readSecretKey(reader, 'SESSION_KEY_SECRET', 'authservice/session-key'),
    assertionKey: readSecretKey(reader, 'ASSERTION_KEY_SECRET', 'identity-assertion/key'),
  };
}

function readSecretKey(reader: EnvReader, setting: string, fallback: string): SecretKey {
  const text = reader.string(setting, fallback);
  const [name = '', key = '', ...rest] = text.split('/');
  if (name === '' || key === '' || rest.length > 0) reader.problem(setting, `"${text}" is not of the form name/key`);
  return { name, key };
}

function readLabels(reader: EnvReader): ReadonlyMap<string, string> {
  const labels = new Map<string, string>();
  for (const item of reader.list('GATEWAY_LABELS', ['istio=ingressgateway'])) {
    const [key = '', value] = item.split('=');
    if (key === '' || value === undefined) reader.problem('GATEWAY_LABELS', `"${item}" is not of the form key=value`);
    else labels.set(key, value);
  }
  return labels;
}

function readLevel(reader: EnvReader): Config['logLevel'] {
  const level = reader.string('LOG_LEVEL', 'info');
  if (level === 'debug' || level === 'info' || level === 'warn' || level === 'error') return level;
  reader.problem('LOG_LEVEL', `"${level}" is not one of debug, info, warn, error`);
  return 'info';
}

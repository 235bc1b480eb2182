/** Owns reading of what a VirtualService rule does with a request: forward, redirect or answer. */
import { parseCorsPolicy } from './cors-policy.ts';
import type { CorsPolicy } from './cors-policy.ts';
import { parseFault } from './fault.ts';
import type { Fault } from './fault.ts';
import { parseHeaderOperations } from './header-operations.ts';
import type { HeaderOperations } from './header-operations.ts';
import type { Fields } from './fields.ts';
import { parseMirrors } from './mirror.ts';
import type { Mirror } from './mirror.ts';
import { parseRetryPolicy } from './retry-policy.ts';
import type { RetryPolicy } from './retry-policy.ts';
import { compileLinearPattern } from '../match/linear-pattern.ts';

export type RouteAction = ForwardAction | RedirectAction | DirectAction;

export interface ForwardAction extends ForwardSettings {
  readonly kind: 'forward';
  readonly destinations: readonly Destination[];
  readonly totalWeight: number;
}

/** How a rule forwards, wherever to. */
export interface ForwardSettings {
  readonly rewrite: Rewrite;
  /** 0 means none. */
  readonly timeoutMs: number;
  readonly retries: RetryPolicy;
  readonly headers: HeaderOperations;
  readonly cors: CorsPolicy | undefined;
  readonly fault: Fault | undefined;
  readonly mirrors: readonly Mirror[];
}

export interface Destination {
  readonly host: string;
  readonly port: number | undefined;
  readonly subset: string | undefined;
  /** The VirtualService's namespace, in which short host names are resolved. */
  readonly namespace: string;
  readonly weight: number;
  readonly headers: HeaderOperations;
}

export interface Rewrite {
  readonly uri: string | undefined;
  readonly authority: string | undefined;
  readonly regex: { readonly pattern: RegExp; readonly replacement: string } | undefined;
}

export interface RedirectAction {
  readonly kind: 'redirect';
  readonly uri: string | undefined;
  readonly authority: string | undefined;
  readonly scheme: 'http' | 'https' | undefined;
  /** `request`: the port of the Gateway that the request came to. */
  readonly port: number | 'request' | undefined;
  readonly status: number;
}

export interface DirectAction {
  readonly kind: 'direct';
  readonly status: number;
  readonly body: Buffer;
  readonly headers: HeaderOperations;
}

const PORT = { min: 1, max: 65_535 };
const REDIRECTS = [301, 302, 303, 307, 308];

/** The action of one rule; undefined when it has none that can be used (a problem says why). */
export function parseRouteAction(rule: Fields, namespace: string): RouteAction | undefined {
  const kinds = ['route', 'redirect', 'directResponse'].filter((name) => rule.has(name));
  if (kinds.length !== 1) {
    rule.problem('route', 'exactly one of route, redirect and directResponse is needed');
    return undefined;
  }
  const redirect = rule.child('redirect');
  if (redirect !== undefined) return parseRedirect(redirect);
  const direct = rule.child('directResponse');
  if (direct !== undefined) return parseDirect(direct, parseHeaderOperations(rule.child('headers')));
  return parseForward(rule, namespace);
}

function parseForward(rule: Fields, namespace: string): ForwardAction {
  const destinations = (rule.children('route') ?? []).map((fields) => parseDestination(fields, namespace));
  const explicit = destinations.reduce((sum, destination) => sum + destination.weight, 0);
  if (destinations.length === 0) rule.problem('route', 'has no destination');
  // One destination takes everything, whatever its weight.
  if (destinations.length > 1 && explicit === 0) rule.problem('route', 'has no destination with a weight');
  return { kind: 'forward', destinations, totalWeight: explicit, ...parseForwardSettings(rule, namespace) };
}

/** `namespace` is where short host names are looked up. */
export function parseForwardSettings(rule: Fields, namespace: string): ForwardSettings {
  return {
    rewrite: parseRewrite(rule.child('rewrite')),
    timeoutMs: rule.durationMs('timeout') ?? 0,
    retries: parseRetryPolicy(rule.child('retries')),
    headers: parseHeaderOperations(rule.child('headers')),
    cors: parseCorsPolicy(rule.child('corsPolicy')),
    fault: parseFault(rule.child('fault')),
    mirrors: parseMirrors(rule, namespace),
  };
}

function parseDestination(fields: Fields, namespace: string): Destination {
  const target = fields.child('destination');
  if (target === undefined) fields.problem('destination', 'is required');
  const port = target?.child('port');
  const destination: Destination = {
    host: target?.requiredString('host').toLowerCase() ?? '',
    port: port?.integer('number', PORT),
    subset: target?.string('subset'),
    namespace,
    weight: fields.integer('weight', { min: 0, max: 1_000_000 }) ?? 0,
    headers: parseHeaderOperations(fields.child('headers')),
  };
  port?.done();
  target?.done();
  fields.done();
  return destination;
}

function parseRewrite(fields: Fields | undefined): Rewrite {
  if (fields === undefined) return { uri: undefined, authority: undefined, regex: undefined };
  const uri = fields.string('uri');
  if (uri !== undefined && !isPathText(uri)) fields.problem('uri', 'is not a path');
  const authority = fields.string('authority');
  const regex = parseRegexRewrite(fields.child('uriRegexRewrite'));
  fields.done();
  return { uri, authority, regex };
}

function parseRegexRewrite(fields: Fields | undefined): Rewrite['regex'] {
  if (fields === undefined) return undefined;
  const text = fields.requiredString('match');
  const replacement = fields.string('rewrite') ?? '';
  fields.done();
  try {
    // Unlike matches, a rewrite replaces every occurrence (Envoy's regex_rewrite).
    const whole = compileLinearPattern(text);
    return {
      pattern: new RegExp(text, whole.flags + 'g'),
      replacement: replacement.replaceAll('$', '$$$$').replaceAll(/\\(\d)/g, '$$$1'),
    };
  } catch (error) {
    fields.problem('match', `cannot be used: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

function parseRedirect(fields: Fields): RedirectAction {
  const scheme = fields.string('scheme');
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') fields.problem('scheme', 'is not http or https');
  const action: RedirectAction = {
    kind: 'redirect',
    uri: fields.string('uri'),
    authority: fields.string('authority'),
    scheme: scheme === 'http' || scheme === 'https' ? scheme : undefined,
    port: parseRedirectPort(fields),
    status: fields.integer('redirectCode', { min: 301, max: 308 }) ?? 301,
  };
  if (!REDIRECTS.includes(action.status)) fields.problem('redirectCode', `is none of ${REDIRECTS.join(', ')}`);
  if (action.uri !== undefined && !isPathText(action.uri)) fields.problem('uri', 'is not a path');
  fields.done();
  return action;
}

/** `port`, or where to take it from: nothing for the protocol's own. */
function parseRedirectPort(fields: Fields): RedirectAction['port'] {
  const port = fields.integer('port', PORT);
  const derived = fields.string('derivePort');
  if (derived === undefined) return port;
  if (port !== undefined) fields.problem('derivePort', 'excludes port');
  if (derived === 'FROM_REQUEST_PORT') return 'request';
  if (derived !== 'FROM_PROTOCOL_DEFAULT') fields.problem('derivePort', `"${derived}" is not known`);
  return undefined;
}

function parseDirect(fields: Fields, headers: HeaderOperations): DirectAction {
  const status = fields.integer('status', { min: 200, max: 599 });
  if (status === undefined) fields.problem('status', 'is required');
  const body = fields.child('body');
  const text = body?.string('string');
  const bytes = body?.string('bytes');
  body?.done();
  fields.done();
  return {
    kind: 'direct',
    status: status ?? 500,
    body: Buffer.from(bytes ?? text ?? '', bytes ? 'base64' : 'utf8'),
    headers,
  };
}

/** Visible ASCII without `#`: what may stand in a request target. */
function isPathText(text: string): boolean {
  return /^[\x21\x22\x24-\x7e]*$/.test(text);
}

/** Owns the question to an external authorizer over HTTP, as Envoy asks it. Every doubt is a no. */
import { findField } from '@kfctl/http';
import type { FieldList } from '@kfctl/http';
import type { ExternalAuthorizer } from '../istio/mesh-config.ts';
import type { RequestHead } from '../request/request-head.ts';
import type { Cluster } from '../upstream/cluster/cluster.ts';
import type { BalancedRequest } from '../upstream/cluster/hash-key.ts';
import type { UpstreamAddress, UpstreamFailure, UpstreamHead } from '../upstream/upstream.ts';
import type { FindAuthorizer } from './authorizer-cluster.ts';
import { matchesHeaderPattern } from './header-patterns.ts';

export type CheckResult =
  | {
      readonly kind: 'allowed';
      readonly set: FieldList;
      readonly remove: readonly string[];
      readonly respond: FieldList;
    }
  | { readonly kind: 'denied'; readonly status: number; readonly fields: string[]; readonly body: Buffer }
  /** No answer that can be relied on. */
  | { readonly kind: 'failed'; readonly status: number; readonly detail: string };

export interface CheckRequest {
  readonly head: RequestHead;
  readonly client: BalancedRequest['client'];
  /** What the gateway states about the client: x-forwarded-for, -proto, -host, x-request-id. */
  readonly forwarded: FieldList;
  /** Gets the answer, once. */
  readonly onResult: (result: CheckResult) => void;
}

const MAX_BODY_BYTES = 65_536;
/** Envoy adds these to whatever list the provider has. */
const ALWAYS_ON_DENY = ['location', 'www-authenticate', 'content-type'];
const NEVER_DOWNSTREAM = new Set([
  'content-length',
  'server',
  'x-envoy-upstream-service-time',
  'x-envoy-auth-headers-to-remove',
]);
/** What a balancer would tell the client: the answer is the application's. */
const NOBODY: BalancedRequest['answer'] = { addFields: () => undefined };
const NEVER_UPSTREAM = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'upgrade',
  'te',
  'path',
  'date',
  'server',
  'x-envoy-auth-headers-to-remove',
]);

/** Asks; the returned function gives the question up (the client went away). */
export function askAuthorizer(authorizer: ExternalAuthorizer, check: CheckRequest, find: FindAuthorizer): () => void {
  return new Question(authorizer, check).ask(find(authorizer));
}

class Question {
  readonly #authorizer: ExternalAuthorizer;
  readonly #check: CheckRequest;
  readonly #chunks: Buffer[] = [];
  #size = 0;
  #head: UpstreamHead | undefined;
  #answered = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #tried: UpstreamAddress[] = [];
  #abort: () => void = () => undefined;

  constructor(authorizer: ExternalAuthorizer, check: CheckRequest) {
    this.#authorizer = authorizer;
    this.#check = check;
  }

  ask(cluster: Cluster | undefined): () => void {
    this.#timer = setTimeout(() => this.#fail('timeout'), this.#authorizer.timeoutMs);
    if (cluster === undefined) this.#fail('no such authorizer');
    else this.#send(cluster);
    return () => this.#settle(undefined);
  }

  #send(cluster: Cluster): void {
    const { head, client } = this.#check;
    const address = cluster.pick({ head, client, answer: NOBODY }, { addresses: this.#tried, areAvoided: true });
    if (address === undefined) return this.#fail('no ready authorizer');
    const isRetry = this.#tried.length > 0;
    this.#tried.push(address);
    const exchange = cluster.send(
      { address, isRetry },
      {
        method: head.method,
        target: `${this.#authorizer.pathPrefix}${head.path}${head.query}`,
        authority: head.authority,
        fields: checkFields(this.#authorizer, this.#check),
        body: { kind: 'none' },
        webSocket: false,
        isGrpc: false,
        clientIsHttp2: false,
      },
      {
        onHead: (answer) => void (this.#head = answer),
        onData: (chunk) => this.#collect(chunk),
        onEnd: () => this.#finish(),
        onUpgrade: (_head, stream) => {
          stream.destroy();
          this.#fail('unexpected upgrade');
        },
        onFailure: (failure) => {
          if (!isRetry && canRetry(failure)) this.#send(cluster);
          else this.#fail(`${failure.kind}: ${failure.detail}`);
        },
      },
    );
    this.#abort = () => exchange.abort();
  }

  #collect(chunk: Buffer): boolean {
    this.#size += chunk.length;
    if (this.#size <= MAX_BODY_BYTES) this.#chunks.push(Buffer.from(chunk));
    else this.#fail('answer too large');
    return true;
  }

  #finish(): void {
    const head = this.#head;
    if (head === undefined) return this.#fail('no answer');
    // Envoy's rule: 200 alone opens the door, 5xx is an authorizer in trouble, anything else is its refusal.
    if (head.status >= 500) return this.#fail(`status ${head.status}`);
    if (head.status === 200) return this.#settle(allowed(this.#authorizer, head));
    const fields = denyFields(this.#authorizer, head.fields);
    this.#settle({ kind: 'denied', status: head.status, fields, body: Buffer.concat(this.#chunks) });
  }

  #fail(detail: string): void {
    this.#settle({ kind: 'failed', status: this.#authorizer.statusOnError, detail });
  }

  #settle(result: CheckResult | undefined): void {
    if (this.#answered) return;
    this.#answered = true;
    clearTimeout(this.#timer);
    this.#abort();
    if (result !== undefined) this.#check.onResult(result);
  }
}

/** A check changes nothing, so it may be asked again when the connection was dead or never came to be. */
function canRetry(failure: UpstreamFailure): boolean {
  return failure.kind === 'connect' || (failure.kind === 'reset' && failure.reused);
}

function checkFields(
  { checkHeaders, additionalCheckHeaders }: ExternalAuthorizer,
  { head, forwarded }: CheckRequest,
): string[] {
  const fields = [...forwarded];
  for (let index = 0; index < head.fields.length; index += 2) {
    const name = head.fields[index] ?? '';
    if (matchesHeaderPattern(checkHeaders, name)) fields.push(name, head.fields[index + 1] ?? '');
  }
  // Authorizers answer a WebSocket with 401 where a page would get the login.
  if (head.webSocket && matchesHeaderPattern(checkHeaders, 'upgrade')) fields.push('upgrade', 'websocket');
  for (const [name, value] of additionalCheckHeaders) fields.push(name, value);
  return fields;
}

/** Whether a yes may set this header of the request. */
export function maySetUpstream({ upstreamHeaders }: ExternalAuthorizer, name: string): boolean {
  return matchesHeaderPattern(upstreamHeaders, name) && !NEVER_UPSTREAM.has(name);
}

function allowed(authorizer: ExternalAuthorizer, head: UpstreamHead): CheckResult {
  const set = selectFields(head.fields, (name) => maySetUpstream(authorizer, name));
  const names = set.filter((_, index) => index % 2 === 0);
  // Two identities are none.
  if (new Set(names).size !== names.length) {
    return { kind: 'failed', status: authorizer.statusOnError, detail: 'a header for the request came twice' };
  }
  const remove = findField(head.fields, 'x-envoy-auth-headers-to-remove') ?? '';
  const respond = selectFields(
    head.fields,
    (name) => matchesHeaderPattern(authorizer.allowHeaders, name) && !NEVER_DOWNSTREAM.has(name),
  );
  return {
    kind: 'allowed',
    set,
    remove: remove
      .toLowerCase()
      .split(',')
      .map((name) => name.trim()),
    respond,
  };
}

function denyFields({ denyHeaders }: ExternalAuthorizer, fields: FieldList): string[] {
  return selectFields(fields, (name) => {
    if (NEVER_DOWNSTREAM.has(name)) return false;
    return denyHeaders === undefined || ALWAYS_ON_DENY.includes(name) || matchesHeaderPattern(denyHeaders, name);
  });
}

function selectFields(fields: FieldList, keep: (name: string) => boolean): string[] {
  const kept: string[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? '';
    if (keep(name)) kept.push(name, fields[index + 1] ?? '');
  }
  return kept;
}

/** Owns what of a request decides its endpoint under consistent hashing, and the cookie that makes it decidable. */
import { findField } from '@kfctl/http';
import type { FieldList } from '@kfctl/http';
import type { HashKey } from '../../istio/traffic-policy/load-balancer.ts';
import { hashText } from './host.ts';

// Not `import`: see proxy/request-flow.ts.
const { randomBytes } = process.getBuiltinModule('node:crypto');

/** What a balancer may look at, and how it may tell the client. */
export interface BalancedRequest {
  readonly head: { readonly fields: FieldList; readonly query: string };
  readonly client: { readonly remoteIp: string; readonly proto: 'http' | 'https' };
  readonly answer: { addFields(fields: FieldList): void };
}

/** The hash that stands for the request; undefined when it has nothing of the kind. Without `mayGive` no cookie is made for it. */
export function readHashKey(key: HashKey, request: BalancedRequest, mayGive: boolean): number | undefined {
  const text = readText(key, request, mayGive);
  return text === undefined ? undefined : hashText(text);
}

function readText(key: HashKey, request: BalancedRequest, mayGive: boolean): string | undefined {
  switch (key.kind) {
    case 'header':
      return findField(request.head.fields, key.name);
    case 'query':
      return new URLSearchParams(request.head.query).get(key.name) ?? undefined;
    case 'source-ip':
      return request.client.remoteIp;
    case 'cookie':
      return (
        readCookie(findField(request.head.fields, 'cookie'), key.name) ??
        (mayGive ? giveCookie(key, request) : undefined)
      );
  }
}

function readCookie(cookies: string | undefined, name: string): string | undefined {
  const prefix = `${name}=`;
  const found = cookies
    ?.split(';')
    .map((item) => item.trim())
    .find((item) => item.startsWith(prefix));
  return found?.slice(prefix.length);
}

function giveCookie(key: HashKey & { kind: 'cookie' }, { client, answer }: BalancedRequest): string | undefined {
  if (key.ttlSeconds === undefined) return undefined;
  const value = randomBytes(12).toString('hex');
  const lifetime = key.ttlSeconds > 0 ? `; Max-Age=${key.ttlSeconds}` : '';
  const secure = client.proto === 'https' ? '; Secure' : '';
  answer.addFields([
    'set-cookie',
    `${key.name}=${value}; Path=${key.path}${lifetime}; HttpOnly; SameSite=Lax${secure}`,
  ]);
  return value;
}

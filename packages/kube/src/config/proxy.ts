/** Owns the choice of an HTTP proxy: the kubeconfig's `proxy-url`, else HTTPS_PROXY unless NO_PROXY names the server. */
import { BlockList, isIP } from 'node:net';
import { AppError } from '@kfctl/core';
import type { Environment } from '@kfctl/core';

/** The proxy's URL for a server, or undefined for a direct connection. */
export function chooseProxy(server: string, configured: string | undefined, env: Environment): string | undefined {
  const url = new URL(server);
  if (configured !== undefined) return requireProxy(configured, 'proxy-url of the kubeconfig');
  const variable = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const named = env[variable.toLowerCase()] || env[variable];
  if (!named || isExempt(url, env['no_proxy'] || env['NO_PROXY'] || '')) return undefined;
  return requireProxy(named, variable);
}

function requireProxy(text: string, what: string): string {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:')) return url.href;
  throw new AppError('KUBECONFIG_INVALID', `${what} is not a proxy that can be used here`, {
    hint: 'Use an http:// or https:// proxy; SOCKS is not supported.',
  });
}

/** Go's rules: loopback is never proxied; `*`, suffixes (`.corp`, `corp`), addresses, CIDR blocks, each with an optional port. */
function isExempt(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  if (host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))) return true;
  return list
    .split(',')
    .map((item) => item.trim().toLowerCase())
    .some((item) => item !== '' && matches(item, host, port));
}

function matches(item: string, host: string, port: string): boolean {
  if (item === '*') return true;
  if (item.includes('/')) return isInBlock(item, host);
  const [, pattern = item, itemPort] = /^(?:\[([^\]]+)\]|[^:]+)(?::(\d+))?$/.exec(item) ?? [];
  if (itemPort !== undefined && itemPort !== port) return false;
  const name = (pattern === item && itemPort !== undefined ? item.slice(0, item.lastIndexOf(':')) : pattern).replace(
    /^\*?\./,
    '.',
  );
  if (isIP(host) !== 0) return host === name;
  return name.startsWith('.') ? host.endsWith(name) : host === name || host.endsWith(`.${name}`);
}

function isInBlock(block: string, host: string): boolean {
  const family = isIP(host);
  const [network = '', bits] = block.split('/');
  if (family === 0 || isIP(network) !== family) return false;
  const prefix = Number(bits);
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > (family === 4 ? 32 : 128)) return false;
  const blocks = new BlockList();
  const name = family === 4 ? 'ipv4' : 'ipv6';
  blocks.addSubnet(network, prefix, name);
  return blocks.check(host, name);
}

/** Owns `host:port` of listeners, as Go's net package reads it, and the options of the command line that replace them. */
import type { Environment } from '@kfctl/core';
import type { ListenAddress } from './config.ts';
import { report, string } from './shape.ts';
import type { ReadContext, Shape } from './shape.ts';
import { isNull } from './yaml-tree.ts';
import type { YamlNode } from './yaml-tree.ts';

/** Dex's options of `serve`, as its charts pass them. Inside they travel as variables, to where the file is read, and again when it changes. */
const OPTIONS = {
  'web-http-addr': 'IDENTITY_WEB_HTTP_ADDR',
  'web-https-addr': 'IDENTITY_WEB_HTTPS_ADDR',
  'telemetry-addr': 'IDENTITY_TELEMETRY_ADDR',
  'grpc-addr': 'IDENTITY_GRPC_ADDR',
} as const;

type OptionName = keyof typeof OPTIONS;

/** For parseArgs. */
export const ADDRESS_OPTIONS: Readonly<Record<string, { readonly type: 'string' }>> = Object.fromEntries(
  Object.keys(OPTIONS).map((name) => [name, { type: 'string' }]),
);

/** The given ones as variables. */
export function addressesFrom(values: Readonly<Record<string, unknown>>): Environment {
  const given = Object.entries(OPTIONS).map(([name, variable]) => [variable, values[name]] as const);
  return Object.fromEntries(given.filter((pair): pair is [(typeof pair)[0], string] => typeof pair[1] === 'string'));
}

/** `0.0.0.0:5556`, `:5556`, `[::1]:5556`; undefined when absent. An empty host is the wildcard. */
export function listenAddress(summary: string, option: OptionName): Shape<ListenAddress | undefined> {
  const inner = string(summary);
  return {
    ...inner,
    kind: 'host:port',
    read: (node, context) => {
      const replaced = context.env[OPTIONS[option]];
      if (replaced !== undefined) return parse(replaced) ?? refuse(node, context, `is not host:port in --${option}`);
      if (isNull(node)) return undefined;
      return parse(inner.read(node, context)) ?? refuse(node, context, 'is not host:port');
    },
  };
}

function parse(text: string): ListenAddress | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  return match === null || port > 65_535 ? undefined : { host: match[1] ?? match[2] ?? '', port };
}

function refuse(node: YamlNode | undefined, context: ReadContext, message: string): undefined {
  report(context, node, { message, hint: 'Write for example 0.0.0.0:5556.' });
}

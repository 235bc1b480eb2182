/** Owns `host:port` of listeners, as Go's net package reads it. */
import type { ListenAddress } from './config.ts';
import { report, string } from './shape.ts';
import type { Shape } from './shape.ts';
import { isNull } from './yaml-tree.ts';

/** `0.0.0.0:5556`, `:5556`, `[::1]:5556`; undefined when absent. An empty host is the wildcard. */
export function listenAddress(summary: string): Shape<ListenAddress | undefined> {
  const inner = string(summary);
  return {
    ...inner,
    kind: 'host:port',
    read: (node, context) => {
      if (isNull(node)) return undefined;
      const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(inner.read(node, context));
      const port = Number(match?.[3]);
      if (match === null || port > 65_535) {
        report(context, node, { message: 'is not host:port', hint: 'Write for example 0.0.0.0:5556.' });
        return undefined;
      }
      return { host: match[1] ?? match[2] ?? '', port };
    },
  };
}

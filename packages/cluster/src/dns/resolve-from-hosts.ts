/**
 * Owns name lookup of Node programs in pods where the machine allows no own /etc/hosts: the pod's hosts file is looked into first.
 * Everything that connects by name goes through dns.lookup.
 */
import dns from 'node:dns';
import type { LookupAddress } from 'node:dns';
import { readFileSync, statSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { isIP } from 'node:net';

/** The addresses of a name; none for names that the file does not have. */
export type FindInHosts = (name: string) => readonly LookupAddress[];

type Callback = (error: NodeJS.ErrnoException | null, address?: string | LookupAddress[], family?: number) => void;

/** Makes dns.lookup ask `find` before the machine. */
export function installLookup(find: FindInHosts): void {
  const original = dns.lookup as (name: string, options: unknown, callback: Callback) => void;
  const lookup = (name: string, options: unknown, callback?: Callback): void => {
    const done = (callback ?? options) as Callback;
    const wanted = callback === undefined ? {} : options;
    const addresses = find(name);
    const [first] = addresses;
    if (first === undefined) return original(name, wanted, done);
    const all = (wanted as { all?: boolean } | null)?.all === true;
    process.nextTick(() => (all ? done(null, [...addresses]) : done(null, first.address, first.family)));
  };
  // util.promisify finds its form on the function itself; the original's would look past the hosts file.
  dns.lookup = lookup as typeof dns.lookup;
  const promised = dns.promises.lookup as (name: string, options?: unknown) => Promise<unknown>;
  const lookupPromise = async (name: string, options?: unknown): Promise<unknown> => {
    const addresses = find(name);
    if (addresses.length === 0) return promised(name, options);
    return (options as { all?: boolean } | undefined)?.all === true ? addresses : addresses[0];
  };
  dns.promises.lookup = lookupPromise as typeof dns.promises.lookup;
  syncBuiltinESMExports();
}

/** Reads the file again when it has changed. */
export function createHostsReader(path: string): FindInHosts {
  let stamp = '';
  let names = new Map<string, LookupAddress[]>();
  return (name) => {
    try {
      const { mtimeMs, size } = statSync(path);
      const fresh = `${mtimeMs} ${size}`;
      if (fresh !== stamp) names = parseHosts(readFileSync(path, 'utf8'));
      stamp = fresh;
    } catch {
      // No file: then the machine's own names are all there is.
    }
    return names.get(name.toLowerCase()) ?? [];
  };
}

function parseHosts(text: string): Map<string, LookupAddress[]> {
  const names = new Map<string, LookupAddress[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...hosts] = line.trim().split(/\s+/);
    const family = isIP(address);
    if (family === 0) continue;
    for (const host of hosts) names.set(host, [...(names.get(host) ?? []), { address, family }]);
  }
  return names;
}

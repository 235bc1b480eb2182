/**
 * Owns the plan of the overlay that carries a cluster's addresses on machines whose only loopback address is 127.0.0.1:
 *
 *   127.77.128.5:8080   is the Unix-domain socket   <directory>/128.5.8080
 *                       or, for programs that know nothing of it, a link to the port of 127.0.0.1 where they really listen
 */
import { lstatSync, readlinkSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { fileURLToPath, pathToFileURL } from 'node:url';

export interface Overlay {
  /** The first two numbers of every address that is carried, with the dot after them: `127.77.`. */
  readonly prefix: string;
  /** Holds the sockets; its owner's only, and short: a socket's path has room for some 100 bytes. */
  readonly directory: string;
}

export interface Port {
  readonly host: string;
  readonly port: number;
}

/** The longest path of a socket that every system takes (macOS: 104 bytes with the zero at the end). */
export const MAX_SOCKET_PATH = 103;
/** The longest name of a socket: two numbers of an address, and a port. */
export const MAX_SOCKET_NAME: number = '255.255.65535'.length;

export function carries({ prefix }: Overlay, host: string): boolean {
  return host.startsWith(prefix) && isIPv4(host);
}

/** The file that stands for a port of a carried address. */
export function portFile({ prefix, directory }: Overlay, { host, port }: Port): string {
  return `${directory}/${host.slice(prefix.length)}.${port}`;
}

export type Place =
  | { readonly kind: 'socket'; readonly path: string }
  /** A port of 127.0.0.1. */
  | { readonly kind: 'port'; readonly port: number };

/** Where connections to a port of a carried address really go. */
export function placeOf(overlay: Overlay, target: Port): Place {
  const path = portFile(overlay, target);
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  return isLink ? { kind: 'port', port: Number(readlinkSync(path)) } : { kind: 'socket', path };
}

/** One variable for the processes of pods. A URL: paths in a container's environment may be rewritten to where its volumes lie. */
export function renderOverlay({ prefix, directory }: Overlay): string {
  return `${prefix}0.0/16 ${pathToFileURL(directory).href}`;
}

export function parseOverlay(text: string): Overlay {
  const [, prefix = '', url = ''] = /^(\d+\.\d+\.)0\.0\/16 (file:\S+)$/.exec(text) ?? [];
  if (url === '') throw new Error(`"${text}" is no overlay network`);
  return { prefix, directory: fileURLToPath(url) };
}

/** Owns what is known of one endpoint of a cluster beyond its address: how busy it is, and whether it is left out. */
import type { UpstreamAddress } from '../upstream.ts';

export class Host {
  readonly address: UpstreamAddress;
  /** For hashing: of the address's text. */
  readonly seed: number;
  /** Requests on their way. */
  active = 0;
  /** Failures in a row, by kind. */
  errors5xx = 0;
  gatewayErrors = 0;
  localErrors = 0;
  /** By the cluster's clock, in milliseconds; 0: not ejected. */
  ejectedUntil = 0;
  /** How often in a row it was ejected: each time is longer. */
  ejections = 0;
  /** When it was last let in again, or healthy for a whole interval after that. */
  calmSince = 0;

  /** By the cluster's clock; long ago for those that the cluster began with. */
  readonly knownSince: number;

  constructor(address: UpstreamAddress, knownSince: number = -Infinity) {
    this.address = address;
    this.knownSince = knownSince;
    this.seed = hashText(hostKey(address));
  }
}

export function hostKey({ host, port }: UpstreamAddress): string {
  return `${host}|${port}`;
}

/** By what it is: a change of endpoints between two tries makes new objects of them. */
export function isTried(address: UpstreamAddress, tried: readonly UpstreamAddress[]): boolean {
  return tried.some((other) => other === address || hostKey(other) === hostKey(address));
}

/** FNV-1a with a final mix (murmur3's): 32 bits, well spread. Not for secrets: whoever chooses keys can choose where they lead. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return mix(hash);
}

export function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

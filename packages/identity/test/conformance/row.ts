/** Owns what a row of the table is: one fact of Dex's behaviour, how it stands here, and the proof that a running server keeps it. */
import type { Servers } from './servers.ts';

export const STANDS = {
  kept: 'as in Dex',
  safer: 'stricter on purpose',
  more: 'as in Dex, and more',
  other: 'different on purpose',
  absent: 'not there',
} as const;

export type Stand = keyof typeof STANDS;

/** Asks a server over HTTP and throws where the fact does not hold. */
export type Proof = (servers: Servers) => Promise<void>;

export interface Row {
  /** Unique in its section, kebab-case. */
  readonly id: string;
  /** What holds here, in one sentence. */
  readonly fact: string;
  readonly stand: Stand;
  /** What Dex does where that is not the same, and which version of it where they differ. */
  readonly dex?: string;
  /** Of Dex's release and its development branch, the one that is followed where they differ. */
  readonly follows?: 'release' | 'head';
  readonly why?: string;
  readonly proof: Proof;
}

export interface Section {
  /** Of the reference of Dex's behaviour: `2.4`. */
  readonly id: string;
  readonly title: string;
  readonly rows: readonly Row[];
}

/** Owns what the announcing thread and the rest of the speaker say to each other. */

export type Command =
  | { readonly kind: 'announce'; readonly address: string; readonly interfaces?: readonly string[] | undefined }
  /** Answered with `done` when nothing about the address is answered any more. */
  | { readonly kind: 'withdraw'; readonly id: number; readonly address: string }
  /** Answered with `probed`. */
  | {
      readonly kind: 'probe';
      readonly id: number;
      readonly address: string;
      readonly interfaces?: readonly string[] | undefined;
    }
  /** Answered with `counted`. */
  | { readonly kind: 'count'; readonly id: number }
  /** Gives back memory. */
  | { readonly kind: 'tidy' }
  | { readonly kind: 'stop' };

export interface Claimant {
  readonly mac: string;
  readonly interface: string;
}

export interface AddressCounters {
  readonly address: string;
  readonly requests: number;
  readonly responses: number;
  readonly gratuitous: number;
}

export interface Answered {
  readonly kind: 'answered';
  readonly protocol: 'ARP' | 'NDP';
  readonly address: string;
  readonly interface: string;
  readonly responseMac: string;
  readonly senderIp: string;
  readonly senderMac: string;
  /** Answers since the last report that were too many to be told. */
  readonly untold: number;
}

export type Report =
  | { readonly kind: 'done'; readonly id: number }
  | { readonly kind: 'probed'; readonly id: number; readonly claimant?: Claimant | undefined }
  | { readonly kind: 'counted'; readonly id: number; readonly counters: readonly AddressCounters[] }
  /** The interfaces on which announcing makes sense now. */
  | { readonly kind: 'links'; readonly names: readonly string[] }
  | Answered
  /** No address has come for a while: what taking them needed is not needed any more. */
  | { readonly kind: 'settled' }
  /** Another host says that the address is its own. */
  | { readonly kind: 'conflict'; readonly address: string; readonly claimant: Claimant }
  /** The same while our ownership was uncertain: we have stopped answering. */
  | { readonly kind: 'yielded'; readonly address: string; readonly claimant: Claimant }
  /** The counter that wakes the thread. */
  | { readonly kind: 'ready'; readonly wakeFd: number };

export interface AnnouncerSettings {
  /** Regular expressions of interface names that never announce. */
  readonly excluded: readonly string[];
  /** Pause between two repetitions of "this address is here"; 0: only at take-over. */
  readonly refreshMs: number;
  /** One 64-bit number: until when (process.hrtime, nanoseconds) ownership is certain. */
  readonly fence: SharedArrayBuffer;
}

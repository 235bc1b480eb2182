/** Owns the contract of ownership: which node announces an address. Two ways keep it: leases, and a hash that needs no agreement. */

/** What should be: for each address of ours the nodes that may announce it, the preferred one first. */
export type Plan = ReadonlyMap<string, readonly string[]>;

/** True when the first node should have the address even while the second one announces it well. */
export type Outranks = (address: string, node: string, other: string) => boolean;

export const NOBODY_OUTRANKS: Outranks = () => false;

export interface Ownership {
  /** Without `outranks` an address stays where it is. */
  setPlan(plan: Plan, outranks?: Outranks): void;
  /** Somebody else claimed the address while we were not sure: find out anew. */
  doubt(address: string): void;
  /** Gives everything back; call it when nothing is answered any more. */
  stop(): Promise<void>;
}

export interface OwnershipListener {
  onAcquired(address: string): void;
  /** Must resolve when the address is not answered for any more. */
  onLost(address: string): Promise<void>;
  /** Until then (process.hrtime, nanoseconds) no other node can have become owner. */
  onCertain(until: bigint): void;
}

export interface Timing {
  readonly renewMs: number;
  /** An owner that has not renewed for so long is not sure any more. */
  readonly fenceMs: number;
  /** An owner that has not been seen renewing for so long has gone. Longer than the fence. */
  readonly expiryMs: number;
  /** A preferred node asks for an address after it has been able to announce it for so long. */
  readonly settleMs: number;
}

/** A dead owner is replaced some 2 s after its last sign of life. */
export const TIMING: Timing = { renewMs: 700, fenceMs: 1500, expiryMs: 2000, settleMs: 5000 };

/** Owns the contract of reconcilers: a key in, the world read, a difference written; never the event. */
import type { ObjectKey } from '../informer/informer.ts';

/** `requeueAfterMs` asks to be called again; nothing means done until the next change. */
export interface ReconcileResult {
  readonly requeueAfterMs?: number;
}

/** Throwing means retry with exponential back-off; AppError code `TERMINAL` means do not retry until the next change. */
export type Reconcile = (key: ObjectKey, signal: AbortSignal) => Promise<ReconcileResult | undefined>;

/** Owns who hears a container's output besides its log: attached clients, and the first of them also what came before it. */
import type { LogStream } from '../logs/log-writer.ts';

export type OutputListener = (stream: LogStream, chunk: Buffer) => void;

export interface OutputFan {
  write(stream: LogStream, chunk: Buffer): void;
  /** The listener gets what nobody has heard yet at once, then everything; returns the way to stop. */
  attach(listener: OutputListener): () => void;
  /** True while there is output that was kept for the first client. */
  readonly hasBacklog: boolean;
}

/** A program for a person says little before anybody can have attached; of more than this the beginning is kept. */
const MAX_KEPT = 64 * 1024;

/** `keeps`: for a container that somebody is about to attach to, such as `kubectl run -i`. */
export function createOutputFan(keeps: boolean): OutputFan {
  const listeners = new Set<OutputListener>();
  let backlog: { readonly stream: LogStream; readonly chunk: Buffer }[] | undefined = keeps ? [] : undefined;
  let kept = 0;
  return {
    write(stream, chunk) {
      if (backlog !== undefined && kept < MAX_KEPT) {
        backlog.push({ stream, chunk });
        kept += chunk.length;
      }
      for (const listener of listeners) listener(stream, chunk);
    },
    attach(listener) {
      for (const { stream, chunk } of backlog ?? []) listener(stream, chunk);
      backlog = undefined;
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    get hasBacklog() {
      return backlog !== undefined && backlog.length > 0;
    },
  };
}

/** Owns the hand-over from callbacks to an async iteration. */

export interface Queue<T> extends AsyncIterable<T> {
  /** Always true: the consumer is in this process and nothing is dropped. */
  push(item: T): boolean;
  /** Ends the iteration after what was pushed. */
  end(): void;
}

export function createQueue<T>(): Queue<T> {
  const items: T[] = [];
  let ended = false;
  let wake: (() => void) | undefined;
  const notify = (): void => {
    wake?.();
    wake = undefined;
  };
  return {
    push(item) {
      if (!ended) items.push(item);
      notify();
      return true;
    },
    end() {
      ended = true;
      notify();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const batch = items.splice(0);
        for (const item of batch) yield item;
        if (items.length > 0) continue;
        if (ended) return;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

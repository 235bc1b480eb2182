/** Owns the end of a turn of the event loop: after everything that has come in was looked at, before anybody waits for more. */

export interface Flushed {
  /** Must not throw. */
  flush(): void;
}

let waiting: Flushed[] = [];
let empty: Flushed[] = [];

/** Calls `flush` of the item when the turn ends, once for each call of this. */
export function atTurnEnd(item: Flushed): void {
  if (waiting.push(item) === 1) setImmediate(endTurn);
}

function endTurn(): void {
  const items = waiting;
  waiting = empty;
  empty = items;
  for (const item of items) item.flush();
  items.length = 0;
}

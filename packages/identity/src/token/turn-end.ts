/**
 * Owns the end of a turn of the event loop: what takes long is done when everything that has come in was looked at, for all requests in
 * a row. Done for each as it comes, the signing of one drives the code that reads the next out of the processor's caches.
 */
let ending: Promise<void> | undefined;

/** Resolves for all who ask in one turn together. Answers of a turn leave together too, so nobody's comes later for it. */
export function turnEnd(): Promise<void> {
  ending ??= new Promise((resolve) => {
    setImmediate(() => {
      ending = undefined;
      resolve();
    });
  });
  return ending;
}

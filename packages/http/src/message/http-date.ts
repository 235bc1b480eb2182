/** Owns the present time as HTTP dates have it (RFC 9110 section 5.6.7), written out once a second. */

export function createHttpDate(now: () => number = Date.now): () => string {
  let second = 0;
  let text = '';
  return () => {
    const current = Math.floor(now() / 1000);
    if (current !== second) {
      second = current;
      text = new Date(current * 1000).toUTCString();
    }
    return text;
  };
}

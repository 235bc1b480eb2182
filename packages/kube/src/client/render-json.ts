/** Owns writing of request bodies; integers beyond 2^53, which YAML gives as BigInt, travel digit by digit. */

// JSON.rawJSON (ES2026) is not in the compiler's library yet.
const rawJson = (JSON as { rawJSON?: (text: string) => unknown }).rawJSON;

export function renderJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (!(error instanceof TypeError) || rawJson === undefined) throw error;
    return JSON.stringify(value, (_key, inner: unknown) =>
      typeof inner === 'bigint' ? rawJson(String(inner)) : inner,
    );
  }
}

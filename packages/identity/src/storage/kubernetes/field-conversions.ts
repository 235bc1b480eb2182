/** Owns how one field of a record looks in an object of Kubernetes, and back: each conversion gives a value whatever it finds. */

export type Json = Readonly<Record<string, unknown>>;

export interface Conversion {
  /** Undefined leaves the field out. */
  write(value: unknown): unknown;
  /** Gets undefined for an absent field; always gives a value. */
  read(value: unknown): unknown;
}

/** Record key -> object key and conversion. */
export type FieldCodecs = Readonly<Record<string, readonly [string, Conversion]>>;

export const plain = (empty: unknown): Conversion => ({
  write: (value) => (value === '' || (Array.isArray(value) && value.length === 0) ? undefined : value),
  read: (value) => value ?? empty,
});
export const text: Conversion = plain('');
export const list: Conversion = plain([]);
export const flag: Conversion = plain(false);
export const number: Conversion = plain(0);
export const trueFlag: Conversion = plain(true);

/** An empty list is not the same as none. */
export const kept: Conversion = { write: (value) => value, read: (value) => value };

/** RFC 3339; Go's zero time means none. */
export const time: Conversion = {
  write: (value) => (typeof value === 'number' && value > 0 ? new Date(value).toISOString() : '0001-01-01T00:00:00Z'),
  read: (value) => {
    const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN;
    return Number.isNaN(ms) || ms < 0 ? 0 : ms;
  },
};

/** Go's []byte of a text. */
export const textBytes: Conversion = {
  write: (value) => Buffer.from(String(value), 'utf8').toString('base64'),
  read: (value) => (typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : ''),
};

export const nested = (fields: FieldCodecs): Conversion => ({
  write: (value) => writeFields(value as Json, fields),
  read: (value) => readFields((value ?? {}) as Json, fields),
});

export const each = (inner: Conversion): Conversion => ({
  write: (value) => (value as readonly unknown[]).map((item) => inner.write(item)),
  read: (value) => (Array.isArray(value) ? value.map((item) => inner.read(item)) : []),
});

export const eachValue = (inner: Conversion): Conversion => ({
  write: (value) => mapValues(value as Json, (item) => inner.write(item)),
  read: (value) => mapValues((value ?? {}) as Json, (item) => inner.read(item)),
});

// An emptied field stays as undefined: laid over the stored object it removes the old value, and JSON leaves it out.
export function writeFields(record: Json, fields: FieldCodecs): Json {
  return Object.fromEntries(
    Object.entries(fields).map(([key, [name, conversion]]) => [name, conversion.write(record[key])]),
  );
}

export function readFields(object: Json, fields: FieldCodecs): Json {
  return mapValues(fields, ([name, conversion]) => conversion.read(object[name]));
}

function mapValues<T>(object: Readonly<Record<string, T>>, turn: (value: T) => unknown): Json {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, turn(value)]));
}

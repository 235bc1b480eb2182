/**
 * Owns the form in which memory holds sessions: a hundred thousand of them must fit beside everything else. Times lie outside of the
 * collector's heap, what many sessions have in common is there once.
 */
import type { ApiToken, LiveSession, SessionRecord } from './session.ts';
import { refreshTimeOf } from './session.ts';

/** In the order in which they lie. */
const [CREATED, EXPIRES, USED, STORED_USE, REFRESH] = [0, 1, 2, 3, 4];
const TIMES = 5;
const IN_BLOCK = 1_024;
/** Browsers and sets of groups are few beside sessions; that they are was chosen by strangers, so the memory of them has an end. */
const MAX_SHARED = 10_000;

/** Where times of sessions lie; a place that was given back is used again. */
class Times {
  readonly #free: { readonly block: Float64Array; readonly at: number }[] = [];
  #block = new Float64Array(0);
  #next = 0;

  take(): { readonly block: Float64Array; readonly at: number } {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#next === this.#block.length) {
      this.#block = new Float64Array(TIMES * IN_BLOCK);
      this.#next = 0;
    }
    const at = this.#next;
    this.#next += TIMES;
    return { block: this.#block, at };
  }

  giveBack(block: Float64Array, at: number): void {
    this.#free.push({ block, at });
  }
}

/** One copy of values that are alike. */
class Shared<Value> {
  readonly #known = new Map<string, Value>();

  of(key: string, value: Value): Value {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    // Those that are held keep their copy; the next ones get another.
    if (this.#known.size >= MAX_SHARED) this.#known.clear();
    this.#known.set(key, value);
    return value;
  }
}

/** A session in memory. It stays readable after it was released, as it was then. */
class HeldSession implements LiveSession {
  readonly key: string;
  readonly userId: string;
  readonly groups: readonly string[];
  readonly subject: string;
  readonly userAgent: string;
  readonly apiToken: ApiToken | undefined;
  readonly sid: string | undefined;
  #block: Float64Array;
  #at: number;

  constructor(key: string, record: SessionRecord, { block, at }: ReturnType<Times['take']>) {
    this.key = key;
    this.userId = record.userId;
    this.groups = record.groups;
    this.subject = record.subject;
    this.userAgent = record.userAgent;
    this.apiToken = record.apiToken;
    this.sid = record.sid;
    this.#block = block;
    this.#at = at;
    block[at + CREATED] = record.createdAtMs;
    block[at + EXPIRES] = record.expiresAtMs;
    block[at + USED] = record.lastUsedAtMs;
    block[at + STORED_USE] = record.lastUsedAtMs;
    block[at + REFRESH] = refreshTimeOf(record.tokens);
  }

  get id(): string {
    return idOf(this.key);
  }

  get createdAtMs(): number {
    return this.#time(CREATED);
  }

  get expiresAtMs(): number {
    return this.#time(EXPIRES);
  }

  get lastUsedAtMs(): number {
    return this.#time(USED);
  }

  set lastUsedAtMs(value: number) {
    this.#block[this.#at + USED] = value;
  }

  get storedUseAtMs(): number {
    return this.#time(STORED_USE);
  }

  set storedUseAtMs(value: number) {
    this.#block[this.#at + STORED_USE] = value;
  }

  get refreshAtMs(): number {
    return this.#time(REFRESH);
  }

  set refreshAtMs(value: number) {
    this.#block[this.#at + REFRESH] = value;
  }

  /** Whoever still looks at the session must not see the times of the next one in its place. */
  release(times: Times): void {
    const [block, at] = [this.#block, this.#at];
    this.#block = block.slice(at, at + TIMES);
    this.#at = 0;
    times.giveBack(block, at);
  }

  #time(which: number): number {
    return this.#block[this.#at + which] ?? Number.NaN;
  }
}

/** All sessions of a process, by their ids. */
export class HeldSessions {
  readonly #held = new Map<string, HeldSession>();
  readonly #times = new Times();
  readonly #agents = new Shared<string>();
  readonly #groups = new Shared<readonly string[]>();

  get size(): number {
    return this.#held.size;
  }

  /** `key`: the id as its bytes, one a character. */
  get(key: string): LiveSession | undefined {
    return this.#held.get(key);
  }

  /** In the place of one that was there. */
  set(key: string, record: SessionRecord): LiveSession {
    this.delete(key);
    const session = this.#make(key, record);
    this.#held.set(key, session);
    return session;
  }

  /** One that is not held, for a moment's look. */
  show(key: string, record: SessionRecord): LiveSession {
    const session = this.#make(key, record);
    session.release(this.#times);
    return session;
  }

  delete(key: string): void {
    const session = this.#held.get(key);
    if (session === undefined) return;
    this.#held.delete(key);
    session.release(this.#times);
  }

  clear(): void {
    for (const key of this.#held.keys()) this.delete(key);
  }

  values(): Iterable<LiveSession> {
    return this.#held.values();
  }

  #make(key: string, record: SessionRecord): HeldSession {
    const userAgent = this.#agents.of(record.userAgent, record.userAgent);
    const groups = this.#groups.of(JSON.stringify(record.groups), record.groups);
    return new HeldSession(key, { ...record, userAgent, groups }, this.#times.take());
  }
}

/** The bytes of an id, one a character: half of what the hex digits take. */
export function keyOf(id: string): string {
  return Buffer.from(id, 'hex').toString('latin1');
}

function idOf(key: string): string {
  return Buffer.from(key, 'latin1').toString('hex');
}

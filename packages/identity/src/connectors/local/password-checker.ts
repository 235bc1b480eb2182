/** Owns bcrypt: so many at a time, so many waiting, and the same work for names that do not exist. */
import { AppError } from '@kfctl/core';
import { IDENTITY_ERRORS } from '../../errors.ts';

// Not `import`: that loads Web Cryptography too, 5 MB for nothing.
const { createHmac } = process.getBuiltinModule('node:crypto');

export interface PasswordCheckerOptions {
  /** Checks at the same time; each keeps one thread of libuv's pool busy. */
  readonly concurrency: number;
  /** Checks that may wait; more are refused. */
  readonly maxWaiting: number;
}

export interface PasswordChecker {
  /** Whether the password is the one behind the bcrypt hash. Throws AppError 503 when too many wait. */
  check(password: string, hash: string): Promise<boolean>;
}

export function createPasswordChecker({ concurrency, maxWaiting }: PasswordCheckerOptions): PasswordChecker {
  const waiting: (() => void)[] = [];
  let running = 0;
  const enter = async (): Promise<void> => {
    if (running < concurrency) {
      running += 1;
      return;
    }
    if (waiting.length >= maxWaiting) throw tooBusy();
    await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const leave = (): void => {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  };
  return {
    check: async (password, hash) => {
      await enter();
      try {
        const { verify } = await import('@node-rs/bcrypt');
        return await verify(password, hash);
      } finally {
        leave();
      }
    },
  };
}

/**
 * A hash that no password has, whose cost is drawn from the costs in use, always the same one for a name: how long a
 * refusal takes then says nothing about whether the name exists.
 */
export function decoyHash(name: string, costs: readonly number[], key: Buffer): string {
  const pick = createHmac('sha256', key).update(name).digest().readUInt32BE(0);
  const cost = costs.length === 0 ? 12 : (costs[pick % costs.length] ?? 12);
  return `$2b$${String(cost).padStart(2, '0')}$abcdefghijklmnopqrstuu${'.'.repeat(31)}`;
}

function tooBusy(): AppError {
  return new AppError(IDENTITY_ERRORS.busy, 'too many passwords are waiting to be checked', {
    status: 503,
    public: 'Too many people are logging in at the moment. Please try again in a few seconds.',
  });
}

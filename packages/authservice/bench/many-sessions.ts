/** Owns a session store with many sessions in it, for benches. */
import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { Secret, systemClock, systemRandom } from '@kfctl/core';
import { createSealer, createSessionTokens, sealSession, sessionIdOf } from '@kfctl/oidc';
import { openFileStore } from '../src/session/file-store.ts';

/** Writes `count` sessions of as many people, each in three groups, sealed with the key. */
export async function seedSessions(file: string, count: number, key: string): Promise<void> {
  await (await openFileStore({ path: file, clock: systemClock })).close?.();
  const secrets = [new Secret(key)];
  const sealer = createSealer({ secrets, purpose: 'session' });
  const tokens = createSessionTokens({ secrets, random: systemRandom });
  const database = new DatabaseSync(file);
  const insert = database.prepare('INSERT INTO session (id, sealed, expires_at_ms) VALUES (?, ?, ?)');
  const now = Date.now();
  const times = { createdAtMs: now, lastUsedAtMs: now, expiresAtMs: now + 86_400_000 };
  const groups = ['developers', 'pipeline-users', 'team-blue'];
  database.exec('BEGIN');
  for (let index = 0; index < count; index += 1) {
    const id = sessionIdOf(tokens.create());
    const person = { userId: `person-${index}@example.com`, groups, subject: `subject-${index}` };
    const { sealed, expiresAtMs } = sealSession(id, { ...person, ...times, userAgent: AGENT, tokens: {} }, sealer);
    insert.run(id, sealed, expiresAtMs);
  }
  database.exec('COMMIT');
  database.close();
}

const AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

/** Resident bytes of a process; proc_pid_status(5). */
export function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1_024;
}

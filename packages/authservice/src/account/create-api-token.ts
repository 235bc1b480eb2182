/** Owns the making of personal API tokens. */
import { AppError } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import { isPlainPath } from '@kfctl/oidc';
import { jsonAnswer } from '../server/answer.ts';
import type { Answer, AskedRequest } from '../server/answer.ts';
import { readJsonObject } from '../server/read-json.ts';
import type { ApiToken, LiveSession } from '@kfctl/oidc';
import type { Sessions } from '../session/sessions.ts';

export interface CreateApiTokenRequest {
  readonly deps: {
    readonly sessions: Pick<Sessions, 'all' | 'create'>;
    readonly maxTokenAgeMs: number;
    readonly log: Logger;
  };
  readonly request: AskedRequest;
  /** Whoever makes it: the token stands for this person with the groups of now. */
  readonly session: LiveSession;
}

const MAX_TOKENS = 50;
const MAX_PATHS = 20;
const DAY_MS = 24 * 3_600_000;
const DEFAULT_DAYS = 30;

export async function createApiToken({ deps, request, session }: CreateApiTokenRequest): Promise<Answer> {
  const { sessions, maxTokenAgeMs, log } = deps;
  const body = await readJsonObject(request);
  const apiToken = readLimits(body);
  const maxAgeMs = readAge(body['expiresInDays'], maxTokenAgeMs);
  const present = [...sessions.all()].filter((item) => item.userId === session.userId && item.apiToken !== undefined);
  if (present.length >= MAX_TOKENS) throw refused(`you have ${MAX_TOKENS} tokens already; delete some`, 409);
  const { userId, groups, subject } = session;
  const made = await sessions.create({ userId, groups, subject, userAgent: '', tokens: {}, apiToken, maxAgeMs });
  log.info('API token made', { user: userId, session: made.session.id.slice(0, 12), readOnly: apiToken.readOnly });
  const { id, expiresAtMs } = made.session;
  return jsonAnswer(201, { token: made.token, id, ...apiToken, expiresAt: new Date(expiresAtMs).toISOString() });
}

function readLimits({ name, readOnly = false, paths = [] }: Readonly<Record<string, unknown>>): ApiToken {
  if (typeof name !== 'string' || name.trim() === '' || name.length > 100)
    throw refused('name must be a text of 1 to 100 characters');
  if (typeof readOnly !== 'boolean') throw refused('readOnly must be true or false');
  if (!Array.isArray(paths) || paths.length > MAX_PATHS)
    throw refused(`paths must be a list of at most ${MAX_PATHS} paths`);
  const usable = paths.filter(
    (path): path is string => typeof path === 'string' && path.length <= 200 && isPlainPath(path),
  );
  if (usable.length !== paths.length) throw refused('paths must be plain paths such as /pipeline/apis');
  return { name: name.trim(), readOnly, paths: usable };
}

function readAge(days: unknown, maxAgeMs: number): number {
  if (days === undefined) return Math.min(DEFAULT_DAYS * DAY_MS, maxAgeMs);
  const ageMs = typeof days === 'number' ? days * DAY_MS : Number.NaN;
  if (ageMs > 0 && ageMs <= maxAgeMs) return ageMs;
  throw refused(`expiresInDays must be a number up to ${Math.floor(maxAgeMs / DAY_MS)}`);
}

function refused(text: string, status = 400): AppError {
  return new AppError('API_TOKEN_REFUSED', text, { status, public: text });
}

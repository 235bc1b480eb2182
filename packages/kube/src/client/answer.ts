/** Owns reading of API answers: bounded bodies, JSON, and failures as KubeError. */
import { AppError } from '@kfctl/core';
import { KubeError } from '../errors.ts';
import type { Answer } from './transport.ts';

const MAX_BODY_BYTES = 256 * 1024 * 1024;
const MAX_ERROR_BYTES = 1024 * 1024;

const REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Expired',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

export async function readBytes(answer: Answer, maxBytes: number = MAX_BODY_BYTES): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer.stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new AppError('KUBE_ANSWER_TOO_LARGE', `the API server sent more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  if (!answer.stream.complete)
    throw new AppError('KUBE_UNREACHABLE', 'the API server ended its answer early', { status: 503 });
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

/** The JSON body of a successful answer; throws KubeError otherwise. `what` names the deed for the message. */
export async function readObject(answer: Answer, what: string): Promise<unknown> {
  await requireSuccess(answer, what);
  const bytes = await readBytes(answer);
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch (cause) {
    throw new AppError('KUBE_ANSWER_INVALID', `${what}: the answer is not JSON`, { cause });
  }
}

/** Throws the KubeError of an answer that is not 2xx; leaves the body of a good one unread. */
export async function requireSuccess(answer: Answer, what: string): Promise<void> {
  if (answer.status >= 200 && answer.status < 300) return;
  const text = (await readBytes(answer, MAX_ERROR_BYTES).catch(() => Buffer.alloc(0))).toString('utf8');
  throw errorOf(answer.status, text, what);
}

/** The KubeError that a metav1.Status (or anything else a proxy in between sent) tells. */
export function errorOf(status: number, body: unknown, what: string): KubeError {
  const told = typeof body === 'string' ? parseStatus(body) : body;
  const fields = (typeof told === 'object' && told !== null ? told : {}) as Record<string, unknown>;
  const isStatus = fields['kind'] === 'Status';
  const message = isStatus && typeof fields['message'] === 'string' ? fields['message'] : `HTTP ${status}`;
  const reason =
    isStatus && typeof fields['reason'] === 'string' && fields['reason'] !== '' ? fields['reason'] : undefined;
  return new KubeError({
    status,
    reason: reason ?? REASONS[status] ?? 'Unknown',
    message: `${what}: ${message}`,
    ...(isStatus && fields['details'] !== undefined ? { details: fields['details'] } : {}),
  });
}

function parseStatus(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

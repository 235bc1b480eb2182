/** Owns the one error class that crosses package boundaries; it must not know any component's error codes. */

export interface AppErrorOptions {
  /** Next action for the operator, in the imperative ("Set KUBEFLOW_USER_EMAIL to …"). */
  readonly hint?: string;
  /** What a network peer may be told; vague on purpose. Absent means the peer gets the status text only. */
  readonly public?: string;
  /** HTTP status that an HTTP edge answers with; 500 when absent. */
  readonly status?: number;
  readonly cause?: unknown;
}

/** An error with a stable code and three readers: operator (message), next step (hint), wire (public). */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: string;
  readonly hint: string | undefined;
  readonly public: string | undefined;
  readonly status: number;

  constructor(code: string, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.public = options.public;
    this.status = options.status ?? 500;
  }
}

export function isAppError(error: unknown): error is AppError {
  return error instanceof AppError;
}

/** The message of anything thrown, with the messages of its causes, outermost first, joined by ": ". */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  for (let depth = 0; current !== undefined && current !== null && depth < 8; depth += 1) {
    const message = current instanceof Error ? errorText(current) : String(current);
    if (message !== '' && !parts.includes(message)) parts.push(message);
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join(': ');
}

function errorText(error: Error): string {
  if (error.message !== '') return error.message;
  if (error instanceof AggregateError) return error.errors.map((inner) => describeError(inner)).join('; ');
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

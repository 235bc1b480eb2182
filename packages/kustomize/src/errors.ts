/** The one error type of the package: what went wrong, where (file, line, field) and what to do about it. */

export type KustomizeErrorCode =
  | 'YAML_SYNTAX'
  | 'YAML_LIMIT'
  | 'YAML_VALUE'
  | 'NOT_UTF8'
  | 'FILE_NOT_FOUND'
  | 'FILE_TOO_LARGE'
  | 'FILE_OUTSIDE_ROOT'
  | 'KUSTOMIZATION_MISSING'
  | 'KUSTOMIZATION_AMBIGUOUS'
  | 'KUSTOMIZATION_INVALID'
  | 'BASE_CYCLE'
  | 'RESOURCE_INVALID'
  | 'RESOURCE_CONFLICT'
  | 'GENERATOR_INVALID'
  | 'PATCH_INVALID'
  | 'PATCH_FAILED'
  | 'TARGET_NOT_FOUND'
  | 'FIELD_INVALID'
  | 'REPLACEMENT_INVALID'
  | 'VAR_INVALID'
  | 'REFERENCE_AMBIGUOUS'
  | 'CONFIG_INVALID'
  | 'NOT_SUPPORTED'
  | 'REMOTE_INVALID'
  | 'REMOTE_NOT_ALLOWED'
  | 'REMOTE_FAILED'
  | 'REMOTE_DIGEST'
  | 'OUTPUT_FAILED';

export interface ErrorPlace {
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly field?: string | undefined;
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

export class KustomizeError extends Error {
  readonly code: KustomizeErrorCode;
  readonly reason: string;
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly field: string | undefined;
  readonly hint: string | undefined;

  constructor(code: KustomizeErrorCode, reason: string, place: ErrorPlace = {}) {
    super(describe(reason, place), place.cause === undefined ? undefined : { cause: place.cause });
    this.name = 'KustomizeError';
    this.code = code;
    this.reason = reason;
    this.file = place.file;
    this.line = place.line;
    this.field = place.field;
    this.hint = place.hint;
  }

  /** The same error, with the places that only an outer caller knows filled in where they are still unknown. */
  at(place: ErrorPlace): KustomizeError {
    const error = new KustomizeError(this.code, this.reason, {
      file: this.file ?? place.file,
      line: this.line ?? place.line,
      field: this.field ?? place.field,
      hint: this.hint ?? place.hint,
      cause: this.cause,
    });
    if (this.stack !== undefined) error.stack = this.stack;
    return error;
  }

  /** The same error at another place. */
  movedTo(place: ErrorPlace): KustomizeError {
    const { code, reason, hint, cause, stack } = this;
    const error = new KustomizeError(code, reason, { hint, cause, ...place });
    if (stack !== undefined) error.stack = stack;
    return error;
  }
}

function describe(reason: string, place: ErrorPlace): string {
  const where = [place.file, place.line].filter((part) => part !== undefined).join(':');
  const field = place.field === undefined ? '' : `${place.field}: `;
  return where === '' ? field + reason : `${where}: ${field}${reason}`;
}

/** Runs `step` and adds the place to any KustomizeError that leaves it. */
export function inPlace<T>(place: ErrorPlace, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw error instanceof KustomizeError ? error.at(place) : error;
  }
}

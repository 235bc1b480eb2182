/** Owns the failures of the API: metav1.Status with the texts that clients of Kubernetes know. */

export interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code?: number;
}

/** A failure that travels to the client as it is. */
export class StatusError extends Error {
  readonly status: Status;
  readonly code: number;

  constructor(code: number, reason: string, detail: { readonly message: string; readonly details?: StatusDetails }) {
    super(detail.message);
    this.name = 'StatusError';
    this.code = code;
    const { message, details } = detail;
    const shared = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message } as const;
    this.status = { ...shared, ...(reason === '' ? {} : { reason }), ...(details ? { details } : {}), code };
  }
}

/** What an error is about: a resource and the name of one of its objects. */
export interface Subject {
  readonly group: string;
  readonly plural: string;
  readonly kind?: string;
  readonly name?: string;
}

export function groupResource(subject: Pick<Subject, 'group' | 'plural'>): string {
  return subject.group === '' ? subject.plural : `${subject.plural}.${subject.group}`;
}

function detailsOf(subject: Subject): StatusDetails {
  return {
    ...(subject.name === undefined || subject.name === '' ? {} : { name: subject.name }),
    ...(subject.group === '' ? {} : { group: subject.group }),
    kind: subject.plural,
  };
}

export function notFound(subject: Subject): StatusError {
  const message = `${groupResource(subject)} "${subject.name ?? ''}" not found`;
  return new StatusError(404, 'NotFound', { message, details: detailsOf(subject) });
}

export function alreadyExists(subject: Subject): StatusError {
  const message = `${groupResource(subject)} "${subject.name ?? ''}" already exists`;
  return new StatusError(409, 'AlreadyExists', { message, details: detailsOf(subject) });
}

export function conflict(subject: Subject, why: string): StatusError {
  const message = `Operation cannot be fulfilled on ${groupResource(subject)} "${subject.name ?? ''}": ${why}`;
  return new StatusError(409, 'Conflict', { message, details: detailsOf(subject) });
}

export const STALE_OBJECT =
  'the object has been modified; please apply your changes to the latest version and try again';

export function forbidden(subject: Subject, why: string): StatusError {
  const what = subject.name ? `${groupResource(subject)} "${subject.name}"` : groupResource(subject);
  return new StatusError(403, 'Forbidden', { message: `${what} is forbidden: ${why}`, details: detailsOf(subject) });
}

export function badRequest(message: string): StatusError {
  return new StatusError(400, 'BadRequest', { message });
}

export function methodNotAllowed(subject: Subject, verb: string): StatusError {
  const message = `${verb} is not supported on resources of kind "${groupResource(subject)}"`;
  return new StatusError(405, 'MethodNotAllowed', { message, details: detailsOf({ ...subject, name: '' }) });
}

export function expired(message: string): StatusError {
  return new StatusError(410, 'Expired', { message });
}

export function unsupportedMediaType(message: string): StatusError {
  return new StatusError(415, 'UnsupportedMediaType', { message });
}

export function internalError(message: string): StatusError {
  return new StatusError(500, 'InternalError', {
    message: `Internal error occurred: ${message}`,
    details: { causes: [{ reason: '', message, field: '' }] },
  });
}

/** One thing that is wrong with a field, as validation finds it. */
export interface FieldError {
  readonly kind:
    | 'required'
    | 'invalid'
    | 'duplicate'
    | 'unsupported'
    | 'forbidden'
    | 'tooLong'
    | 'tooMany'
    | 'typeInvalid'
    | 'notFound';
  readonly field: string;
  readonly value?: unknown;
  readonly detail?: string;
}

const REASONS: Readonly<Record<FieldError['kind'], readonly [string, string]>> = {
  required: ['FieldValueRequired', 'Required value'],
  invalid: ['FieldValueInvalid', 'Invalid value'],
  duplicate: ['FieldValueDuplicate', 'Duplicate value'],
  unsupported: ['FieldValueNotSupported', 'Unsupported value'],
  forbidden: ['FieldValueForbidden', 'Forbidden'],
  tooLong: ['FieldValueTooLong', 'Too long'],
  tooMany: ['FieldValueTooMany', 'Too many'],
  typeInvalid: ['FieldValueTypeInvalid', 'Invalid value'],
  notFound: ['FieldValueNotFound', 'Not found'],
};

const WITHOUT_VALUE = new Set<FieldError['kind']>(['required', 'forbidden', 'tooLong']);

/** 422 with one cause per field error; the kind is named with its group, as `Deployment.apps`. */
export function invalid(subject: Subject, errors: readonly FieldError[]): StatusError {
  const causes = errors.map((error): StatusCause => {
    const [reason, title] = REASONS[error.kind];
    const value = WITHOUT_VALUE.has(error.kind) ? '' : `: ${renderValue(error.value)}`;
    return { reason, message: `${title}${value}${error.detail ? `: ${error.detail}` : ''}`, field: error.field };
  });
  const texts = causes.map((cause) => `${cause.field}: ${cause.message}`);
  const kind = subject.kind ?? subject.plural;
  const qualified = subject.group === '' ? kind : `${kind}.${subject.group}`;
  const message = `${qualified} "${subject.name ?? ''}" is invalid: ${texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`}`;
  const details = { ...detailsOf(subject), kind, causes };
  return new StatusError(422, 'Invalid', { message, details });
}

function renderValue(value: unknown): string {
  if (value === undefined) return 'null';
  return JSON.stringify(value);
}

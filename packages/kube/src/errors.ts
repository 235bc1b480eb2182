/** Owns the errors of Kubernetes API calls. */
import { AppError } from '@kfctl/core';

export interface KubeErrorAnswer {
  readonly status: number;
  readonly reason: string;
  readonly message: string;
  readonly details?: unknown;
  readonly cause?: unknown;
}

/** An answer of the API server that is not success. `reason` is metav1.Status.reason ("NotFound", "Conflict", "Invalid" …). */
export class KubeError extends AppError {
  readonly reason: string;
  /** metav1.Status.details, where the server sent them. */
  readonly details: unknown;

  constructor(answer: KubeErrorAnswer) {
    super('KUBE_API', answer.message, { status: answer.status, cause: answer.cause });
    this.reason = answer.reason;
    this.details = answer.details;
  }
}

export function isKubeError(error: unknown, ...reasons: string[]): error is KubeError {
  return error instanceof KubeError && (reasons.length === 0 || reasons.includes(error.reason));
}

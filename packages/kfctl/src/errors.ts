/** Owns the error codes of kfctl; a retired code is never reused. */
import { AppError } from '@kfctl/core';

export type KfctlErrorCode =
  | 'APP_DIRECTORY_REQUIRED'
  | 'APP_EXISTS'
  | 'APP_NAME_INVALID'
  | 'APPLY_FAILED'
  | 'ARGUMENT_INVALID'
  | 'CLUSTER_DIED'
  | 'CLUSTER_DIFFERS'
  | 'CLUSTER_UNREACHABLE'
  | 'CONFIG_NOT_FOUND'
  | 'DATA_DIRECTORY_INVALID'
  | 'DELETE_FAILED'
  | 'DEX_CONFIG_INVALID'
  | 'DEPLOYMENT_NOT_FOUND'
  | 'EMAIL_INVALID'
  | 'KFDEF_INVALID'
  | 'MANIFEST_INVALID'
  | 'NOT_GENERATED'
  | 'NOT_READY'
  | 'NOT_RUNNING'
  | 'OWNED_BY_OTHER'
  | 'PASSWORD_INVALID'
  | 'PORT_IN_USE'
  | 'UP_RUNNING'
  | 'USER_DIFFERS'
  | 'USER_EXISTS'
  | 'USER_NOT_FOUND'
  | 'VENDOR_FAILED';

/** An AppError with one of kfctl's codes; `hint` is the next action in the imperative. */
export function kfctlError(
  code: KfctlErrorCode,
  message: string,
  more: { readonly hint?: string; readonly cause?: unknown } = {},
): AppError {
  return new AppError(code, message, more);
}

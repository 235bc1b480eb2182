/** Owns what a request is besides its resource: who asks, and how it wants to be judged. */

export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

export interface RequestContext {
  readonly user: UserInfo;
  readonly fieldManager: string;
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
  /** Collected on the way, sent as Warning headers. */
  readonly warnings: string[];
}

export const SYSTEM_MASTERS = 'system:masters';

/** The context of the cluster's own parts. */
export function systemContext(component: string): RequestContext {
  return {
    user: { name: `system:${component}`, groups: [SYSTEM_MASTERS, 'system:authenticated'] },
    fieldManager: component,
    dryRun: false,
    fieldValidation: 'Warn',
    warnings: [],
  };
}

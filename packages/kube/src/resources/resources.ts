/** Owns the one table of built-in resources: `resources.pods`, `resources.leases` … */
import * as core from './core.ts';
import * as groups from './groups.ts';

export const resources = { ...core, ...groups } as typeof core & typeof groups;

/** The curated exports of authservice: for programs that host it in their own process, such as tests of a whole platform. */
export { readConfig } from './config/config.ts';
export type { Config } from './config/config.ts';
export { createAuthService } from './create-authservice.ts';
export type { AuthServiceDeps } from './create-authservice.ts';
export { startAuthService } from './start-authservice.ts';
export type { RunningAuthService } from './start-authservice.ts';

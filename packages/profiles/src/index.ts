/** The curated exports of profiles: what other packages' tests and tools may know of it. */
export { startProfiles } from './start-profiles.ts';
export type { ProfilesOptions, ProfilesProcess } from './start-profiles.ts';
export { readConfig } from './config.ts';
export type { Config } from './config.ts';
export { nameObjection, profiles } from './profile/profile.ts';
export type { Profile } from './profile/profile.ts';

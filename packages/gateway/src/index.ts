/** The curated exports of gateway. The process is `main.ts`; this is for those who embed or test it. */
export { readConfig } from './config.ts';
export type { Config } from './config.ts';
export { startGateway } from './gateway.ts';
export type { Gateway, GatewayDeps } from './gateway.ts';
export type { Source, Sources } from './istio/sources.ts';

/** The curated exports of cluster: the local API server and what its node and controllers need of it. */
export { startApiServer } from './api/start-api-server.ts';
export type { ApiServer, ApiServerOptions } from './api/start-api-server.ts';
export { createLocalClient } from './api/local-client.ts';
export type { ExecOutcome, ExecRequest, ExecStreams, LogRequest, NodeGateway, PodPlace } from './api/node-gateway.ts';
export { createRegistry } from './registry/registry.ts';
export type { Registry } from './registry/registry.ts';

/** Owns the start of the management API: its files, its server, its certificate when that changes. Loaded only where it is configured. */
import { readFileSync } from 'node:fs';
import { AppError, describeError } from '@kfctl/core';
import type { ApiDeps } from '../api/api-method.ts';
import { dexApi } from '../api/dex-api.ts';
import { createGrpcServer } from '../api/grpc-server.ts';
import type { GrpcTls } from '../api/grpc-server.ts';
import { reflectionStreams } from '../api/reflection.ts';
import type { GrpcConfig } from '../config/config.ts';
import { IDENTITY_ERRORS } from '../errors.ts';
import { VERSION } from '../version.ts';

export interface ApiListener {
  readonly port: number;
  /** Reads the certificates again; ones that cannot be read are logged and the old ones kept. */
  renewCertificate(): void;
  close(): Promise<void>;
}

export async function listenForApi(grpc: GrpcConfig, deps: ApiDeps): Promise<ApiListener> {
  let current = grpc.tlsCert === '' ? undefined : readTls(grpc);
  const server = await createGrpcServer({
    methods: dexApi(deps, VERSION),
    streams: grpc.reflection ? reflectionStreams() : new Map(),
    tls: current,
    log: deps.log,
  });
  const port = await server.listen(grpc.addr.port, grpc.addr.host);
  deps.log.info('management api serving', { port, clientCertificates: grpc.tlsClientCA !== '' });
  return {
    port,
    renewCertificate: () => {
      if (current === undefined) return;
      try {
        const next = readTls(grpc);
        if (next.cert === current.cert && next.key === current.key && next.ca === current.ca) return;
        server.setCertificate(next);
        current = next;
        deps.log.info('certificate of the management api renewed');
      } catch (error) {
        deps.log.warn('certificate of the management api cannot be renewed', { error: describeError(error) });
      }
    },
    close: () => server.close(),
  };
}

function readTls({ tlsCert, tlsKey, tlsClientCA, tlsMinVersion, tlsMaxVersion }: GrpcConfig): GrpcTls {
  try {
    return {
      cert: readFileSync(tlsCert, 'utf8'),
      key: readFileSync(tlsKey, 'utf8'),
      ca: tlsClientCA === '' ? '' : readFileSync(tlsClientCA, 'utf8'),
      minVersion: `TLSv${tlsMinVersion}`,
      maxVersion: `TLSv${tlsMaxVersion}`,
    };
  } catch (cause) {
    throw new AppError(IDENTITY_ERRORS.configUnreadable, 'cannot read the certificates of grpc', {
      hint: 'Check grpc.tlsCert, grpc.tlsKey and grpc.tlsClientCA.',
      cause,
    });
  }
}

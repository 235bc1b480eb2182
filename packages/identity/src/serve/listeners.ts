/** Owns the sockets: plain and TLS listeners of the provider, and the one of telemetry. */
import { readFileSync } from 'node:fs';
import { AppError, describeError } from '@kfctl/core';
import { createHttpServer } from '@kfctl/http';
import type { Logger } from '@kfctl/core';
import type { HttpHandler, HttpServer, ServerTls } from '@kfctl/http';
import type { ListenAddress, WebConfig } from '../config/config.ts';
import { IDENTITY_ERRORS } from '../errors.ts';

export interface Listening {
  readonly server: HttpServer;
  readonly port: number;
}

export interface ListenDeps {
  readonly handler: HttpHandler;
  readonly log: Logger;
  readonly tls?: ServerTls;
}

const MAX_BODY_BYTES = 65_536;

/** Undefined when there is no address to listen on. */
export async function listenOn(address: ListenAddress | undefined, deps: ListenDeps): Promise<Listening | undefined> {
  if (address === undefined) return undefined;
  const server = createHttpServer({ ...deps, maxBodyBytes: MAX_BODY_BYTES });
  return { server, port: await server.listen(address.port, address.host === '' ? '0.0.0.0' : address.host) };
}

export interface WebListeners {
  readonly http: Listening | undefined;
  readonly https: Listening | undefined;
  /** Reads the certificate again; one that cannot be read is logged and the old one kept. */
  renewCertificate(): void;
  close(): Promise<void>;
}

/** Listens on `web.http` and `web.https`. */
export async function listenForBrowsers(web: WebConfig, deps: Omit<ListenDeps, 'tls'>): Promise<WebListeners> {
  let current = web.https === undefined ? undefined : readCertificate(web);
  const http = await listenOn(web.http, deps);
  const https = await listenOn(web.https, current === undefined ? deps : { ...deps, tls: current });
  return {
    http,
    https,
    renewCertificate: () => {
      if (https === undefined || current === undefined) return;
      try {
        const next = readCertificate(web);
        if (next.cert === current.cert && next.key === current.key) return;
        https.server.setCertificate(next);
        current = next;
        deps.log.info('certificate renewed');
      } catch (error) {
        deps.log.warn('certificate cannot be renewed, the one before stays in use', { error: describeError(error) });
      }
    },
    close: async () => {
      await Promise.all([http?.server.close(), https?.server.close()]);
    },
  };
}

function readCertificate({ tlsCert, tlsKey, tlsMinVersion, tlsMaxVersion }: WebConfig): ServerTls {
  try {
    return {
      cert: readFileSync(tlsCert, 'utf8'),
      key: readFileSync(tlsKey, 'utf8'),
      minVersion: `TLSv${tlsMinVersion}`,
      maxVersion: `TLSv${tlsMaxVersion}`,
    };
  } catch (cause) {
    throw new AppError(IDENTITY_ERRORS.configUnreadable, 'cannot read the certificate of web.https', {
      hint: 'Check web.tlsCert and web.tlsKey.',
      cause,
    });
  }
}

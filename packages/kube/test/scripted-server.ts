/** Owns a real HTTP server whose answers a test writes down; requests are recorded. */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fixedCredentials } from '../src/config/kube-config.ts';
import type { KubeConfig } from '../src/config/kube-config.ts';

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface ScriptedServer {
  readonly url: string;
  readonly config: KubeConfig;
  readonly seen: SeenRequest[];
  /** Ends every connection at once and stops listening. */
  close(): Promise<void>;
}

export type Script = (request: SeenRequest, response: ServerResponse, count: number) => unknown;

/** Starts a server on a free port; a script that returns a value other than undefined answers it as JSON with status 200. */
export async function startScriptedServer(script: Script): Promise<ScriptedServer> {
  const seen: SeenRequest[] = [];
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
    const request = {
      method: incoming.method ?? '',
      url: incoming.url ?? '',
      headers: incoming.headers,
      body: Buffer.concat(chunks).toString('utf8'),
    };
    seen.push(request);
    const value = await script(request, response, seen.length);
    if (value === undefined) return;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(value));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    seen,
    config: {
      server: url,
      tls: {},
      credentials: fixedCredentials(),
      namespace: 'default',
      headers: {},
      source: 'test',
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Answers with a metav1.Status. */
export function answerStatus(response: ServerResponse, code: number, reason: string, message: string = reason): void {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message }));
}

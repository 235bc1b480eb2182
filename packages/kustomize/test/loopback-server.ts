/** An HTTPS server on loopback with a certificate of its own, for remotes. */

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';

export interface LoopbackServer {
  readonly origin: string;
  /** The file to trust: NODE_EXTRA_CA_CERTS or SSL_CERT_FILE. */
  readonly certificate: string;
  /** What is answered, by path and query. */
  readonly served: Map<string, Buffer | { readonly location: string }>;
  /** Paths that were asked for. */
  readonly asked: string[];
  readonly close: () => void;
}

/** Opens a server that keeps its key and certificate in the folder. */
export async function openLoopbackServer(folder: string): Promise<LoopbackServer> {
  const key = join(folder, 'key.pem');
  const certificate = join(folder, 'certificate.pem');
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const out = ['-nodes', '-days', '1', '-keyout', key, '-out', certificate];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  execFileSync('openssl', ['req', ...kind, ...subject, ...out], { stdio: 'pipe' });
  const served: LoopbackServer['served'] = new Map();
  const asked: string[] = [];
  const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (request, response) => {
    const url = request.url ?? '';
    asked.push(url);
    const answer = served.get(url);
    if (answer === undefined) response.writeHead(404).end();
    else if ('location' in answer) response.writeHead(302, { location: answer.location }).end();
    else response.end(answer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const origin = `https://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { origin, certificate, served, asked, close };
}

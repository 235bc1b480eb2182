/** The floor of the token endpoint in a process of its own: bare node:http, the form read, two signatures, an answer of the same size. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const [algorithm = 'RS256'] = process.argv.slice(2);
const { privateKey } =
  algorithm === 'RS256'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' });
const input = Buffer.alloc(400, 'x');
const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const;
const claims = input.toString('base64url');

const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
  let form = '';
  request.setEncoding('latin1');
  request.on('data', (chunk: string) => (form += chunk));
  request.on('end', () => {
    if (!form.startsWith('grant_type=')) return void response.writeHead(400).end();
    const tokens = [1, 2].map(() => `${claims}.${sign('sha256', input, key).toString('base64url')}`);
    const body = JSON.stringify({ access_token: tokens[0], id_token: tokens[1], token_type: 'bearer' });
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
  });
});
server.listen(0, '127.0.0.1', () => process.stderr.write(`port ${(server.address() as AddressInfo).port}\n`));
process.on('SIGTERM', () => process.exit(0));

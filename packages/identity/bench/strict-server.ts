/** The floor of the token endpoint on our own HTTP server: as the bare one, through `createHttpServer`. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { silentLogger } from '@kfctl/core';
import { createHttpServer, jsonResponse, readForm } from '@kfctl/http';

const [algorithm = 'RS256'] = process.argv.slice(2);
const { privateKey } =
  algorithm === 'RS256'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' });
const input = Buffer.alloc(400, 'x');
const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const;
const claims = input.toString('base64url');

const server = createHttpServer({
  log: silentLogger,
  handler: async (request) => {
    const form = await readForm(request);
    if (!form.has('grant_type')) return { status: 400 };
    const tokens = [1, 2].map(() => `${claims}.${sign('sha256', input, key).toString('base64url')}`);
    return jsonResponse(200, { access_token: tokens[0], id_token: tokens[1], token_type: 'bearer' });
  },
});
const port = await server.listen(0, '127.0.0.1');
process.stderr.write(`port ${port}\n`);
process.on('SIGTERM', () => process.exit(0));

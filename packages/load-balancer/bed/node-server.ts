/** What stands behind an address on a node of the bed: tells the node's name by HTTP (80) and by UDP (7). */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:http';
import { requireNamespace } from './in-namespace.ts';

requireNamespace();

const name = process.argv[2] ?? '';
const udp = createSocket('udp4');
udp.on('message', (_message, from) => udp.send(name, from.port, from.address));
createServer((_request, response) => response.end(`${name}\n`)).listen(80, '::', () => {
  // The VIP's own socket: answers leave with the address that was asked.
  udp.bind(7, process.argv[3] ?? '10.88.0.100', () => process.stdout.write('ready\n'));
});

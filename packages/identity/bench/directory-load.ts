/**
 * Owns load on the login page from a process of its own: `directory-load.ts ORIGIN LANES SECONDS PEOPLE` logs in people one after
 * the other on each of so many kept connections, the whole way from /auth to the code, and prints the milliseconds of each login.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';

const [origin = '', lanes = 1, seconds = 1, people = 1] = process.argv
  .slice(2)
  .map((word, at) => (at === 0 ? word : Number(word))) as [string, number, number, number];
const { port } = new URL(origin);
const QUERY = 'client_id=app&redirect_uri=%2Fcb&response_type=code&scope=openid+email+groups&state=s';

/** Sends a request (`METHOD PATH`) and gives the Location of the answer. */
function ask(socket: Socket, target: string, body = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const read = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end < 0 || text.length < end + 4 + Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0)) return;
      socket.off('data', read).off('close', lost);
      const location = /location: (\S+)/i.exec(text)?.[1];
      if (location === undefined) reject(new Error(text.slice(0, 400)));
      else resolve(location);
    };
    const lost = (): void => reject(new Error('the connection was closed'));
    socket.on('data', read).on('close', lost);
    const form = 'Content-Type: application/x-www-form-urlencoded\r\n';
    socket.write(`${target} HTTP/1.1\r\nHost: bench\r\n${form}Content-Length: ${body.length}\r\n\r\n${body}`);
  });
}

const waits: number[] = [];
let next = 0;
async function lane(end: number, keep: boolean): Promise<void> {
  const socket = connect(Number(port), '127.0.0.1').setNoDelay();
  while (performance.now() < end) {
    const user = (next += 1) % people;
    const begin = performance.now();
    const page = await ask(socket, `GET /dex/auth/ldap?${QUERY}`);
    const done = await ask(socket, `POST ${page}`, `login=user${user}&password=password${user}`);
    if (!done.startsWith('/cb?code=')) throw new Error(`the login led to ${done.slice(0, 40)}`);
    if (keep) waits.push(performance.now() - begin);
  }
  socket.destroy();
}

const drive = (milliseconds: number, keep: boolean): Promise<unknown> =>
  Promise.all(Array.from({ length: lanes }, () => lane(performance.now() + milliseconds, keep)));
await drive(2000, false);
await drive(seconds * 1000, true);
process.stdout.write(JSON.stringify(waits));

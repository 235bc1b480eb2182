/** Signatures alone, in a process of its own: for each line of input, signs for a second and prints signatures per CPU second. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { createInterface } from 'node:readline';

const [algorithm = 'RS256'] = process.argv.slice(2);
const { privateKey } =
  algorithm === 'RS256'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' });
const input = Buffer.alloc(400, 'x');

createInterface({ input: process.stdin }).on('line', () => {
  const before = process.cpuUsage();
  const end = performance.now() + 1000;
  let count = 0;
  for (; performance.now() < end; count += 1) sign('sha256', input, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(`${count / ((user + system) / 1e6)}\n`);
});
process.stderr.write('port 0\n');

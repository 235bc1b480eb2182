/** Owns the start of plain TCP servers on exactly the address that is asked for. */
import type { Server } from 'node:net';

/** Rejects with the system's error (EADDRINUSE, EACCES, EADDRNOTAVAIL …) when the address cannot be bound. */
export function listenOn(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

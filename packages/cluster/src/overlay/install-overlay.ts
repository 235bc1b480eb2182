/** Owns the change of this process's network: from then on, carried addresses can be listened on and connected to. */
import net from 'node:net';
import { syncBuiltinESMExports } from 'node:module';
import type { Overlay } from './overlay.ts';
import { redirectConnections } from './redirect-connect.ts';
import { redirectServers } from './redirect-listen.ts';
import { nameSockets } from './socket-names.ts';

export interface InstallOverlayOptions {
  readonly overlay: Overlay;
  /** The address that the wildcard means in this process; the machine's own when absent. */
  readonly wildcard?: string;
  /** The address of a name of the cluster; names are left alone when absent. */
  resolve?(name: string): string | undefined;
}

/** To be called once, before anything listens or connects. */
export function installOverlay({ overlay, wildcard, resolve = () => undefined }: InstallOverlayOptions): void {
  const nameSocket = nameSockets();
  redirectServers({ overlay, wildcard, nameSocket });
  redirectConnections({ overlay, resolve, nameSocket });
  allowReset();
  syncBuiltinESMExports();
}

/** Only TCP can be reset; a Unix-domain socket is closed. */
function allowReset(): void {
  const prototype = net.Socket.prototype;
  const { resetAndDestroy } = prototype;
  prototype.resetAndDestroy = function (this: net.Socket) {
    try {
      return resetAndDestroy.call(this);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_INVALID_HANDLE_TYPE') throw error;
      return this.destroy();
    }
  };
}

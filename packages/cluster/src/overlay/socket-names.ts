/** Owns the addresses that sockets of the overlay tell: those of the cluster, as TCP would tell them. */
import net from 'node:net';
import type { Socket } from 'node:net';
import type { Port } from './overlay.ts';

export interface SocketNames {
  readonly local: Port;
  readonly remote: Port;
}

/** What `server.address()` and a socket's getters are made of. */
export interface AddressName {
  readonly address: string;
  readonly port: number;
  readonly family: 'IPv4';
}

/** Whoever connects on the loopback network has this address, on any machine. */
export const CALLER: Port = { host: '127.0.0.1', port: 0 };

export function addressName({ host, port }: Port): AddressName {
  return { address: host, port, family: 'IPv4' };
}

type Name = Partial<AddressName>;
/** What remoteAddress, remotePort … of net.Socket read; a TLS socket has the one below it as its parent. */
interface NamedSocket {
  readonly connecting: boolean;
  readonly _parent?: object | null;
  _getpeername(): Name;
  _getsockname(): Name;
}

/** Makes sockets tell the names that they are given with the function that is returned. */
export function nameSockets(): (socket: Socket, names: SocketNames) => void {
  const known = new WeakMap<object, SocketNames>();
  const namesOf = (socket: NamedSocket): SocketNames | undefined =>
    known.get(socket) ?? (socket._parent ? known.get(socket._parent) : undefined);
  const prototype = net.Socket.prototype as unknown as NamedSocket;
  const { _getpeername: getPeer, _getsockname: getOwn } = prototype;
  prototype._getpeername = function (this: NamedSocket): Name {
    const names = this.connecting ? undefined : namesOf(this);
    return names === undefined ? getPeer.call(this) : addressName(names.remote);
  };
  prototype._getsockname = function (this: NamedSocket): Name {
    const names = namesOf(this);
    return names === undefined ? getOwn.call(this) : addressName(names.local);
  };
  return (socket, names) => void known.set(socket, names);
}

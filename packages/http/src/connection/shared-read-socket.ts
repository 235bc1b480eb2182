/**
 * Owns reading from accepted connections into one buffer for all of them. Otherwise node takes 64 KiB for each read and gives most of it back,
 * which costs more than the parsing of a request.
 */
import { Socket } from 'node:net';
import type { SocketConstructorOpts } from 'node:net';

const READ_BYTES = 65_536;
let shared: Buffer | undefined;

/** Gives `data` views that are overwritten by the next read, of whatever connection. */
class SharedReadSocket extends Socket {
  givesViews = true;

  constructor(handle: object, buffer: Buffer) {
    const onread = { buffer, callback: (size: number): boolean => this.#onRead(buffer.subarray(0, size)) };
    super({ handle, allowHalfOpen: true, onread } as SocketConstructorOpts);
  }

  #onRead(view: Buffer): boolean {
    this.emit('data', this.givesViews ? view : Buffer.from(view));
    return !this.isPaused();
  }
}

/** Bytes that came from the socket, to be kept. */
export function ownBytes(socket: Socket, bytes: Buffer): Buffer {
  return socket instanceof SharedReadSocket && socket.givesViews ? Buffer.from(bytes) : bytes;
}

/** From now on listeners may keep what they get. */
export function giveOwnBytes(socket: Socket): void {
  if (socket instanceof SharedReadSocket) socket.givesViews = false;
}

/**
 * Makes of a connection, accepted with `pauseOnConnect` and `allowHalfOpen`, one that reads into the buffer of all. node has `onread` for
 * connections that are opened, not for those that are accepted; so the handle moves to another socket. Where node keeps it elsewhere one
 * day, the connection stays as it is.
 */
export function shareReads(accepted: Socket): Socket {
  const owner = accepted as Socket & { _handle?: { useUserBuffer?: unknown } | null };
  const handle = owner._handle;
  if (typeof handle?.useUserBuffer !== 'function') return accepted.resume();
  shared ??= Buffer.allocUnsafeSlow(READ_BYTES);
  owner._handle = null;
  const socket = new SharedReadSocket(handle, shared);
  // The server counts the one, whoever closes it means the other.
  socket.on('close', () => accepted.destroy());
  accepted.on('close', () => socket.destroy());
  return socket;
}

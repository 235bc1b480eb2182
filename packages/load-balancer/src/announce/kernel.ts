/** Owns the calls into the kernel that Node has no words for: packet sockets, netlink, poll. Linux only; loaded by the worker alone. */
import { endianness } from 'node:os';
import koffi from 'koffi';
import type { MemoryRange } from './spare-memory.ts';

export interface Received {
  readonly bytes: Buffer;
  readonly linkIndex: number;
  /** 0: to us; 1: broadcast; 2: multicast; 3: to another host; 4: our own. */
  readonly packetType: number;
}

const AF = { inet6: 10, netlink: 16, packet: 17 } as const;
const SOCK = { datagram: 2, raw: 3, closeOnExec: 0x80000, nonBlocking: 0x800 } as const;
const DONT_WAIT = 0x40;
const POLL_IN = 1;
const MAX_DATAGRAM = 65_536;
const IPPROTO_IPV6 = 41;
const IPV6_ADD_MEMBERSHIP = 20;
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const LINK_GROUP = 1;
const EINTR = 4;
const EPERM = 1;
const MADV_DONTNEED = 4;

/** Descriptors are plain numbers: the kernel's own. */
export class Kernel {
  readonly #c = bindLibc();
  readonly #buffer = Buffer.alloc(MAX_DATAGRAM);
  readonly #from = Buffer.alloc(32);
  readonly #fromLength = Buffer.alloc(4);
  readonly #to = Buffer.alloc(20);

  constructor() {
    if (process.platform !== 'linux' || endianness() !== 'LE')
      throw new Error('announcing needs Linux on a little-endian machine');
    this.#to.writeUInt16LE(AF.packet, 0);
    this.#to[11] = 6;
  }

  /** A counter that wakes `poll`; any thread may write to it. */
  eventFd(): number {
    return orFail(this.#c.eventfd(0, SOCK.closeOnExec | SOCK.nonBlocking), 'opening an event counter');
  }

  /** Hears and sends whole frames of one EtherType on every interface. Needs the capability NET_RAW. */
  packetSocket(etherType: number): number {
    return this.#open(AF.packet, SOCK.raw, swap16(etherType));
  }

  /** Hears of changes of interfaces. Needs no privilege. */
  linkSocket(): number {
    const fd = this.#open(AF.netlink, SOCK.raw, 0);
    const address = Buffer.alloc(12);
    address.writeUInt16LE(AF.netlink, 0);
    address.writeUInt32LE(LINK_GROUP, 8);
    orFail(this.#c.bind(fd, address, address.length), 'following network interfaces');
    return fd;
  }

  /** For joining IPv6 groups: the kernel then tells switches (MLD) and the network card. */
  groupSocket(): number {
    return this.#open(AF.inet6, SOCK.datagram, 0);
  }

  joinGroup(fd: number, group: Uint8Array, linkIndex: number): void {
    const request = Buffer.alloc(20);
    request.set(group, 0);
    request.writeInt32LE(linkIndex, 16);
    // Fails when joined already, which is as good.
    this.#c.setsockopt(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, request, request.length);
  }

  /** Replaces the socket's filter; false when the kernel refuses the program. */
  attachFilter(fd: number, encoded: Buffer): boolean {
    const program = Buffer.alloc(16);
    program.writeUInt16LE(encoded.length / 8, 0);
    program.writeBigUInt64LE(koffi.address(encoded), 8);
    return this.#c.setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, program.length) === 0;
  }

  /** Waits until one may be read or the time is over (-1: never); the positions of the readable ones. */
  poll(fds: readonly number[], timeoutMs: number): readonly number[] {
    const set = Buffer.alloc(fds.length * 8);
    for (const [index, fd] of fds.entries()) {
      set.writeInt32LE(fd, index * 8);
      set.writeInt16LE(POLL_IN, index * 8 + 4);
    }
    const count = this.#c.poll(set, fds.length, timeoutMs);
    if (count < 0 && koffi.errno() !== EINTR) orFail(count, 'waiting for frames');
    return fds.flatMap((_fd, index) => (set.readInt16LE(index * 8 + 6) === 0 ? [] : [index]));
  }

  /** One datagram without waiting, or undefined; its bytes are valid until the next call. */
  receive(fd: number): Received | undefined {
    this.#fromLength.writeUInt32LE(this.#from.length, 0);
    const buffer = this.#buffer;
    const size = this.#c.recvfrom(fd, buffer, buffer.length, DONT_WAIT, this.#from, this.#fromLength);
    if (size < 0) return undefined;
    return {
      bytes: buffer.subarray(0, size),
      linkIndex: this.#from.readInt32LE(4),
      packetType: this.#from[10] ?? 0,
    };
  }

  /** False when the kernel did not take it (interface down, buffers full). */
  send(fd: number, frame: Buffer, linkIndex: number): boolean {
    const to = this.#to;
    to.writeUInt16BE(frame.readUInt16BE(12), 2);
    to.writeInt32LE(linkIndex, 4);
    to.set(frame.subarray(0, 6), 12);
    return this.#c.sendto(fd, frame, frame.length, DONT_WAIT, to, to.length) === frame.length;
  }

  /** To the kernel itself, on a link socket. */
  tell(fd: number, message: Buffer): void {
    orFail(this.#c.send(fd, message, message.length, 0), 'asking for network interfaces');
  }

  drainEventFd(fd: number): void {
    this.#c.read(fd, this.#buffer, 8);
  }

  /** Lets go of freed memory and of these pages, which are read again from their files when they are needed. */
  giveBack(ranges: readonly MemoryRange[]): void {
    this.#c.malloc_trim?.(0);
    for (const { from, length } of ranges) this.#c.madvise(from, length, MADV_DONTNEED);
  }

  close(fd: number): void {
    this.#c.close(fd);
  }

  #open(family: number, type: number, protocol: number): number {
    const fd = this.#c.socket(family, type | SOCK.closeOnExec | SOCK.nonBlocking, protocol);
    return orFail(fd, 'opening a socket');
  }
}

function orFail(result: number, what: string): number {
  if (result >= 0) return result;
  // Plain errors: the package with better ones would cost this thread megabytes.
  const errno = koffi.errno();
  throw new Error(`${what} failed (errno ${errno}${errno === EPERM ? ': the capability NET_RAW is missing' : ''})`);
}

type Call = (...args: readonly unknown[]) => number;

type Name =
  | 'socket'
  | 'bind'
  | 'setsockopt'
  | 'poll'
  | 'recvfrom'
  | 'sendto'
  | 'send'
  | 'read'
  | 'close'
  | 'eventfd'
  | 'madvise';

function bindLibc(): Record<Name, Call> & { malloc_trim?: Call } {
  // The C library that Node itself runs on: no path, no version.
  const library = koffi.load(null);
  const bind = (prototype: string): Call => library.func(prototype) as Call;
  return {
    ...bindTrim(bind),
    madvise: bind('int madvise(uintptr_t from, unsigned long length, int advice)'),
    socket: bind('int socket(int family, int type, int protocol)'),
    bind: bind('int bind(int fd, void *address, unsigned int length)'),
    setsockopt: bind('int setsockopt(int fd, int level, int name, void *value, unsigned int length)'),
    poll: bind('int poll(void *fds, unsigned long count, int timeout)'),
    recvfrom: bind('long recvfrom(int fd, void *buffer, unsigned long size, int flags, void *from, void *length)'),
    sendto: bind('long sendto(int fd, void *buffer, unsigned long size, int flags, void *to, unsigned int length)'),
    send: bind('long send(int fd, void *buffer, unsigned long size, int flags)'),
    read: bind('long read(int fd, void *buffer, unsigned long size)'),
    close: bind('int close(int fd)'),
    eventfd: bind('int eventfd(unsigned int initial, int flags)'),
  };
}

/** Only the GNU library has it. */
function bindTrim(bind: (prototype: string) => Call): { malloc_trim?: Call } {
  try {
    return { malloc_trim: bind('int malloc_trim(unsigned long pad)') };
  } catch {
    return {};
  }
}

function swap16(value: number): number {
  return ((value & 0xff) << 8) | (value >>> 8);
}

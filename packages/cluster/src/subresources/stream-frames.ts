/** Owns the framing of `v4.channel.k8s.io` and `v5.channel.k8s.io`: one channel byte, then the bytes of that channel. */

export const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** The protocols we speak, best first. */
export const STREAM_PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const;

export function frame(channel: number, bytes: Uint8Array): Buffer {
  const result = Buffer.allocUnsafe(bytes.length + 1);
  result[0] = channel;
  result.set(bytes, 1);
  return result;
}

export interface Frame {
  readonly channel: number;
  readonly bytes: Buffer;
}

export function parseFrame(message: Buffer): Frame | undefined {
  const channel = message[0];
  return channel === undefined ? undefined : { channel, bytes: message.subarray(1) };
}

/** A terminal size from the resize channel; undefined when it is no size. */
export function parseResize(bytes: Buffer): { readonly width: number; readonly height: number } | undefined {
  try {
    const value = JSON.parse(bytes.toString('utf8')) as { readonly Width?: unknown; readonly Height?: unknown } | null;
    const [width, height] = [value?.Width, value?.Height];
    const isSize = (size: unknown): size is number =>
      typeof size === 'number' && Number.isInteger(size) && size >= 0 && size <= 65_535;
    return isSize(width) && isSize(height) ? { width, height } : undefined;
  } catch {
    return undefined;
  }
}

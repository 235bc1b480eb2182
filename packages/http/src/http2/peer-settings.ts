/** Owns what a client says of itself (RFC 9113 section 6.5): the few things that matter to a server that pushes nothing. */
import { MAX_TABLE_BYTES } from './hpack/dynamic-table.ts';
import type { FrameReader } from './frame-reader.ts';
import { CODE, DEFAULT_WINDOW, MAX_FRAME_BYTES, MAX_WINDOW, SETTING } from './protocol.ts';
import type { Code } from './protocol.ts';

export const SETTING_BYTES = 6;
const MAX_FRAME_SIZE = 16_777_215;

export class PeerSettings {
  /** What a stream may be sent in the beginning. */
  initialWindow: number = DEFAULT_WINDOW;
  /** The client's table became smaller with the settings that were taken last: it waits to hear that its peer follows (RFC 7541 section 4.2). */
  lowersTable = false;
  #table: number = MAX_TABLE_BYTES;

  /** Takes the settings of a frame in their order; gives what is wrong with one. */
  take(frame: FrameReader): Code | undefined {
    this.lowersTable = false;
    for (let offset = 0; offset < frame.length; offset += SETTING_BYTES) {
      const wrong = this.#set(frame.number(offset) >>> 16, frame.number(offset + 2));
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  }

  #set(id: number, value: number): Code | undefined {
    switch (id) {
      case SETTING.headerTableSize:
        this.lowersTable ||= value < this.#table;
        this.#table = value;
        return undefined;
      case SETTING.enablePush:
      case SETTING.enableConnectProtocol:
        return value > 1 ? CODE.protocol : undefined;
      case SETTING.initialWindowSize:
        if (value > MAX_WINDOW) return CODE.flowControl;
        this.initialWindow = value;
        return undefined;
      case SETTING.maxFrameSize:
        return value < MAX_FRAME_BYTES || value > MAX_FRAME_SIZE ? CODE.protocol : undefined;
      default:
        return undefined;
    }
  }
}

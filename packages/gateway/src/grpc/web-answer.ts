/** Owns a gRPC answer on its way to a grpc-web client: trailers become the last frame of the body (PROTOCOL-WEB of gRPC). */
import { findField, removeField, setField } from '@kfctl/http';
import type { FieldList } from '@kfctl/http';
import type { UpstreamHead } from '../upstream/upstream.ts';
import type { WebCall } from './web-request.ts';

const TRAILERS_FLAG = 0x80;
const GRPC_TYPE = /^application\/grpc(\+[\w.-]{1,32})?\s*(?:;|$)/i;

export class WebAnswer {
  readonly #call: WebCall;
  #hasFrames = false;

  constructor(call: WebCall) {
    this.#call = call;
  }

  /** What is no gRPC (an error page of something on the way) passes as it is. An answer that is all head keeps its status there. */
  begin(head: UpstreamHead, fields: string[]): void {
    const parts = GRPC_TYPE.exec(findField(head.fields, 'content-type') ?? '');
    if (head.status !== 200 || parts === null) return;
    const { isTextAnswer, suffix } = this.#call;
    const type = isTextAnswer ? 'application/grpc-web-text' : 'application/grpc-web';
    setField(fields, 'content-type', `${type}${parts[1] ?? (suffix || '+proto')}`);
    removeField(fields, 'content-length');
    this.#hasFrames = head.hasBody;
  }

  data(chunk: Buffer): Buffer {
    return this.#hasFrames ? this.#encode(chunk) : chunk;
  }

  /** The last frame; undefined: there is none. */
  trailers(fields: FieldList): Buffer | undefined {
    if (!this.#hasFrames || fields.length === 0) return undefined;
    let text = '';
    for (let index = 0; index < fields.length; index += 2) text += `${fields[index]}:${fields[index + 1]}\r\n`;
    const frame = Buffer.alloc(5 + Buffer.byteLength(text, 'latin1'));
    frame[0] = TRAILERS_FLAG;
    frame.writeUInt32BE(frame.length - 5, 1);
    frame.write(text, 5, 'latin1');
    return this.#encode(frame);
  }

  /** Each piece by itself, so that none waits for the next; clients read groups of four. */
  #encode(bytes: Buffer): Buffer {
    return this.#call.isTextAnswer ? Buffer.from(bytes.toString('base64'), 'latin1') : bytes;
  }
}

/** The curated exports of http: the strict HTTP/1.1 server, and the parts that a proxy builds on. It knows no policies. */
export { createCoarseClock, NOT_WATCHED } from './connection/coarse-clock.ts';
export type { CoarseClock, Watched } from './connection/coarse-clock.ts';
export { createCopyPool } from './connection/copy-pool.ts';
export type { CopyPool } from './connection/copy-pool.ts';
export { NO_LISTENER } from './connection/downstream.ts';
export type { Downstream, DownstreamHandler, DownstreamListener, ListenerPlace } from './connection/downstream.ts';
export { Http1Connection } from './connection/http1-connection.ts';
export type { Http1ConnectionOptions } from './connection/connection-options.ts';
export type { BodyTaker, Http1Downstream } from './connection/http1-downstream.ts';
export { Outgoing } from './connection/outgoing.ts';
export { NO_BODY, parseFraming } from './head/framing.ts';
export type { BadFraming, BodyFraming, StatedLength } from './head/framing.ts';
export { createHeadJudge } from './head/judge-head.ts';
export type { HeadJudge, RefusedStatus, ServedHead } from './head/judge-head.ts';
export { HEAD_LIMITS } from './head/raw-head.ts';
export type { AcceptedHead, HeadLimits, RawHead } from './head/raw-head.ts';
export { BodyReader } from './message/body-reader.ts';
export type { BodySink } from './message/body-reader.ts';
export { splitFieldLines } from './message/field-lines.ts';
export { createFieldNames, ownCopy } from './message/field-names.ts';
export type { FieldNames } from './message/field-names.ts';
export { isFieldName, isFieldValue } from './message/field-syntax.ts';
export { findField, removeField, setField } from './message/fields.ts';
export type { FieldList } from './message/fields.ts';
export { createHttpDate } from './message/http-date.ts';
export { collectBody } from './server/collect-body.ts';
export { createConnectionServer } from './server/connection-server.ts';
export type {
  ConnectionLimits,
  ConnectionServer,
  ConnectionServerOptions,
  ServerTls,
} from './server/connection-server.ts';
export { createHttpServer } from './server/http-server.ts';
export type { HttpServer, HttpServerOptions } from './server/http-server.ts';
export { htmlResponse, jsonResponse, readForm, readJson, textResponse } from './server/message.ts';
export type { HttpHandler, HttpRequest, HttpResponse } from './server/message.ts';
export { createRouter } from './server/router.ts';
export type { Route } from './server/router.ts';

import { CodecError, Reader, Writer } from './bytes.ts';
import { messageOf, within } from './message.ts';
import { readBody, writeBody, type Struct } from './value.ts';

const API_VERSIONS = 18;
/** A response begins with its size and correlation id. */
export const RESPONSE_PREFIX = 8;

/** The head of a request (protocol guide, request header v1 and v2). */
export interface RequestHead {
  apiKey: number;
  version: number;
  correlationId: number;
  /** null: none given, or not yet readable. */
  clientId: string | null;
  /** Where the body begins in the frame; undefined where the release of our table has no such version. */
  bodyAt: number | undefined;
}

/**
 * Reads the head of a request frame, size included. The client id has the same place and form in all
 * versions, so that also a request of a later release has one.
 * @throws CodecError where not even that is there.
 */
export function readRequestHead(frame: Uint8Array): RequestHead {
  const reader = new Reader(frame, 4);
  const apiKey = reader.i16();
  const version = reader.i16();
  const head: RequestHead = {
    apiKey,
    version,
    correlationId: reader.i32(),
    clientId: null,
    bodyAt: undefined,
  };
  const length = reader.i16();
  if (length >= 0) head.clientId = reader.text(length);
  const message = messageOf(apiKey, 'request');
  if (message === undefined || !within(message.versions, version)) return head;
  if (within(message.flexible, version)) {
    for (let left = reader.varint(); left > 0; left--) {
      reader.varint();
      reader.raw(reader.varint());
    }
  }
  head.bodyAt = reader.at;
  return head;
}

/** The body of a request frame; undefined where its version is unknown. @throws CodecError */
export function readRequestBody(frame: Uint8Array, head: RequestHead): Struct | undefined {
  const message = messageOf(head.apiKey, 'request');
  if (message === undefined || head.bodyAt === undefined) return undefined;
  const reader = new Reader(frame, head.bodyAt);
  const body = readBody(reader, message, head.version);
  if (reader.left > 0) throw new CodecError(`${reader.left} bytes after a ${message.name} request`);
  return body;
}

/** Whether a response to this request can be read and written here. */
export function knowsResponse({ apiKey, version }: RequestHead): boolean {
  const message = messageOf(apiKey, 'response');
  return message !== undefined && within(message.versions, version);
}

/** The response of ApiVersions keeps its first header for good, so that every client can read it. */
const hasTags = (apiKey: number, version: number): boolean => {
  const message = messageOf(apiKey, 'response');
  return message !== undefined && apiKey !== API_VERSIONS && within(message.flexible, version);
};

/** @throws CodecError where the frame is no such response. */
export function readResponse(frame: Uint8Array, head: RequestHead): Struct {
  const message = messageOf(head.apiKey, 'response');
  if (message === undefined) throw new CodecError(`no response of API key ${head.apiKey} is known`);
  const reader = new Reader(frame, RESPONSE_PREFIX);
  if (hasTags(head.apiKey, head.version)) {
    for (let left = reader.varint(); left > 0; left--) {
      reader.varint();
      reader.raw(reader.varint());
    }
  }
  const body = readBody(reader, message, head.version);
  if (reader.left > 0)
    throw new CodecError(`${reader.left} bytes after a ${message.name} response`);
  return body;
}

/** A whole response frame, size included. @throws CodecError where the version is unknown. */
export function writeResponse(head: RequestHead, body: Struct): Uint8Array {
  const message = messageOf(head.apiKey, 'response');
  if (message === undefined) throw new CodecError(`no response of API key ${head.apiKey} is known`);
  const writer = new Writer();
  writer.i32(0);
  writer.i32(head.correlationId);
  if (hasTags(head.apiKey, head.version)) writer.varint(0);
  writeBody(writer, message, head.version, body);
  return sized(writer.done());
}

/** A whole request frame, size included: for questions of our own. */
export function writeRequest(
  head: Pick<RequestHead, 'apiKey' | 'version' | 'correlationId' | 'clientId'>,
  body: Struct,
): Uint8Array {
  const message = messageOf(head.apiKey, 'request');
  if (message === undefined) throw new CodecError(`no request of API key ${head.apiKey} is known`);
  const writer = new Writer();
  writer.i32(0);
  writer.i16(head.apiKey);
  writer.i16(head.version);
  writer.i32(head.correlationId);
  const clientId = Uint8Array.from(head.clientId ?? '', (char) => char.charCodeAt(0));
  writer.i16(head.clientId === null ? -1 : clientId.length);
  writer.raw(clientId);
  if (within(message.flexible, head.version)) writer.varint(0);
  writeBody(writer, message, head.version, body);
  return sized(writer.done());
}

function sized(frame: Uint8Array): Uint8Array {
  new DataView(frame.buffer, frame.byteOffset).setInt32(0, frame.length - 4);
  return frame;
}

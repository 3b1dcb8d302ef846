/**
 * Frames of an agent's link (WebSocket, JSON, one frame a message). The coordinator dials, names what
 * it expects in headers (faultline-node, faultline-cluster, faultline-version, faultline-owner); the
 * agent answers 409 with problem details where it is somebody else.
 */
export type LinkFrame =
  /** One route of api.ts. */
  | { frame: 'request'; seq: number; method: string; path: string; body?: unknown }
  | { frame: 'answer'; seq: number; status: number; body?: unknown }
  /** A fault's new state, pushed as it happens; also all faults, once, when the link opens. */
  | { frame: 'status'; faults: unknown[]; complete: boolean }
  | { frame: 'workload'; id: string; status: unknown }
  /** Something to be told of that changes no fault's state. */
  | { frame: 'event'; event: LinkEvent };

/** An event of the agent's, before it has an id; `fault` as its owner knows it. */
export interface LinkEvent {
  type: string;
  fault?: string;
  message: string;
  data?: unknown;
}

/** A frame larger than this ends the link. */
export const LINK_FRAME_BYTES_MAX = 4 * 1024 * 1024;
/** Ping this often; a link silent for three of them is half-open and is dropped. */
export const LINK_PING_MS = 2_000;

/** @throws SyntaxError, TypeError: no frame, which an agent of ours would not send. */
export function readLinkFrame(text: string): LinkFrame {
  const frame = JSON.parse(text) as LinkFrame | null;
  if (typeof frame !== 'object' || frame === null) throw new TypeError('no object');
  if (frame.frame === 'status' && !Array.isArray(frame.faults)) throw new TypeError('no faults');
  if (frame.frame === 'event' && !isEvent(frame.event)) throw new TypeError('no event');
  return frame;
}

function isEvent(given: LinkEvent | null | undefined): boolean {
  const { type, message, fault } = given ?? {};
  const named = fault === undefined || typeof fault === 'string';
  return typeof type === 'string' && typeof message === 'string' && named;
}

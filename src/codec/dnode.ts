/** dnode frames, framing version 1 (typed face of assembly/codec/dnode.ts). */
import { CodecError } from "./codec-error.ts";
import type { CodecInstance, CodecMemoryExports } from "./instance.ts";
import { FIRST_WINDOW_BYTES, inWindows, WINDOW_BYTES, WINDOW_INCOMPLETE } from "./windows.ts";

/** The types of a frame. Others may come, and are to be passed over. */
export const DNODE_TYPE = {
  unknown: 0,
  debug: 1,
  parseError: 2,
  request: 3,
  requestForward: 4,
  response: 5,
  cryptoHandshake: 6,
  gossipSyn: 7,
  gossipSynReply: 8,
  gossipAck: 9,
  gossipDigestSyn: 10,
  gossipDigestAck: 11,
  gossipDigestAck2: 12,
  gossipShutdown: 13,
} as const;

/** Value of `flags` of a frame whose payload is encrypted; every other one means plain. */
export const DNODE_ENCRYPTED = 1;

/** A frame. */
export interface DnodeFrame {
  /** 64 bits, unsigned. */
  readonly id: bigint;
  /** One of DNODE_TYPE, or another number up to 255. */
  readonly type: number;
  /** Four bits. */
  readonly flags: number;
  /** Always written as 1, and never looked at. */
  readonly version: number;
  /** Whether the sender takes the receiver to be in its own datacenter. */
  readonly sameDc: boolean;
  /** The data field, at least one byte: "d", for gossip "a", a session key, or an advertisement. */
  readonly data: Uint8Array;
  readonly payload: Uint8Array;
}

/** A frame as it was read. */
export interface DnodeFrameRead extends DnodeFrame {
  /** The payload's length as the header has it. The C engine states a wrong one when it relays a plain frame. */
  readonly statedPayloadLength: number;
  /** Offset of the frame's first byte, its leading spaces included. */
  readonly start: number;
  /** Offset behind the frame. */
  readonly end: number;
  /** Bytes in front of the frame that belonged to none. */
  readonly skipped: number;
}

export interface DnodeOptions {
  /** What is in the payload of a plain request or response; "redis" if no options are given. */
  readonly payload: "redis" | "memcached";
  /** Longest payload in bytes; 512 MiB and 64 KiB if left out. */
  readonly maxPayloadBytes?: number;
}

/** What `parseDnode()` found. */
export type DnodeResult =
  | {
      readonly status: "complete";
      readonly frame: DnodeFrameRead;
      readonly end: number;
      readonly skipped: number;
    }
  | {
      readonly status: "incomplete";
      /** At least so many more bytes are needed. */
      readonly wanted: number;
      /** What lies in front of this offset is not needed any more. */
      readonly end: number;
      /** Bytes between the given offset and `end`: they belonged to no frame. */
      readonly skipped: number;
    }
  | {
      readonly status: "error";
      readonly error: CodecError;
      readonly end: number;
      readonly skipped: number;
    };

/** What `parseDnodes()` found. */
export interface DnodeFrames {
  readonly frames: DnodeFrameRead[];
  /** Offset behind the last frame and what was passed over since: from there on, bytes must be given again. */
  readonly end: number;
  /** Bytes between the last frame and `end`. */
  readonly skipped: number;
  readonly status: "complete" | "incomplete" | "error";
  readonly wanted: number;
  readonly error: CodecError | null;
}

export interface DnodeFace {
  /**
   * Reads the first frame at or behind `offset` (0 if left out), as the C engine's acceptor would: what is in front of a frame, and
   * headers that do not read as one, are passed over and counted. The payload of a plain request, forwarded request or response ends
   * where the request or reply in it ends, whatever the header states; every other one is as long as stated. Data and payload are
   * views of `bytes`.
   *
   * Limits: data of 64 KiB, payloads of `maxPayloadBytes`. Codes: DNODE_LONG_DATA, DNODE_LONG_PAYLOAD, DNODE_BAD_PAYLOAD; the
   * connection cannot be read any further after one of them.
   */
  parseDnode(bytes: Uint8Array, offset?: number, options?: DnodeOptions): DnodeResult;
  /** Every whole frame from `offset` on, in one go; see `parseDnode`. */
  parseDnodes(bytes: Uint8Array, offset?: number, options?: DnodeOptions): DnodeFrames;
  /**
   * A frame as its bytes, with the length that the payload has. Throws CodecError DNODE_BAD_FRAME for a field that does not fit, and
   * for an empty data field: a C node would wait for the frame's end for ever.
   */
  writeDnode(frame: Omit<DnodeFrame, "version"> & { readonly version?: number }): Uint8Array;
}

export interface DnodeExports extends CodecMemoryExports {
  parseDnode(start: number, end: number, state: number, kind: number, maxPayload: number): number;
  writeDnodeHeader(
    out: number,
    id: bigint,
    type: number,
    flags: number,
    version: number,
    sameDc: boolean,
    data: number,
    dataLength: number,
    payloadLength: number,
  ): number;
  readonly dnodeStart: WebAssembly.Global;
  readonly dnodeWanted: WebAssembly.Global;
}

/** Longest payload where nothing else is said, in bytes: the longest value, and what is around it. */
const MAX_PAYLOAD_BYTES = 512 * 1024 * 1024 + 64 * 1024;
/** Highest limit that can be asked for, in bytes. */
const HIGHEST_LIMIT_BYTES = 0x7fffffff;
/** Longest data field, in bytes. */
const MAX_DATA_BYTES = 64 * 1024;
/** Size of the parser's state. */
const STATE_BYTES = 64 + 16 + 8 * 32;
/** Most bytes of a header beside its data. */
const MAX_HEADER_BYTES = 96;

const REDIS: DnodeOptions = { payload: "redis" };

const COMPLETE = 0;
const MOST = 0xffffffff;

/** Code and text of each status of the parser from 2 on. */
const ERRORS: readonly (readonly [code: string, text: string])[] = [
  ["DNODE_LONG_DATA", "the data field is longer than 64 KiB"],
  ["DNODE_LONG_PAYLOAD", "the payload is longer than the limit"],
  ["DNODE_BAD_PAYLOAD", "the payload is neither a request nor a reply"],
];

export function dnodeFace(instance: CodecInstance<DnodeExports>): DnodeFace {
  const { parseDnode, writeDnodeHeader, dnodeStart, dnodeWanted } = instance.exports;

  function parse(
    bytes: Uint8Array,
    offset: number,
    options: DnodeOptions,
    most: number,
  ): DnodeFrames {
    const kind = options.payload === "memcached" ? 1 : 0;
    const limit = Math.min(options.maxPayloadBytes ?? MAX_PAYLOAD_BYTES, HIGHEST_LIMIT_BYTES);
    const frames: DnodeFrameRead[] = [];
    // Windows begin at a frame, or where junk was passed over: what was before is counted here.
    let skipped = 0;

    function parseWindow(window: Uint8Array, windowOffset: number) {
      const state = instance.reserve(STATE_BYTES + window.length);
      const input = state + STATE_BYTES;
      instance.bytes.fill(0, state, input);
      instance.bytes.set(window, input);
      const end = input + window.length;
      let at = input;
      let status = COMPLETE;
      while (at < end && frames.length < most) {
        status = parseDnode(at, end, state, kind, limit);
        const start = dnodeStart.value >>> 0;
        skipped += start - at;
        at = start;
        if (status !== COMPLETE) break;
        const frame = readFrame(instance.data, state, window, windowOffset, start - input, skipped);
        frames.push(frame);
        at += frame.end - frame.start;
        skipped = 0;
      }
      return {
        consumed: at - input,
        status,
        wanted: status === WINDOW_INCOMPLETE ? dnodeWanted.value : 0,
        done: frames.length >= most,
      };
    }

    const first = most === 1 ? FIRST_WINDOW_BYTES : WINDOW_BYTES;
    const { consumed, status, wanted } = inWindows(bytes, offset, first, parseWindow);
    const found = { frames, end: consumed, skipped };
    if (status === COMPLETE) return { ...found, status: "complete", wanted: 0, error: null };
    if (status === WINDOW_INCOMPLETE)
      return { ...found, status: "incomplete", wanted, error: null };
    const [code, text] = ERRORS[status - 2]!;
    const error = new CodecError(
      code,
      `bad dnode frame: ${text}; the connection cannot be read any further`,
    );
    return { ...found, status: "error", wanted: 0, error };
  }

  return {
    parseDnode(bytes, offset = 0, options = REDIS) {
      const { frames, end, skipped, wanted, error } = parse(bytes, offset, options, 1);
      const frame = frames[0];
      if (frame !== undefined) return { status: "complete", frame, end, skipped: frame.skipped };
      if (error !== null) return { status: "error", error, end, skipped };
      return { status: "incomplete", wanted: Math.max(wanted, 1), end, skipped };
    },
    parseDnodes: (bytes, offset = 0, options = REDIS) => parse(bytes, offset, options, MOST),
    writeDnode(frame) {
      const { id, type, flags, version = 1, sameDc, data, payload } = frame;
      checkFrame(id, type, flags, version, data);
      const dataAt = instance.place(data, MAX_HEADER_BYTES + data.length);
      const out = dataAt + data.length;
      const end =
        writeDnodeHeader(
          out,
          id,
          type,
          flags,
          version,
          sameDc,
          dataAt,
          data.length,
          payload.length,
        ) >>> 0;
      const bytes = new Uint8Array(end - out + payload.length);
      bytes.set(instance.bytes.subarray(out, end));
      bytes.set(payload, end - out);
      return bytes;
    },
  };
}

/** The frame that the parser has put into its state. */
function readFrame(
  data: DataView,
  state: number,
  window: Uint8Array,
  windowOffset: number,
  start: number,
  skipped: number,
): DnodeFrameRead {
  const word = (at: number) => data.getUint32(state + at, true);
  const base = window.byteOffset + start;
  const payload = word(44);
  const length = word(48);
  return {
    id: data.getBigUint64(state + 8, true),
    type: word(16),
    flags: word(20),
    version: word(24),
    sameDc: word(28) === 1,
    data: new Uint8Array(window.buffer, base + word(32), word(36)),
    payload: new Uint8Array(window.buffer, base + payload, length - payload),
    statedPayloadLength: word(40),
    start: windowOffset + start,
    end: windowOffset + start + length,
    skipped,
  };
}

function checkFrame(
  id: bigint,
  type: number,
  flags: number,
  version: number,
  data: Uint8Array,
): void {
  const wrong =
    id < 0n || id >= 1n << 64n
      ? `its id ${id} does not fit 64 bits`
      : !isByte(type) || !isByte(version)
        ? `its type ${type} and version ${version} must be 0 to 255`
        : !isByte(flags) || flags > 15
          ? `its flags ${flags} must be 0 to 15`
          : data.length === 0 || data.length > MAX_DATA_BYTES
            ? `its data field has ${data.length} bytes and must have 1 to ${MAX_DATA_BYTES}`
            : null;
  if (wrong !== null) {
    throw new CodecError("DNODE_BAD_FRAME", `the frame cannot be written: ${wrong}`);
  }
}

function isByte(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 255;
}

/** Frames of version 2: the numbers are the kernel's, what is written is read again, and a stream of them may be cut anywhere. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CONTROL } from "../../../src/link/control-frame.ts";
import {
  DATABASE_MASK,
  decodeBatch,
  decodeFloor,
  decodeRead,
  decodeRequest,
  decodeResponse,
  decodeStatus,
  decodeWrite,
  encodeBatch,
  encodeFloor,
  encodeRead,
  encodeRequest,
  encodeResponse,
  encodeStatus,
  encodeWrite,
  FLAGS_MASK,
  FRAME,
  FRAME_BYTES,
  FRAME_FIRST_OF,
  FRAME_FLAG,
  frameHead,
  newFrame,
} from "../../../src/link/frame.ts";
import { FrameSplitter } from "../../../src/link/frame-splitter.ts";
import { LINK_LIMITS } from "../../../src/link/limits.ts";

const key = new TextEncoder().encode("key");
const value = new TextEncoder().encode("a value");
const WRITE = {
  database: 5,
  flags: FRAME_FLAG.tombstone | FRAME_FLAG.spread,
  stamp: 0xfedc_ba98_7654_3210n,
  expiry: 0xffff_ffff_fffen,
  node: 65_534,
  key,
  value,
};

/** The constants of the kernel, by name. */
function kernelConstants(file: string): Map<string, number> {
  const source = readFileSync(
    new URL(`../../../assembly/kernel/ring/${file}`, import.meta.url),
    "utf8",
  );
  const constants = new Map<string, number>();
  for (const [, name, text] of source.matchAll(/export (?:const|let) (\w+): [iu]32 = ([^;]+);/g)) {
    const factors = text!.split("*").map((factor) => Number(factor.trim().replaceAll("_", "")));
    constants.set(
      name!,
      factors.reduce((product, factor) => product * factor, 1),
    );
  }
  return constants;
}

test("types, flags and lengths are those of the kernel", () => {
  const kernel = kernelConstants("frames.ts");
  const types = [
    "write",
    "read",
    "batch",
    "floor",
    "acks",
    "stale",
    "newer",
    "older",
    "fail",
    "prior",
  ] as const;
  for (const type of types) {
    expect(FRAME[type], type).toBe(kernel.get(`FRAME_${type.toUpperCase()}`));
  }
  expect(FRAME_FLAG).toEqual({
    tombstone: kernel.get("FRAME_TOMBSTONE"),
    spread: kernel.get("FRAME_SPREAD"),
    object: kernel.get("FRAME_OBJECT"),
    tagged: kernel.get("FRAME_TAGGED"),
  });
  expect([FLAGS_MASK, DATABASE_MASK]).toEqual([
    kernel.get("FRAME_FLAGS"),
    kernel.get("FRAME_DATABASE"),
  ]);
  expect(FRAME_FIRST_OF).toEqual({
    kernel: kernel.get("FRAME_FIRST"),
    host: kernel.get("FRAME_HOST"),
  });
  expect(FRAME_BYTES.header).toBe(kernel.get("FRAME_HEADER_BYTES"));
  expect(FRAME_BYTES.key).toBe(kernel.get("KEY_HEADER_BYTES"));
  expect(FRAME_BYTES.batch).toBe(kernel.get("KEY_HEADER_BYTES"));
  expect(FRAME_BYTES.floor).toBe(kernel.get("FLOOR_BYTES"));
  expect(LINK_LIMITS.maxFrameBytes).toBe(kernelConstants("limits.ts").get("maxFrameBytes"));
  expect(Math.max(...Object.values(CONTROL))).toBeLessThan(FRAME_FIRST_OF.kernel);
});

test("a WRITE has the layout that the header draws", () => {
  const frame = encodeWrite(WRITE);
  expect([...frame.subarray(0, 28)]).toEqual([
    ...[38, 0, 0, 0, 0x10, 0x35, 0, 0],
    ...[0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe],
    ...[0xfe, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff],
    ...[3, 0, 0, 0],
  ]);
  expect(new TextDecoder().decode(frame.subarray(28))).toBe("keya value");
});

test("what is written is read again", () => {
  const write = encodeWrite(WRITE);
  expect(decodeWrite(write)).toEqual(WRITE);
  expect(frameHead(write)).toEqual({
    length: write.length,
    type: FRAME.write,
    flags: WRITE.flags,
    database: 5,
    aux: 0,
  });
  const read = { database: 15, flags: 0x10, stamp: 1n, node: 2, key };
  expect(decodeRead(encodeRead(read))).toEqual(read);
  const batch = {
    database: 1,
    stamp: 9n,
    node: 3,
    writes: [write, encodeWrite({ ...WRITE, key: value })],
  };
  expect(decodeBatch(encodeBatch(batch))).toEqual(batch);
  const floor = { database: 2, stamp: 3n, node: 4 };
  expect(decodeFloor(encodeFloor(floor))).toEqual(floor);
  const request = { id: 0xffff_ffff, timeoutMs: 5000, kind: 200, body: value };
  expect(decodeRequest(encodeRequest(request))).toEqual(request);
  const response = { id: 7, status: 1, body: value };
  expect(decodeResponse(encodeResponse(response))).toEqual(response);
  expect(decodeStatus(encodeStatus({ fenced: true }))).toEqual({ fenced: true });
});

test("a frame inside a larger buffer is read from its own place", () => {
  const write = encodeWrite(WRITE);
  const around = new Uint8Array(write.length + 20);
  around.set(write, 13);
  expect(decodeWrite(around.subarray(13, 13 + write.length))).toEqual(WRITE);
});

test("frames that do not hold what they say are refused", () => {
  const bad = expect.objectContaining({ code: "BAD_FRAME" });
  const write = encodeWrite(WRITE);
  const long = write.slice();
  new DataView(long.buffer).setUint32(24, write.length, true);
  expect(() => decodeWrite(long)).toThrow(bad);
  expect(() => decodeWrite(write.subarray(0, 27))).toThrow(bad);
  expect(() => decodeRead(newFrame(27, FRAME.read))).toThrow(bad);
  expect(() => decodeFloor(newFrame(25, FRAME.floor))).toThrow(bad);
  expect(() => decodeRequest(newFrame(19, FRAME.request))).toThrow(bad);
  expect(() => decodeResponse(newFrame(15, FRAME.response))).toThrow(bad);
  expect(() => decodeStatus(newFrame(9, FRAME.status))).toThrow(bad);
  const batch = encodeBatch({ database: 0, stamp: 1n, node: 0, writes: [write, write] });
  for (let length = 8; length < batch.length; length++) {
    expect(() => decodeBatch(batch.subarray(0, length))).toThrow(bad);
  }
  for (const count of [1, 3, 0xffff_ffff]) {
    const counted = batch.slice();
    new DataView(counted.buffer).setUint32(24, count, true);
    expect(() => decodeBatch(counted)).toThrow(bad);
  }
});

test("a stream of frames gives the same frames wherever it is cut", () => {
  const frames = [
    newFrame(8, 0x31),
    encodeWrite(WRITE),
    newFrame(8, 0x10),
    encodeWrite({ ...WRITE, value: new Uint8Array(300).fill(9) }),
    newFrame(9, 0x32),
  ];
  const stream = Uint8Array.from(frames.flatMap((frame) => [...frame]));
  const split = (cuts: readonly number[]) => {
    const splitter = new FrameSplitter(1000);
    const found: Uint8Array[] = [];
    let from = 0;
    for (const to of [...cuts, stream.length]) {
      const piece = stream.slice(from, to);
      const taken = splitter.push(piece, (frame) => found.push(frame.slice()) > 0);
      expect(taken).toBe(piece.length);
      piece.fill(0xee);
      from = to;
    }
    return found;
  };
  for (let one = 0; one <= stream.length; one++) {
    expect(split([one])).toEqual(frames);
    for (const other of [one + 1, one + 5, one + 30].filter((at) => at <= stream.length)) {
      expect(split([one, other])).toEqual(frames);
    }
  }
  expect(split(Array.from(stream, (_, at) => at))).toEqual(frames);
});

test("a splitter that is told to stop says how far it came, wherever the stream was cut", () => {
  const frame = encodeWrite(WRITE);
  const stream = Uint8Array.of(...frame, ...frame, 1, 2, 3);
  for (let cut = 0; cut < frame.length; cut++) {
    const splitter = new FrameSplitter(1000);
    expect(splitter.push(stream.subarray(0, cut), () => true)).toBe(cut);
    expect(splitter.push(stream.subarray(cut), () => false)).toBe(frame.length - cut);
  }
});

test("frames beyond the limit, or shorter than their header, end a stream before memory is taken", () => {
  for (const [length, code] of [
    [1001, "FRAME_TOO_LONG"],
    [0xffff_ffff, "FRAME_TOO_LONG"],
    [7, "BAD_FRAME"],
    [0, "BAD_FRAME"],
  ] as const) {
    const header = newFrame(8, 0x10);
    new DataView(header.buffer).setUint32(0, length, true);
    for (let cut = 0; cut < 8; cut++) {
      const splitter = new FrameSplitter(1000);
      const push = () => {
        splitter.push(header.subarray(0, cut), () => true);
        splitter.push(header.subarray(cut), () => true);
      };
      expect(push).toThrow(expect.objectContaining({ code }));
    }
  }
});

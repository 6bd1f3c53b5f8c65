import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DNODE_TYPE, type DnodeFrameRead } from "../../../src/codec/dnode.ts";
import { codec, codeOf } from "./codec-under-test.ts";

const folder = new URL("../../fixtures/dnode/", import.meta.url);

/** The recorded streams, and the rows that say what is in each. */
const recorded = (() => {
  const [, ...rows] = readFileSync(new URL("frames.tsv", folder), "utf8").trimEnd().split("\n");
  const streams = new Map<string, string[][]>();
  for (const row of rows) {
    const [file = "", ...fields] = row.split("\t");
    streams.set(file, [...(streams.get(file) ?? []), fields]);
  }
  return [...streams].map(([file, frames]) => ({
    file,
    frames,
    bytes: new Uint8Array(readFileSync(new URL(file, folder))),
    payload: file.startsWith("memcache") ? ("memcached" as const) : ("redis" as const),
  }));
})();

/** A frame as a row says it. */
function row(frame: DnodeFrameRead): string[] {
  const { start, id, type, flags, version, sameDc, data, statedPayloadLength, payload } = frame;
  const numbers = [start, id, type, flags, version, sameDc ? 1 : 0];
  return [...numbers, data.length, statedPayloadLength, payload.length].map(String);
}

/** The rows that the frames come to, with those between them that say what was passed over. */
function rowsOf(frames: readonly DnodeFrameRead[]): string[][] {
  return frames.flatMap((frame) =>
    frame.skipped === 0
      ? [row(frame)]
      : [[String(frame.start - frame.skipped), "stray", String(frame.skipped)], row(frame)],
  );
}

/** Frames whose stated payload length is not what follows: the C engine counts the header in when it relays a plain frame. */
const WRONG_LENGTHS = [
  "relay-req-forward/12-n1-to-n2.bin at 0",
  "relay-req-forward/12-n1-to-n2.bin at 51",
];

const ascii = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
const GET = "*2\r\n$3\r\nGET\r\n$1\r\nq\r\n";
const redis = { payload: "redis" } as const;

describe("dnode frames that C nodes sent", () => {
  it("are all there: every recorded file has its rows", () => {
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
    expect(files.filter((file) => file.endsWith(".bin")).sort()).toEqual(
      recorded.map(({ file }) => file).sort(),
    );
    expect(
      recorded.flatMap(({ frames }) => frames).filter(([, id]) => id !== "stray"),
    ).toHaveLength(790);
  });

  it.each(recorded)("$file is read as its manifest says", ({ bytes, frames, payload }) => {
    const found = codec.parseDnodes(bytes, 0, { payload });
    expect(found).toMatchObject({ status: "complete", end: bytes.length, skipped: 0, error: null });
    expect(rowsOf(found.frames)).toEqual(frames);
  });

  it("are written again as the same bytes, but for the wrong lengths of relayed frames", () => {
    const differing: string[] = [];
    for (const { file, bytes, payload } of recorded) {
      for (const frame of codec.parseDnodes(bytes, 0, { payload }).frames) {
        const written = codec.writeDnode(frame);
        if (Buffer.compare(written, bytes.subarray(frame.start, frame.end)) === 0) continue;
        differing.push(`${file} at ${frame.start}`);
        const again = codec.parseDnode(written, 0, { payload });
        expect(again).toMatchObject({ frame: { statedPayloadLength: frame.payload.length } });
      }
    }
    expect(differing).toEqual(WRONG_LENGTHS);
  });

  it("are read the same when they arrive in pieces of any length", () => {
    for (const { bytes, frames, payload } of recorded) {
      for (const size of [1, 7, 100, 1460]) {
        if (bytes.length / size > 3000) continue;
        expect(inPieces(bytes, size, payload)).toEqual(frames);
      }
    }
  });
});

/** Reads a stream that arrives `size` bytes at a time, keeping only what the codec asks to keep. */
function inPieces(bytes: Uint8Array, size: number, payload: "redis" | "memcached"): string[][] {
  const rows: string[][] = [];
  let at = 0;
  let skipped = 0;
  for (let have = Math.min(size, bytes.length); ; have = Math.min(have + size, bytes.length)) {
    const found = codec.parseDnodes(bytes.subarray(at, have), 0, { payload });
    for (const frame of found.frames) {
      const whole = { ...frame, start: frame.start + at, skipped: frame.skipped + skipped };
      rows.push(...rowsOf([whole]));
      skipped = 0;
    }
    skipped += found.skipped;
    at += found.end;
    expect(found.error).toBeNull();
    if (have === bytes.length) return rows;
  }
}

describe("a dnode frame", () => {
  const frame = `   $2014$ 3 3 0 1 1 *1 d *20\r\n${GET}`;

  it("is read at every cut, and says how many more bytes it needs", () => {
    for (let cut = 0; cut < frame.length; cut++) {
      const result = codec.parseDnode(ascii(frame).subarray(0, cut), 0, redis);
      expect(result.status).toBe("incomplete");
      if (result.status === "incomplete")
        expect(cut + result.wanted).toBeLessThanOrEqual(frame.length);
      if (result.status === "incomplete") expect(result).toMatchObject({ end: 0, skipped: 0 });
    }
    const result = codec.parseDnode(ascii(frame), 0, redis);
    expect(result).toMatchObject({
      status: "complete",
      end: frame.length,
      skipped: 0,
      frame: {
        id: 3n,
        type: DNODE_TYPE.request,
        flags: 0,
        version: 1,
        sameDc: true,
        statedPayloadLength: 20,
      },
    });
    if (result.status === "complete") expect(text(result.frame.payload)).toBe(GET);
  });

  it.each([
    ["no leading spaces", `$2014$ 4 3 0 1 1 *1 d *20\r\n${GET}`, 0],
    ["one leading space", ` $2014$ 4 3 0 1 1 *1 d *20\r\n${GET}`, 0],
    ["five leading spaces", `     $2014$ 4 3 0 1 1 *1 d *20\r\n${GET}`, 2],
    ["leading CR LF", `\r\n   $2014$ 4 3 0 1 1 *1 d *20\r\n${GET}`, 2],
    ["leading text", `hello   $2014$ 4 3 0 1 1 *1 d *20\r\n${GET}`, 5],
    ["another version", `   $2014$ 4 3 0 2 1 *1 d *20\r\n${GET}`, 0],
    ["no star before the data length", `   $2014$ 4 3 0 1 1 1 d *20\r\n${GET}`, 0],
    ["more spaces before the payload length", `   $2014$ 4 3 0 1 1 *1 d     *20\r\n${GET}`, 0],
    ["no space before the payload length", `   $2014$ 4 3 0 1 1 *1 d*20\r\n${GET}`, 0],
    ["data with spaces, stars and digits", `   $2014$ 4 3 0 1 1 *5 1 * 2 *20\r\n${GET}`, 0],
    ["a payload length of 0", `   $2014$ 4 3 0 1 1 *1 d *0\r\n${GET}`, 0],
    ["a payload length too high by 50", `   $2014$ 4 3 0 1 1 *1 d *70\r\n${GET}`, 0],
    [
      "a wrong magic in front",
      `   $2015$ 51 3 0 1 1 *1 d *20\r\n${GET}   $2014$ 4 3 0 1 1 *1 d *20\r\n${GET}`,
      51,
    ],
    ["flags 2, which mean plain", `   $2014$ 4 3 2 1 1 *1 d *20\r\n${GET}`, 0],
    ["flags 16, whose low four bits are 0", `   $2014$ 4 3 16 1 1 *1 d *20\r\n${GET}`, 0],
  ])("is read with %s, as the C engine reads it", (_, stream, skipped) => {
    const result = codec.parseDnode(ascii(stream), 0, redis);
    expect(result).toMatchObject({
      status: "complete",
      skipped,
      end: stream.length,
      frame: { id: 4n },
    });
    if (result.status === "complete") expect(text(result.frame.payload)).toBe(GET);
  });

  it.each([
    ["two spaces between fields", "   $2014$  59 3 0 1 1 *1 d *20\r\n"],
    ["a tab between fields", "   $2014$ 59\t3 0 1 1 *1 d *20\r\n"],
    ["LF without CR", "   $2014$ 59 3 0 1 1 *1 d *20\n"],
    ["no data", "   $2014$ 59 3 0 1 1 *0  *20\r\n"],
    ["an id of more than 64 bits", "   $2014$ 18446744073709551616 3 0 1 1 *1 d *20\r\n"],
    ["a type of more than 8 bits", "   $2014$ 59 259 0 1 1 *1 d *20\r\n"],
    ["no number as type", "   $2014$ 59 x 0 1 1 *1 d *20\r\n"],
    ["no second star", "   $2014$ 59 3 0 1 1 *1 d 20\r\n"],
  ])("is passed over with %s, and the next one is found", (_, header) => {
    const next = `   $2014$ 60 3 0 1 1 *1 d *20\r\n${GET}`;
    const result = codec.parseDnode(ascii(`${header}${GET}${next}`), 0, redis);
    expect(result).toMatchObject({
      status: "complete",
      skipped: header.length + GET.length,
      frame: { id: 60n },
    });
  });

  it.each([
    ["0", 0n],
    ["9223372036854775808", 1n << 63n],
    ["18446744073709551615", (1n << 64n) - 1n],
  ])("has the id %s", (digits, id) => {
    const stream = ascii(`   $2014$ ${digits} 5 0 1 0 *1 d *5\r\n+OK\r\n`);
    const result = codec.parseDnode(stream, 0, redis);
    expect(result).toMatchObject({ status: "complete", frame: { id, sameDc: false } });
    if (result.status === "complete") expect(codec.writeDnode(result.frame)).toEqual(stream);
  });

  it("ends where its reply ends, and so does a memcached one", () => {
    const reply = ascii("   $2014$ 1 5 0 1 1 *1 d *999\r\n*2\r\n$1\r\na\r\n:1\r\nrest");
    expect(codec.parseDnode(reply, 0, redis)).toMatchObject({
      frame: { payload: ascii("*2\r\n$1\r\na\r\n:1\r\n") },
    });
    const values = "VALUE a 0 1\r\nx\r\nEND\r\n";
    const found = codec.parseDnode(ascii(`   $2014$ 1 5 0 1 1 *1 d *1\r\n${values}rest`), 0, {
      payload: "memcached",
    });
    expect(found).toMatchObject({ frame: { payload: ascii(values) } });
    const set = "set k0 5 0 3\r\nabc\r\n";
    const request = codec.parseDnode(ascii(`   $2014$ 4 3 0 1 1 *1 d *1\r\n${set}rest`), 0, {
      payload: "memcached",
    });
    expect(request).toMatchObject({ frame: { payload: ascii(set) } });
  });

  it("is as long as stated when it is gossip, encrypted, or of type 6", () => {
    for (const [type, flags] of [
      [7, 0],
      [3, 1],
      [5, 1],
      [6, 0],
      [99, 0],
    ]) {
      const stream = ascii(`   $2014$ 1 ${type} ${flags} 1 1 *1 a *6\r\n*2\r\n$9rest`);
      expect(codec.parseDnode(stream, 0, redis)).toMatchObject({
        frame: { type, flags, payload: ascii("*2\r\n$9") },
      });
    }
  });

  it("may be an inline PING, and no other inline command", () => {
    expect(
      codec.parseDnode(ascii("   $2014$ 1 3 0 1 1 *1 d *6\r\nPinG\r\n"), 0, redis).status,
    ).toBe("complete");
    for (const payload of [
      "GET a\r\n",
      "PINGS\r\n",
      "*0\r\n",
      "*-1\r\n",
      "\r\n",
      "   $2014$ 2 3 0 1 1 *1 d *20\r\n",
    ]) {
      const result = codec.parseDnode(ascii(`   $2014$ 1 3 0 1 1 *1 d *7\r\n${payload}`), 0, redis);
      expect(result).toMatchObject({ status: "error", error: { code: "DNODE_BAD_PAYLOAD" } });
    }
  });

  it("leaves the second command of a payload to be passed over", () => {
    const stream = ascii(
      `   $2014$ 1 3 0 1 1 *1 d *40\r\n${GET}${GET}   $2014$ 2 3 0 1 1 *1 d *20\r\n${GET}`,
    );
    const { frames } = codec.parseDnodes(stream, 0, redis);
    expect(frames.map(({ id, skipped }) => [id, skipped])).toEqual([
      [1n, 0],
      [2n, GET.length],
    ]);
  });

  it("is refused with a code of its own for each limit, before the bytes have come", () => {
    const outcome = (stream: string, maxPayloadBytes = 100) =>
      codec.parseDnode(ascii(stream), 0, { payload: "redis", maxPayloadBytes });
    const code = (expected: string) => ({ status: "error", error: { code: expected } });
    expect(outcome("   $2014$ 1 3 0 1 1 *65537 d")).toMatchObject(code("DNODE_LONG_DATA"));
    expect(outcome("   $2014$ 1 7 0 1 1 *1 a *101\r\n")).toMatchObject(code("DNODE_LONG_PAYLOAD"));
    expect(outcome("   $2014$ 1 3 0 1 1 *1 d *9\r\n*2\r\n$1\r\na\r\n$90\r\n")).toMatchObject(
      code("DNODE_LONG_PAYLOAD"),
    );
    expect(outcome("   $2014$ 1 5 0 1 1 *1 d *9\r\n$95\r\n")).toMatchObject(
      code("DNODE_LONG_PAYLOAD"),
    );
    expect(outcome("   $2014$ 1 5 0 1 1 *1 d *9\r\n$80\r\n").status).toBe("incomplete");
    expect(outcome("   $2014$ 1 5 0 1 1 *1 d *9\r\n?x\r\n")).toMatchObject(
      code("DNODE_BAD_PAYLOAD"),
    );
  });

  it("is not written with a field that a reader would not take", () => {
    const good = { id: 1n, type: 3, flags: 0, sameDc: true, data: ascii("d"), payload: ascii(GET) };
    expect(text(codec.writeDnode(good))).toBe(`   $2014$ 1 3 0 1 1 *1 d *20\r\n${GET}`);
    for (const wrong of [
      { id: -1n },
      { id: 1n << 64n },
      { type: 256 },
      { flags: 16 },
      { version: 0.5 },
      { data: new Uint8Array(0) },
      { data: new Uint8Array(65537) },
    ]) {
      expect(codeOf(() => codec.writeDnode({ ...good, ...wrong }))).toBe("DNODE_BAD_FRAME");
    }
  });

  it("may be larger than the codec's window, with others around it", () => {
    const value = "v".repeat(3_000_000);
    const big = `   $2014$ 2 3 0 1 1 *1 d *1\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${value.length}\r\n${value}\r\n`;
    const { frames, status } = codec.parseDnodes(ascii(`${frame}junk${big}${frame}`), 0, redis);
    expect(status).toBe("complete");
    expect(frames.map(({ id, skipped, start }) => [id, skipped, start])).toEqual([
      [3n, 0, 0],
      [2n, 4, frame.length + 4],
      [3n, 0, frame.length + 4 + big.length],
    ]);
    expect(frames[1]!.payload.length).toBe(big.length - 29);
  });
});

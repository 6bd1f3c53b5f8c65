/** The codec allocates nothing in steady state: its memory has one size, however often it is called. */
import { instantiateSync } from "@assemblyscript/loader";
import { describe, expect, it } from "vitest";
import { type DnodeExports, dnodeFace } from "../../../src/codec/dnode.ts";
import { CodecInstance } from "../../../src/codec/instance.ts";
import { type MemcachedExports, memcachedFace } from "../../../src/codec/memcached.ts";
import { type RespReplyExports, respReplyFace } from "../../../src/codec/resp-reply.ts";
import { type RespRequestExports, respRequestFace } from "../../../src/codec/resp-request.ts";
import { readModule } from "../../../src/runtime/node/wasm-file.ts";

type Exports = RespRequestExports & RespReplyExports & MemcachedExports & DnodeExports;

function fresh() {
  const exports = instantiateSync(readModule("codec")).instance.exports as unknown as Exports;
  const instance = new CodecInstance<Exports>(exports);
  return {
    bytes: () => exports.memory.buffer.byteLength,
    codec: {
      ...respRequestFace(instance),
      ...respReplyFace(instance),
      ...memcachedFace(instance),
      ...dnodeFace(instance),
    },
  };
}

const ascii = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));
const PAGE = 65536;

describe("the codec's memory", () => {
  const value = "v".repeat(1000);
  const requests = ascii(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000\r\n${value}\r\n`.repeat(100));
  const replies = ascii(`*2\r\n:1\r\n$1000\r\n${value}\r\n`.repeat(100));
  const memcached = ascii(`set k 0 0 1000\r\n${value}\r\n`.repeat(100));
  const values = ascii(`VALUE k 0 1000\r\n${value}\r\nEND\r\n`.repeat(100));
  const frames = ascii(`   $2014$ 1 5 0 1 1 *1 d *5\r\n+OK\r\n`.repeat(1000));

  it.each([
    ["parseRequests", (codec: ReturnType<typeof fresh>["codec"]) => codec.parseRequests(requests)],
    ["parseReplies", (codec) => codec.parseReplies(replies)],
    ["parseReply", (codec) => codec.parseReply(replies)],
    ["parseMemcachedRequests", (codec) => codec.parseMemcachedRequests(memcached)],
    ["parseMemcachedReplies", (codec) => codec.parseMemcachedReplies(values)],
    ["parseDnodes", (codec) => codec.parseDnodes(frames)],
  ] as [string, (codec: ReturnType<typeof fresh>["codec"]) => { status: string }][])(
    "has one size however often %s is called",
    (_, call) => {
      const { codec, bytes } = fresh();
      expect(call(codec).status).toBe("complete");
      const after = bytes();
      for (let i = 0; i < 500; i++) call(codec);
      expect(bytes()).toBe(after);
    },
  );

  it("has room for a window of a long input, not for all of it", () => {
    const { codec, bytes } = fresh();
    const before = bytes();
    const many = ascii("*1\r\n$4\r\nPING\r\n".repeat(600_000));
    expect(codec.parseRequests(many).commands).toHaveLength(600_000);
    expect(codec.parseReplies(ascii("+OK\r\n".repeat(1_000_000))).values).toHaveLength(1_000_000);
    expect(codec.parseMemcachedRequests(ascii("mn\r\n".repeat(500_000))).requests).toHaveLength(
      500_000,
    );
    expect(
      codec.parseDnodes(ascii(`$2014$ 1 5 0 1 1 *1 d *5\r\n+OK\r\n`.repeat(200_000))).frames,
    ).toHaveLength(200_000);
    expect(bytes() - before).toBeLessThan(8 * PAGE);
  });

  it("makes no room for what a length only promises", () => {
    const { codec, bytes } = fresh();
    codec.parseReply(ascii("+OK\r\n"));
    codec.parseRequests(ascii("PING\r\n"));
    const before = bytes();
    expect(codec.parseRequests(ascii("*1048576\r\n$536870912\r\n")).status).toBe("incomplete");
    expect(codec.parseReply(ascii("*16777216\r\n$536870912\r\n")).status).toBe("incomplete");
    expect(codec.parseMemcachedRequests(ascii("set k 0 0 67108864\r\n")).status).toBe("incomplete");
    expect(codec.parseDnode(ascii("   $2014$ 1 7 0 1 1 *1 d *536870912\r\n")).status).toBe(
      "incomplete",
    );
    expect(bytes() - before).toBeLessThanOrEqual(PAGE);
  });
});

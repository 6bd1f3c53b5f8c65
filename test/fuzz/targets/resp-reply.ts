/** RESP replies: the typed face, the index at the edges of memory, the resumable scanner and the writer, against the slow one. */
import { instantiateSync } from "@assemblyscript/loader";
import { CodecInstance } from "../../../src/codec/instance.ts";
import { type RespReplyExports, respReplyFace } from "../../../src/codec/resp-reply.ts";
import type { RespValue } from "../../../src/codec/resp-value.ts";
import { readModule } from "../../../src/runtime/node/wasm-file.ts";
import { readReplies } from "../../reference/resp-reply.ts";
import { cutsOf } from "../cuts.ts";
import { EdgeMemory } from "../edge-memory.ts";
import { generateReplies } from "../generate/resp-reply.ts";
import { Random } from "../random.ts";
import { type Coverage, expectSame, type FuzzTarget, Mismatch } from "../target.ts";

interface ScannerExports extends RespReplyExports {
  scanReply(
    pos: number,
    end: number,
    state: number,
    out: number,
    outEnd: number,
    base: number,
  ): number;
  readonly replyPos: WebAssembly.Global;
  readonly replyWanted: WebAssembly.Global;
}

const TYPES = [
  "simple",
  "error",
  "integer",
  "bulk",
  "null",
  "null-array",
  "boolean",
  "double",
  "big-number",
  "bulk-error",
  "verbatim",
  "array",
  "set",
  "push",
  "map",
  "attribute",
];

const STATES = [
  ...TYPES,
  "integer beyond 2^53",
  "32 deep",
  "complete",
  "incomplete",
  "tokens full",
  "cut before an element",
  "cut in a line",
  "cut in a bulk",
  "cut between CR and LF of a bulk",
  "cut in a streamed string",
  "cut behind an attribute",
  "cut in a streamed aggregate",
];

/** The codes, in the order of the parser's statuses from 2 on. */
const CODES = [
  "RESP_BAD_TYPE",
  "RESP_BAD_LINE",
  "RESP_LONG_LINE",
  "RESP_BAD_INTEGER",
  "RESP_BAD_DOUBLE",
  "RESP_BAD_BIG_NUMBER",
  "RESP_BAD_BOOLEAN",
  "RESP_BAD_NULL",
  "RESP_BAD_LENGTH",
  "RESP_LONG_BULK",
  "RESP_BAD_COUNT",
  "RESP_TOO_MANY",
  "RESP_TOO_DEEP",
  "RESP_NO_CRLF",
  "RESP_BAD_VERBATIM",
  "RESP_BAD_CHUNK",
  "RESP_BAD_END",
  "RESP_NESTED_PUSH",
];

const INCOMPLETE = 1;
const TOKENS_FULL = 20;
const STATE_WORDS = 4 + 2 * 32;
const MOST = 0xffffffff;

export function respReplyTarget(): FuzzTarget {
  const exports = instantiateSync(readModule("codec")).instance
    .exports as unknown as RespReplyExports;
  const face = respReplyFace(new CodecInstance(exports));
  const edge = new EdgeMemory<ScannerExports>();
  const random = new Random(0);

  function check(input: Uint8Array, variant: number, coverage: Coverage): void {
    random.seed(variant);
    const slow = readReplies(input);
    const fast = face.parseReplies(input);
    expectSame("status", fast.error?.code ?? fast.status, slow.status);
    expectSame("end", fast.end, slow.consumed);
    expectSame("wanted", fast.wanted, slow.wanted);
    expectSame("values", fast.values, slow.messages);
    const one = face.parseReply(input);
    if (one.status === "complete") {
      expectSame("first value", [one.value, one.end], [slow.messages[0], slow.ends[0]]);
    } else if (slow.messages.length > 0)
      throw new Mismatch(`the first reply alone is ${one.status}`);
    else if (one.status === "error") expectSame("code of one reply", one.error.code, slow.status);
    else expectSame("wanted of one reply", one.wanted, slow.wanted || 1);

    const capacity = random.oneIn(6) ? random.between(5, 40) : 64 * 1024;
    const status = edge.compare(input, variant, capacity, 4, (at, length, out, room) =>
      edge.exports.replyIndex(at, length, out, room, MOST),
    );
    if (status === TOKENS_FULL) {
      coverage.hit("tokens full");
      const whole = edge.word(edge.out + 8);
      expectSame(
        "consumed before the tokens were full",
        edge.word(edge.out + 4),
        slow.ends[whole - 1] ?? 0,
      );
    }

    feed(input, coverage, slow);
    // Bytes that are no UTF-8 are longer when written again, and a line may become too long.
    if (random.oneIn(4) && input.length < 10_000) {
      for (const value of slow.messages) rewrite(value);
    }
    edge.checkSize();
    coverage.hit(slow.status);
    for (const value of slow.messages) coverTypes(value, coverage, 0);
  }

  /** Feeds the input in pieces, each at another place, with nothing in front of it but what the scanner asked to keep. */
  function feed(input: Uint8Array, coverage: Coverage, slow: ReturnType<typeof readReplies>): void {
    const { scanReply, replyPos, replyWanted } = edge.exports;
    const state = edge.out;
    edge.fillWords(state, STATE_WORDS, 0);
    let at = 0;
    let replies = 0;
    let status = 0;
    let open = false;
    for (const cut of cutsOf(random, input.length)) {
      const begin = edge.placeAtEnd(input.subarray(at, cut));
      const offset = at - begin;
      while (at < cut) {
        status = scanReply(at - offset, edge.end, state, 0, 0, 0);
        if (status > INCOMPLETE) break;
        at = replyPos.value + offset;
        open = status === INCOMPLETE;
        if (open) break;
        expectSame("end of a reply fed in pieces", at, slow.ends[replies++]);
      }
      if (status > INCOMPLETE) break;
      if (!open) continue;
      const end = slow.ends[replies];
      if (end !== undefined && cut + replyWanted.value > end) {
        throw new Mismatch(
          `wanted ${replyWanted.value} more at ${cut} of a reply that ends at ${end}`,
        );
      }
      coverState(state, cut - at, coverage);
    }
    expectSame("replies fed in pieces", replies, slow.ends.length);
    const code = status > INCOMPLETE ? CODES[status - 2] : open ? "incomplete" : "complete";
    expectSame("status of what was fed in pieces", code, slow.status);
  }

  /** Notes where a reply was cut, by the scanner's state and how many bytes of a line it left unread. */
  function coverState(state: number, unread: number, coverage: Coverage): void {
    const need = edge.word(state);
    const depth = edge.word(state + 4);
    const flags = edge.word(state + 8);
    if (need > 0) coverage.hit(need === 1 ? "cut between CR and LF of a bulk" : "cut in a bulk");
    else if (unread > 0) coverage.hit("cut in a line");
    else if (depth > 0) coverage.hit("cut before an element");
    if ((flags & 1) !== 0) coverage.hit("cut in a streamed string");
    if ((flags & 2) !== 0) coverage.hit("cut behind an attribute");
    if (depth > 0 && (edge.word(state + 16 + (depth - 1) * 8 + 4) & 0x100) !== 0) {
      coverage.hit("cut in a streamed aggregate");
    }
  }

  /** What is written as RESP 3 reads as the same value again, and as RESP 2 has no type that is not in RESP 2. */
  function rewrite(value: RespValue): void {
    const again = face.parseReply(face.writeReply(value, 3));
    expectSame("value written and read again", again, {
      status: "complete",
      value: asRead(value),
      end: face.writeReply(value, 3).length,
    });
    const old = face.parseReply(face.writeReply(value, 2));
    if (old.status !== "complete" || !isResp2(old.value)) {
      throw new Mismatch(`written as RESP 2, a ${value.type} reads as ${old.status}`);
    }
  }

  return {
    name: "resp-reply",
    states: STATES,
    codes: CODES,
    generate: generateReplies,
    check,
    memoryBytes: () => exports.memory.buffer.byteLength,
  };
}

/** RESP 3 has one null only. */
function asRead(value: RespValue): RespValue {
  switch (value.type) {
    case "null-array":
      return { type: "null" };
    case "array":
    case "set":
    case "push":
      return { type: value.type, items: value.items.map(asRead) };
    case "map":
      return { type: "map", entries: value.entries.map(([a, b]) => [asRead(a), asRead(b)]) };
    case "attribute":
      return {
        type: "attribute",
        entries: value.entries.map(([a, b]) => [asRead(a), asRead(b)]),
        value: asRead(value.value),
      };
    default:
      return value;
  }
}

function isResp2(value: RespValue): boolean {
  if (value.type === "array") return value.items.every(isResp2);
  return ["simple", "error", "integer", "bulk", "null", "null-array"].includes(value.type);
}

function coverTypes(value: RespValue, coverage: Coverage, depth: number): void {
  coverage.hit(value.type);
  if (depth === 32) coverage.hit("32 deep");
  switch (value.type) {
    case "integer":
      if (typeof value.value === "bigint") coverage.hit("integer beyond 2^53");
      break;
    case "array":
    case "set":
    case "push":
      for (const item of value.items) coverTypes(item, coverage, depth + 1);
      break;
    case "attribute":
      coverTypes(value.value, coverage, depth);
      for (const [key, item] of value.entries) {
        coverTypes(key, coverage, depth + 1);
        coverTypes(item, coverage, depth + 1);
      }
      break;
    case "map":
      for (const [key, item] of value.entries) {
        coverTypes(key, coverage, depth + 1);
        coverTypes(item, coverage, depth + 1);
      }
  }
}

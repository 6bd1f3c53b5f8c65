/** The memcached text protocol: the typed face, the index at the edges of memory and the writer, against the slow parser. */
import { instantiateSync } from "@assemblyscript/loader";
import { CodecInstance } from "../../../src/codec/instance.ts";
import { type MemcachedExports, memcachedFace } from "../../../src/codec/memcached.ts";
import { MEMCACHED_COMMANDS } from "../../../src/codec/memcached-build.ts";
import { MEMCACHED_STATUSES, type MemcachedReply } from "../../../src/codec/memcached-message.ts";
import { readModule } from "../../../src/runtime/node/wasm-file.ts";
import { readMemcachedReplies, readMemcachedRequests } from "../../reference/memcached.ts";
import { cutsOf } from "../cuts.ts";
import { EdgeMemory } from "../edge-memory.ts";
import { generateMemcachedReplies, generateMemcachedRequests } from "../generate/memcached.ts";
import { Random } from "../random.ts";
import { type Coverage, expectSame, type FuzzTarget, Mismatch } from "../target.ts";

const MOST = 0xffffffff;
const INCOMPLETE = 1;
const RECORD_FULL = 11;
const REPLY_FULL = 7;

/** Small enough that many a data block is longer. */
const LIMITS = [8, 100, 64 * 1024 * 1024];

export function memcachedRequestTarget(): FuzzTarget {
  const exports = instantiateSync(readModule("codec")).instance
    .exports as unknown as MemcachedExports;
  const face = memcachedFace(new CodecInstance(exports));
  const edge = new EdgeMemory<MemcachedExports>();
  const random = new Random(0);

  function check(input: Uint8Array, variant: number, coverage: Coverage): void {
    random.seed(variant);
    const maxValueBytes = random.pick(LIMITS);
    const slow = readMemcachedRequests(input, maxValueBytes);
    const fast = face.parseMemcachedRequests(input, 0, { maxValueBytes });
    expectSame("status", fast.error?.code ?? fast.status, slow.status);
    expectSame("end", fast.end, slow.consumed);
    expectSame("wanted", fast.wanted, slow.wanted);
    expectSame("number of requests", fast.requests.length, slow.messages.length);
    let discard = 0;
    for (const [i, request] of slow.messages.entries()) {
      const got = fast.requests[i]!;
      coverage.hit(request.command);
      if (request.command !== "invalid") {
        expectSame(`request ${i}`, got, request);
        if (random.oneIn(4)) {
          const bytes = writable(() => face.writeMemcachedRequest(request));
          if (bytes === null) continue;
          const again = face.parseMemcachedRequests(bytes);
          expectSame("request written and read again", again.requests, [request]);
        }
        continue;
      }
      expectSame(`request ${i}`, got.command, "invalid");
      if (got.command === "invalid") expectSame(`code ${i}`, got.error.code, request.code);
      coverage.hit(request.code);
      discard = request.discard;
    }
    expectSame("discard", fast.discard, discard);
    if (discard > 0) coverage.hit("passing over a data block");

    const capacity = random.oneIn(6) ? random.between(6, 60) : 64 * 1024;
    const status = edge.compare(input, variant, capacity, 4, (at, length, out, room) =>
      edge.exports.memcachedIndex(at, length, maxValueBytes, MOST, out, room),
    );
    if (status === RECORD_FULL) {
      coverage.hit("records full");
      const whole = edge.word(edge.out + 8);
      expectSame(
        "end before the records were full",
        edge.word(edge.out + 4),
        slow.ends[whole - 1] ?? 0,
      );
    }
    inPieces(input, maxValueBytes, slow);
    edge.checkSize();
    coverage.hit(slow.status);
    if (slow.status === "incomplete") {
      const rest = input.subarray(slow.consumed);
      coverage.hit(rest.includes(10) ? "cut in a data block" : "cut in a line");
    }
  }

  /** What is given in pieces, with what was left over and without what is to be passed over, is the same as the whole. */
  function inPieces(
    input: Uint8Array,
    maxValueBytes: number,
    slow: ReturnType<typeof readMemcachedRequests>,
  ): void {
    if (!random.oneIn(4)) return;
    let at = 0;
    let requests = 0;
    for (const cut of cutsOf(random, Math.min(input.length, 400))) {
      if (at >= cut) continue;
      const {
        requests: found,
        end,
        discard,
        status,
        wanted,
      } = face.parseMemcachedRequests(input.subarray(at, cut), 0, { maxValueBytes });
      if (status === "error") return;
      requests += found.length;
      at += end + discard;
      const whole = slow.ends[requests - 1] ?? 0;
      expectSame("end of requests in pieces", Math.min(at, input.length), whole);
      const next = slow.ends[requests];
      if (next !== undefined && status === "incomplete" && cut + wanted > next) {
        throw new Mismatch(`wanted ${wanted} more at ${cut} of a request that ends at ${next}`);
      }
    }
  }

  return {
    name: "memcached-request",
    states: [
      ...MEMCACHED_COMMANDS,
      "invalid",
      "complete",
      "incomplete",
      "records full",
      "cut in a line",
      "cut in a data block",
      "passing over a data block",
    ],
    codes: [
      "MEMCACHED_BAD_COMMAND",
      "MEMCACHED_BAD_LINE",
      "MEMCACHED_BAD_KEY",
      "MEMCACHED_BAD_DELETE",
      "MEMCACHED_BAD_DELTA",
      "MEMCACHED_BAD_EXPTIME",
      "MEMCACHED_BAD_CHUNK",
      "MEMCACHED_TOO_LARGE",
      "MEMCACHED_LONG_LINE",
    ],
    generate: generateMemcachedRequests,
    check,
    memoryBytes: () => exports.memory.buffer.byteLength,
  };
}

interface ReplyParserExports extends MemcachedExports {
  memcachedReply(
    pos: number,
    end: number,
    group: number,
    maxBytes: number,
    out: number,
    outEnd: number,
    base: number,
  ): number;
  readonly memcachedReplyPos: WebAssembly.Global;
  readonly memcachedReplyGroup: WebAssembly.Global;
  readonly memcachedReplyWanted: WebAssembly.Global;
}

/** The codes, in the order of the parser's statuses from 2 on. */
const REPLY_CODES = [
  "MEMCACHED_BAD_WORD",
  "MEMCACHED_BAD_REPLY_LINE",
  "MEMCACHED_NO_CRLF",
  "MEMCACHED_LONG_VALUE",
  "MEMCACHED_LONG_LINE",
];

export function memcachedReplyTarget(): FuzzTarget {
  const exports = instantiateSync(readModule("codec")).instance
    .exports as unknown as MemcachedExports;
  const face = memcachedFace(new CodecInstance(exports));
  const edge = new EdgeMemory<ReplyParserExports>();
  const random = new Random(0);

  function check(input: Uint8Array, variant: number, coverage: Coverage): void {
    random.seed(variant);
    const maxValueBytes = random.pick(LIMITS);
    const slow = readMemcachedReplies(input, maxValueBytes);
    const fast = face.parseMemcachedReplies(input, 0, { maxValueBytes });
    expectSame("status", fast.error?.code ?? fast.status, slow.status);
    expectSame("end", fast.end, slow.consumed);
    expectSame("wanted", fast.wanted, slow.wanted);
    expectSame("replies", fast.replies, slow.messages);
    const one = face.parseMemcachedReply(input, 0, { maxValueBytes });
    if (slow.messages.length > 0) {
      expectSame("first reply", one, {
        status: "complete",
        reply: slow.messages[0],
        end: slow.ends[0],
      });
    }
    if (random.oneIn(4)) {
      for (const reply of slow.messages) {
        const bytes = writable(() => face.writeMemcachedReply(reply));
        if (bytes === null) continue;
        const again = face.parseMemcachedReplies(bytes);
        expectSame("reply written and read again", again.replies, [withoutCr(reply)]);
      }
    }

    const capacity = random.oneIn(6) ? random.between(5, 60) : 64 * 1024;
    const status = edge.compare(input, variant, capacity, 4, (at, length, out, room) =>
      edge.exports.memcachedReplyIndex(at, length, maxValueBytes, MOST, out, room),
    );
    if (status === REPLY_FULL) {
      coverage.hit("records full");
      const whole = edge.word(edge.out + 8);
      expectSame(
        "end before the records were full",
        edge.word(edge.out + 4),
        slow.ends[whole - 1] ?? 0,
      );
    }
    feed(input, maxValueBytes, coverage, slow);
    edge.checkSize();
    coverage.hit(slow.status);
    for (const reply of slow.messages) {
      coverage.hit(reply.type === "status" ? reply.status : reply.type);
      if (reply.type === "error") coverage.hit(reply.kind);
      if (reply.type === "meta") coverage.hit(reply.code);
    }
  }

  /** Feeds the input in pieces, each at another place, with nothing in front of it but what the parser asked to keep. */
  function feed(
    input: Uint8Array,
    maxValueBytes: number,
    coverage: Coverage,
    slow: ReturnType<typeof readMemcachedReplies>,
  ): void {
    const { memcachedReply, memcachedReplyPos, memcachedReplyGroup, memcachedReplyWanted } =
      edge.exports;
    let at = 0;
    let group = 0;
    let replies = 0;
    let status = 0;
    for (const cut of cutsOf(random, input.length)) {
      const begin = edge.placeAtEnd(input.subarray(at, cut));
      const offset = at - begin;
      while (at < cut) {
        status = memcachedReply(at - offset, edge.end, group, maxValueBytes, 0, 0, 0);
        if (status > INCOMPLETE) break;
        at = memcachedReplyPos.value + offset;
        group = memcachedReplyGroup.value;
        if (status === INCOMPLETE) break;
        expectSame("end of a reply fed in pieces", at, slow.ends[replies++]);
      }
      if (status > INCOMPLETE) break;
      if (status !== INCOMPLETE) continue;
      const end = slow.ends[replies];
      if (end !== undefined && cut + memcachedReplyWanted.value > end) {
        throw new Mismatch(
          `wanted ${memcachedReplyWanted.value} more at ${cut} of a reply that ends at ${end}`,
        );
      }
      if (group !== 0) coverage.hit(group === 1 ? "cut behind a value" : "cut behind a statistic");
      coverage.hit(input.subarray(at, cut).includes(10) ? "cut in a data block" : "cut in a line");
    }
    expectSame("replies fed in pieces", replies, slow.ends.length);
    const open = at < input.length || group !== 0;
    const code = status > INCOMPLETE ? REPLY_CODES[status - 2] : open ? "incomplete" : "complete";
    expectSame("status of what was fed in pieces", code, slow.status);
  }

  return {
    name: "memcached-reply",
    states: [
      ...MEMCACHED_STATUSES,
      "values",
      "stats",
      "number",
      "version",
      "error",
      "ERROR",
      "CLIENT_ERROR",
      "SERVER_ERROR",
      "meta",
      "HD",
      "EN",
      "NF",
      "NS",
      "EX",
      "meta-value",
      "meta-debug",
      "complete",
      "incomplete",
      "records full",
      "cut in a line",
      "cut in a data block",
      "cut behind a value",
      "cut behind a statistic",
    ],
    codes: REPLY_CODES,
    generate: generateMemcachedReplies,
    check,
    memoryBytes: () => exports.memory.buffer.byteLength,
  };
}

/** A CR in a text is written as a space. */
function withoutCr(reply: MemcachedReply): MemcachedReply {
  const line = (text: string) => text.replaceAll("\r", " ");
  switch (reply.type) {
    case "version":
      return { ...reply, version: line(reply.version) };
    case "error":
      return { ...reply, text: line(reply.text) };
    case "stats":
      return {
        ...reply,
        stats: reply.stats.map(([name, value]) =>
          nameAndValue(line(value === "" ? name : `${name} ${value}`)),
        ),
      };
    default:
      return reply;
  }
}

function nameAndValue(text: string): [string, string] {
  const space = text.indexOf(" ");
  return space < 0 ? [text, ""] : [text.slice(0, space), text.slice(space + 1)];
}

const NOT_WRITTEN = ["MEMCACHED_BAD_KEY", "MEMCACHED_BAD_TOKEN", "MEMCACHED_LONG_LINE"];

/** What `write` returns; null where a message has what may be read but not written. */
function writable(write: () => Uint8Array): Uint8Array | null {
  try {
    return write();
  } catch (error) {
    const code = (error as { code?: string }).code;
    if (NOT_WRITTEN.includes(code ?? "")) return null;
    throw error;
  }
}

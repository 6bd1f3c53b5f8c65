/** RESP requests: the typed face, the index at the edges of memory, and the resumable parser, against the slow one. */
import { instantiateSync } from "@assemblyscript/loader";
import { CodecInstance } from "../../../src/codec/instance.ts";
import {
  type RespRequestExports,
  type RespRequestFace,
  respRequestFace,
} from "../../../src/codec/resp-request.ts";
import { readModule } from "../../../src/runtime/node/wasm-file.ts";
import { readRequests } from "../../reference/resp-request.ts";
import { cutsOf } from "../cuts.ts";
import { EdgeMemory } from "../edge-memory.ts";
import { generateRequests } from "../generate/resp-request.ts";
import { Random } from "../random.ts";
import { type Coverage, expectSame, type FuzzTarget, Mismatch } from "../target.ts";

interface ParserExports extends RespRequestExports {
  parseRequest(end: number, index: number, capacity: number, unauthenticated: boolean): number;
  requestResume(pos: number, left: number): void;
  readonly requestPos: WebAssembly.Global;
  readonly requestLeft: WebAssembly.Global;
  readonly requestWanted: WebAssembly.Global;
}

const STATES = [
  "array",
  "inline command",
  "empty command",
  "complete",
  "incomplete",
  "index full",
  "cut in a count",
  "cut between arguments",
  "cut in a length",
  "cut in an argument",
  "cut in an inline command",
  "resumed behind an argument",
];

/** The codes, in the order of the parser's statuses from 2 on. */
const CODES = [
  "RESP_BAD_COUNT",
  "RESP_LONG_COUNT",
  "RESP_NO_DOLLAR",
  "RESP_BAD_LENGTH",
  "RESP_LONG_LENGTH",
  "RESP_LONG_INLINE",
  "RESP_QUOTES",
  "RESP_NO_CRLF",
  "RESP_UNAUTHENTICATED_COUNT",
  "RESP_UNAUTHENTICATED_LENGTH",
];

const INCOMPLETE = 1;
const INDEX_FULL = 12;

/** `parse` and `index` are the codec's unless a test puts others in their place. */
export function respRequestTarget(
  broken: {
    readonly parse?: (face: RespRequestFace) => RespRequestFace["parseRequests"];
    readonly index?: (exports: RespRequestExports) => RespRequestExports["respIndex"];
  } = {},
): FuzzTarget {
  const exports = instantiateSync(readModule("codec")).instance
    .exports as unknown as RespRequestExports;
  const face = respRequestFace(new CodecInstance(exports));
  const parseRequests = broken.parse?.(face) ?? face.parseRequests;
  const edge = new EdgeMemory<ParserExports>();
  const index = broken.index?.(edge.exports) ?? edge.exports.respIndex;
  const random = new Random(0);

  function check(input: Uint8Array, variant: number, coverage: Coverage): void {
    random.seed(variant);
    const unauthenticated = random.oneIn(8);
    const slow = readRequests(input, unauthenticated);
    const fast = parseRequests(input, { unauthenticated });
    expectSame("status", fast.error?.code ?? fast.status, slow.status);
    expectSame("consumed", fast.consumed, slow.consumed);
    expectSame("wanted", fast.wanted, slow.wanted);
    let commands = 0;
    for (const args of slow.messages) {
      if (args.length === 0) coverage.hit("empty command");
      else sameArguments(fast.commands[commands++], args);
    }
    expectSame("number of commands", fast.commands.length, commands);

    const capacity = random.oneIn(6) ? random.between(6, 40) : 64 * 1024;
    const status = edge.compare(input, variant, capacity, 5, (at, length, out, room) =>
      index(at, length, out, room, unauthenticated),
    );
    if (status === INDEX_FULL) {
      coverage.hit("index full");
      const whole = edge.word(edge.out + 8);
      expectSame(
        "consumed before the index was full",
        edge.word(edge.out + 4),
        slow.ends[whole - 1] ?? 0,
      );
    }

    feed(input, unauthenticated, coverage, slow);
    edge.checkSize();
    coverage.hit(slow.status);
    for (let i = 0; i < slow.ends.length; i++) {
      const star = input[i === 0 ? 0 : slow.ends[i - 1]!] === 42;
      coverage.hit(star ? "array" : "inline command");
    }
  }

  /** Feeds the input in pieces, each at another place, with nothing in front of it but what the parser asked to keep. */
  function feed(
    input: Uint8Array,
    unauthenticated: boolean,
    coverage: Coverage,
    slow: ReturnType<typeof readRequests>,
  ): void {
    const { parseRequest, requestResume, requestPos, requestLeft, requestWanted } = edge.exports;
    let at = 0;
    let left = 0;
    let commands = 0;
    let status = 0;
    for (const cut of cutsOf(random, input.length)) {
      const begin = edge.placeAtEnd(input.subarray(at, cut));
      const offset = at - begin;
      while (at < cut || left > 0) {
        requestResume(at - offset, left);
        status = parseRequest(edge.end, 0, 0, unauthenticated);
        if (status !== 0) break;
        at = requestPos.value + offset;
        left = 0;
        expectSame("end of a command fed in pieces", at, slow.ends[commands++]);
      }
      if (status > INCOMPLETE) break;
      if (status !== INCOMPLETE) continue;
      at = requestPos.value + offset;
      left = requestLeft.value;
      const end = slow.ends[commands];
      if (end !== undefined && cut + requestWanted.value > end) {
        throw new Mismatch(
          `wanted ${requestWanted.value} more at ${cut} of a command that ends at ${end}`,
        );
      }
      if (left > 0) coverage.hit("resumed behind an argument");
      coverage.hit(stateAt(input.subarray(at, cut), left));
      status = 0;
    }
    expectSame("commands fed in pieces", commands, slow.ends.length);
    const code =
      status > INCOMPLETE
        ? CODES[status - 2]
        : at === input.length && left === 0
          ? "complete"
          : "incomplete";
    expectSame("status of what was fed in pieces", code, slow.status);
  }

  return {
    name: "resp-request",
    states: STATES,
    codes: CODES,
    generate: generateRequests,
    check,
    memoryBytes: () => exports.memory.buffer.byteLength,
  };
}

/** Where a command was cut, by what the parser left unread of it. */
function stateAt(rest: Uint8Array, left: number): string {
  if (left === 0) return rest[0] === 42 ? "cut in a count" : "cut in an inline command";
  if (rest.length === 0) return "cut between arguments";
  return rest.includes(10) ? "cut in an argument" : "cut in a length";
}

function sameArguments(fast: Uint8Array[] | undefined, slow: string[]): void {
  expectSame("number of arguments", fast?.length, slow.length);
  for (let i = 0; i < slow.length; i++) {
    const bytes = fast![i]!;
    const text = slow[i]!;
    let equal = bytes.length === text.length;
    for (let at = 0; equal && at < text.length; at++) equal = bytes[at] === text.charCodeAt(at);
    if (!equal) expectSame(`argument ${i}`, bytes, Uint8Array.from(Buffer.from(text, "latin1")));
  }
}

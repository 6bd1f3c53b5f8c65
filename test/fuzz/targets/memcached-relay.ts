/** The memcached text protocol passed on as it came: runs of requests, and replies cut for those that wait, against the slow parsers. */
import { instantiateSync } from "@assemblyscript/loader";
import { CodecInstance } from "../../../src/codec/instance.ts";
import { MemcachedRelay, type MemcachedRelayExports } from "../../../src/codec/memcached-relay.ts";
import { readModule } from "../../../src/runtime/node/wasm-file.ts";
import { latin1 } from "../../reference/cut.ts";
import { readMemcachedReplies, readMemcachedRequests } from "../../reference/memcached.ts";
import { cutsOf } from "../cuts.ts";
import { generateMemcachedReplies, generateMemcachedRequests } from "../generate/memcached.ts";
import { Random } from "../random.ts";
import { type Coverage, expectSame, type FuzzTarget, Mismatch } from "../target.ts";

const LIMITS = [8, 100, 64 * 1024 * 1024];
/** Longer lines of most requests are not passed on, and more flags of ms neither. */
const MAX_SERVER_LINE = 2048;
const MAX_MS_FLAGS = 16;

function open() {
  const exports = instantiateSync(readModule("codec")).instance
    .exports as unknown as MemcachedRelayExports;
  const relay = new MemcachedRelay(new CodecInstance(exports));
  return { relay, memoryBytes: () => exports.memory.buffer.byteLength };
}

export function memcachedRelayRequestTarget(): FuzzTarget {
  const { relay, memoryBytes } = open();
  const random = new Random(0);

  function check(input: Uint8Array, variant: number, coverage: Coverage): void {
    random.seed(variant);
    const maxValueBytes = random.pick(LIMITS);
    const slow = readMemcachedRequests(input, maxValueBytes);
    let at = 0;
    for (let next = 0; at < input.length; ) {
      const run = { ...relay.requests(input, at, input.length, maxValueBytes) };
      let answered = 0;
      let versions = 0;
      let isMarked = false;
      while (next < slow.ends.length && slow.ends[next]! <= run.end) {
        const request = slow.messages[next]!;
        if (request.command === "invalid") throw new Mismatch("what is no request was passed on");
        const isSilent = "noreply" in request && request.noreply;
        if (!isSilent) answered++;
        if (request.command === "version") versions++;
        if (isSilent || request.command === "stats") isMarked = true;
        if ("tokens" in request && request.tokens.some((token) => token.startsWith("q")))
          isMarked = true;
        next++;
      }
      expectSame("end of a run", run.end, run.end === at ? at : slow.ends[next - 1]);
      expectSame("answered", run.answered, answered);
      expectSame("versions", run.versions, versions);
      if (isMarked && !run.isMarked) throw new Mismatch("a run must be marked");
      at = run.end;
      coverage.hit(run.isMarked ? "marked" : "counted");
      coverage.hit(run.status);
      if (run.status !== "stop") {
        expectSame("status", run.status === "end" ? "complete" : run.status, slow.status);
        if (run.status === "incomplete") expectSame("wanted", run.wanted, slow.wanted);
        return;
      }
      coverage.hit(run.stop.kind);
      const request = slow.messages[next];
      const isLong = (request === undefined ? input.length : slow.ends[next]!) - at;
      if (request === undefined || run.stop.kind === "fatal") {
        if (isLong <= MAX_SERVER_LINE) throw new Mismatch("a short line was refused");
        return;
      }
      if (request.command === "invalid") {
        expectSame("end", run.stopEnd, slow.ends[next]! + request.discard);
      } else if (request.command === "ms" && run.stop.kind === "reply") {
        if (request.tokens.length <= MAX_MS_FLAGS) throw new Mismatch("an ms was refused");
        return;
      } else if (run.stop.kind === "reply") {
        throw new Mismatch(`${request.command} was refused: ${run.stop.line}`);
      }
      at = slow.ends[next]!;
      next++;
    }
  }

  return {
    name: "relayed memcached requests",
    states: ["end", "incomplete", "stop", "marked", "counted", "reply", "fatal", "quit"],
    codes: [],
    generate: generateMemcachedRequests,
    check,
    memoryBytes,
  };
}

export function memcachedRelayReplyTarget(): FuzzTarget {
  const { relay, memoryBytes } = open();
  const random = new Random(0);

  function check(input: Uint8Array, variant: number, coverage: Coverage): void {
    random.seed(variant);
    const slow = readMemcachedReplies(input, 0xfffffffd);
    const text = latin1(input);
    // Replies to stats are not counted, and a server ends its lines with CR LF.
    const isCounted = !/STAT|[^\r]\n|^\n/.test(text);
    const isRight = slow.status === "complete" || slow.status === "incomplete";
    let replies = 0;
    let taken = "";
    const taker = {
      expected: () => 3,
      take: (bytes: Uint8Array, count: number) => {
        taken += latin1(bytes);
        replies += count;
      },
    };
    const cutter = relay.replyCutter();
    let at = 0;
    let status = "ok";
    for (const cut of cutsOf(random, input.length)) {
      if (cut > at && status === "ok") status = cutter.feed(input.slice(at, cut), taker);
      at = cut;
    }
    if (taken !== text.slice(0, taken.length)) throw new Mismatch("other bytes were taken");
    coverage.hit(status);
    if (cutter.isMidReply) coverage.hit("in part");
    if (!isCounted || !isRight) return;
    coverage.hit("counted");
    expectSame("status", status, "ok");
    expectSame("number of replies", replies, slow.ends.length);
    expectSame("in part", cutter.isMidReply, taken.length > slow.consumed);
  }

  return {
    name: "relayed memcached replies",
    states: ["ok", "error", "in part", "counted"],
    codes: [],
    generate: generateMemcachedReplies,
    check,
    memoryBytes,
  };
}

/** RESP passed on as it came: runs of commands, held ones read on, and replies cut for those that wait, against the slow parsers. */
import { instantiateSync } from "@assemblyscript/loader";
import { CodecInstance } from "../../../src/codec/instance.ts";
import { INLINE_COMMAND, RespRelay, type RespRelayExports } from "../../../src/codec/resp-relay.ts";
import { HeldRequests } from "../../../src/doors/held-requests.ts";
import { readModule } from "../../../src/runtime/node/wasm-file.ts";
import { latin1 } from "../../reference/cut.ts";
import { readReplies } from "../../reference/resp-reply.ts";
import { readRequests } from "../../reference/resp-request.ts";
import { cutsOf } from "../cuts.ts";
import type { FuzzBuffer } from "../fuzz-buffer.ts";
import { generateReplies } from "../generate/resp-reply.ts";
import { generateRequest, generateRequests } from "../generate/resp-request.ts";
import { Random } from "../random.ts";
import { type Coverage, expectSame, type FuzzTarget, Mismatch } from "../target.ts";

/** Names that are stopped at; the first is common among the generated ones. */
const NAMES = ["get", "set", "multi"];

function open(): { relay: RespRelay; memoryBytes: () => number } {
  const exports = instantiateSync(readModule("codec")).instance
    .exports as unknown as RespRelayExports;
  const relay = new RespRelay(new CodecInstance(exports));
  for (const [i, name] of NAMES.entries()) relay.stopAt(name, i + 1);
  return { relay, memoryBytes: () => exports.memory.buffer.byteLength };
}

export function relayRequestTarget(): FuzzTarget {
  const { relay, memoryBytes } = open();
  const random = new Random(0);

  function check(input: Uint8Array, variant: number, coverage: Coverage): void {
    random.seed(variant);
    const unauthenticated = random.oneIn(8);
    const each = random.oneIn(4);
    const slow = readRequests(input, unauthenticated);
    let at = 0;
    let command = 0;
    /** Passes over commands of the slow parser up to `end`; how many of them are answered. */
    const passOver = (end: number): number => {
      let answered = 0;
      while (command < slow.ends.length && slow.ends[command]! <= end) {
        if (slow.messages[command]!.length !== 0) answered++;
        command++;
      }
      expectSame("end of a run", end, slow.ends[command - 1] ?? 0);
      return answered;
    };
    for (;;) {
      const run = { ...relay.commands(input, at, input.length, each, unauthenticated) };
      expectSame("commands of a run", run.commands, passOver(run.end));
      at = run.end;
      if (run.status !== "stop") {
        const wrong = slow.status !== "complete" && slow.status !== "incomplete";
        const status = run.status === "end" ? "complete" : run.status;
        expectSame("status", status, wrong ? "error" : slow.status);
        expectSame("consumed", at, slow.consumed);
        if (run.status === "incomplete") expectSame("wanted", run.wanted, slow.wanted);
        coverage.hit(run.status);
        break;
      }
      const name = input[at] === STAR ? nameOf(slow.messages[command]!) : INLINE_COMMAND;
      expectSame("name", run.name, name);
      coverage.hit(name === INLINE_COMMAND ? "inline" : name === 0 ? "any command" : "name");
      expectSame("end of a command", run.stopEnd, slow.ends[command]);
      at = run.stopEnd;
      command++;
    }
    hold(input, slow.ends, slow.status, coverage);
  }

  /** A command that comes in pieces is known to be whole when it is. */
  function hold(input: Uint8Array, ends: readonly number[], status: string, coverage: Coverage) {
    if (ends.length !== 1 || status !== "complete" || input[0] !== STAR || input.length < 4) return;
    const held = new HeldRequests(relay.rest.bind(relay), () => {});
    let at = 0;
    for (const cut of cutsOf(random, input.length)) {
      if (cut === at) continue;
      held.push(input.slice(at, cut));
      const found = held.look();
      at = cut;
      if (found.status === "error") throw new Mismatch(`held: error behind ${cut} bytes`);
      if (found.status === "long") {
        expectSame("end of a held command", found.end, ends[0]);
        coverage.hit("long");
      } else if (found.status === "bytes") {
        const { bytes } = found;
        const run = { ...relay.commands(bytes, 0, bytes.length, false, false) };
        held.clear();
        held.push(bytes);
        if (run.status === "incomplete") held.expect(run.wanted, run.resumeAt, run.left);
        else expectSame("bytes when a held command is whole", cut, input.length);
      }
    }
  }

  return {
    name: "relayed requests",
    states: ["end", "incomplete", "error", "inline", "any command", "name", "long"],
    codes: [],
    generate,
    check,
    memoryBytes,
  };
}

/** Mostly as for the parser; some commands that are long. */
function generate(random: Random, out: FuzzBuffer): void {
  if (!random.oneIn(400)) {
    if (random.oneIn(3)) generateRequest(random, out);
    else generateRequests(random, out);
    return;
  }
  const words = random.oneIn(2)
    ? ["SET", "k", "v".repeat(random.between(60_000, 200_000))]
    : Array.from({ length: random.between(9000, 20_000) }, (_, i) => `${i}`);
  out.text(`*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`);
}

function nameOf(args: readonly (string | Uint8Array)[]): number {
  const word = args[0]!;
  const text = typeof word === "string" ? word : latin1(word);
  return NAMES.indexOf(text.toLowerCase()) + 1;
}

export function relayReplyTarget(): FuzzTarget {
  const { relay, memoryBytes } = open();
  const random = new Random(0);

  function check(input: Uint8Array, variant: number, coverage: Coverage): void {
    random.seed(variant);
    const slow = readReplies(input);
    const wrong = slow.status !== "complete" && slow.status !== "incomplete";
    const taken: string[] = [];
    /** Replies that each of those who wait still expects. */
    const left: number[] = [];
    const counts: number[] = [];
    for (let sum = 0; sum <= slow.ends.length; sum += counts.at(-1)!) {
      counts.push(random.between(1, 4));
    }
    left.push(...counts);
    let waiting = 0;
    let replies = 0;
    const taker = {
      expected: () => left[waiting]!,
      take: (bytes: Uint8Array, count: number) => {
        taken[waiting] = (taken[waiting] ?? "") + latin1(bytes);
        left[waiting]! -= count;
        replies += count;
        if (left[waiting] === 0) waiting++;
      },
    };
    const cutter = relay.replyCutter();
    let at = 0;
    let status = "ok";
    for (const cut of cutsOf(random, input.length)) {
      if (cut > at && status === "ok") status = cutter.feed(input.slice(at, cut), taker);
      at = cut;
    }
    expectSame("status", status, wrong ? "error" : "ok");
    expectSame("number of replies", replies, slow.ends.length);
    coverage.hit(status);
    const all = taken.join("");
    if (all !== latin1(input.subarray(0, all.length))) throw new Mismatch("other bytes were taken");
    if (all.length < slow.consumed) throw new Mismatch("a whole reply was not taken");
    for (let i = 0, sum = 0; i < waiting; i++) {
      sum += counts[i]!;
      const before = slow.ends[sum - counts[i]! - 1] ?? 0;
      expectSame("bytes of one that waits", taken[i]!.length, slow.ends[sum - 1]! - before);
    }
    if (!wrong) expectSame("in part", cutter.isMidReply, all.length > slow.consumed);
    if (cutter.isMidReply) coverage.hit("in part");
  }

  return {
    name: "relayed replies",
    states: ["ok", "error", "in part"],
    codes: [],
    generate: generateReplies,
    check,
    memoryBytes,
  };
}

const STAR = 42;

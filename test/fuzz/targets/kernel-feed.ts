/**
 * The RESP door over the kernel: what a client gets for an input cut anywhere is what the commands get that the slow parser reads
 * in it, sent one at a time, and the same protocol error at its end.
 */
import { readRequests } from "../../reference/resp-request.ts";
import { TestNode } from "../../unit/doors/resp/node-under-test.ts";
import { encodeRequest } from "../../unit/store/harness.ts";
import { cutsOf } from "../cuts.ts";
import { generateRequests } from "../generate/resp-request.ts";
import { Random } from "../random.ts";
import { type Coverage, expectSame, type FuzzTarget } from "../target.ts";

/** The texts of protocol errors by the code of the slow parser. The bulk limit of a node is lower than the codec's. */
const TEXTS: Readonly<Record<string, string>> = {
  RESP_BAD_COUNT: "invalid multibulk length",
  RESP_LONG_COUNT: "too big mbulk count string",
  RESP_NO_DOLLAR: "expected '$', got '",
  RESP_BAD_LENGTH: "invalid bulk length",
  RESP_LONG_LENGTH: "too big bulk count string",
  RESP_LONG_INLINE: "too big inline request",
  RESP_QUOTES: "unbalanced quotes in request",
  RESP_NO_CRLF: "expected CR LF after bulk string",
  RESP_UNAUTHENTICATED_COUNT: "unauthenticated multibulk length",
  RESP_UNAUTHENTICATED_LENGTH: "unauthenticated bulk length",
};

const PASSWORD = "secret";
const STATES = ["complete", "incomplete", "with a password", "without a password"];

/** `deliver` brings a part of the input to the client, all of it unless a test puts something else in its place. */
export function kernelFeedTarget(deliver = (part: string): string => part): FuzzTarget {
  const limits = { maxBulkBytes: 512 * 1024 * 1024, maxRequestBytes: 1024 * 1024 * 1024 };
  const open = [new TestNode(limits), new TestNode(limits)] as const;
  const closed = [
    new TestNode({ ...limits, password: PASSWORD }),
    new TestNode({ ...limits, password: PASSWORD }),
  ] as const;
  const random = new Random(0);

  function check(input: Uint8Array, variant: number, coverage: Coverage): void {
    random.seed(variant);
    const unauthenticated = random.oneIn(8);
    const [cut, whole] = unauthenticated ? closed : open;
    const slow = readRequests(input, unauthenticated);

    const one = cut.connect();
    const text = Buffer.from(input.buffer, input.byteOffset, input.length).toString("latin1");
    let at = 0;
    for (const end of cutsOf(random, text.length)) {
      one.sendBytes(deliver(text.slice(at, end)));
      at = end;
    }
    const other = whole.connect();
    for (const [i, args] of slow.messages.entries()) {
      if (args.length === 0) continue;
      // As an array it would be over the limits of a client without the password.
      const inlineOnly = unauthenticated && !fitsUnauthenticated(args);
      const start = i === 0 ? 0 : slow.ends[i - 1]!;
      other.sendBytes(inlineOnly ? text.slice(start, slow.ends[i]) : encodeRequest(args));
    }

    const fast = comparable(one.take());
    const expected = comparable(other.take());
    const error = TEXTS[slow.status];
    if (error === undefined) {
      expectSame("replies", fast, expected);
      expectSame("closed", one.closed, other.closed);
    } else if (other.closed) {
      expectSame("replies until the client quit", fast, expected);
    } else {
      const line = `-ERR Protocol error: ${error}`;
      expectSame(
        "replies and the error",
        fast.slice(0, expected.length + line.length),
        expected + line,
      );
      expectSame("closed", one.closed, true);
    }
    coverage.hit(slow.status);
    coverage.hit(unauthenticated ? "with a password" : "without a password");
    one.hangUp();
    other.hangUp();
    for (const node of [cut, whole]) node.served.node.store.flushAll();
  }

  return {
    name: "kernel-feed",
    states: STATES,
    codes: Object.keys(TEXTS),
    generate: generateRequests,
    check,
    memoryBytes: () => 0,
  };
}

function fitsUnauthenticated(args: readonly string[]): boolean {
  return args.length <= 10 && args.every((argument) => argument.length <= 16384);
}

/** Replies without the number of the connection, which HELLO tells. */
function comparable(replies: string): string {
  return replies.replace(/(\$2\r\nid\r\n):\d+/g, "$1:0");
}

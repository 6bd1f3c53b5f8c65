import { describe, expect, it } from "vitest";
import { MergedParts, partsOfGat } from "../../../../src/doors/memcached/gat-parts.ts";
import { BackendError } from "../../../../src/store/backend/failure.ts";

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));
const text = (given: Uint8Array) => Buffer.from(given).toString("latin1");

/** Merges parts, and notes what comes of it. */
function merge(count: number) {
  const made: string[] = [];
  const parts = new MergedParts(count, {
    reply: (given) => made.push(text(given)),
    fail: ({ code }, torn) => made.push(`${code}${torn ? " torn" : ""}`),
    settled: (answered) => made.push(`(${answered})`),
  });
  return { parts, made };
}

describe("gat of many keys", () => {
  it("is cut into lines that are not too long, with all keys in their order", () => {
    const keys = Array.from({ length: 150 }, (_, i) => `k\xff${"x".repeat(i)}`);
    const parts = partsOfGat(bytes(`gats  -5 ${keys.join("  ")} \r\n`)).map(text);
    expect(parts.length).toBeGreaterThan(5);
    for (const part of parts) {
      expect(part.length).toBeLessThanOrEqual(2048);
      expect(part).toMatch(/^gats -5 [^\r\n]+\r\n$/);
    }
    expect(parts.flatMap((part) => part.trimEnd().split(" ").slice(2))).toEqual(keys);
  });

  it("is answered with all values and one END, however the replies are cut", () => {
    const { parts, made } = merge(3);
    parts.replies(bytes("VALUE a 0 5\r\n"), 0);
    parts.replies(bytes("END\r\n\r\nEND\r\n"), 1);
    parts.settled();
    parts.replies(bytes("END\r\n"), 1);
    parts.replies(bytes("VALUE b 0 1\r\nx\r\n"), 0);
    parts.replies(bytes("END\r\n"), 1);
    parts.settled();
    expect(made.join("")).toBe("VALUE a 0 5\r\nEND\r\n\r\n(1)VALUE b 0 1\r\nx\r\nEND\r\n(2)");
  });

  it("ends with the first error, of the server or of the way to it", () => {
    const ofServer = merge(3);
    ofServer.parts.replies(bytes("VALUE a 0 1\r\nx\r\nEND\r\n"), 1);
    ofServer.parts.replies(bytes("SERVER_ERROR out of memory\r\n"), 1);
    ofServer.parts.replies(bytes("VALUE c 0 1\r\nx\r\nEND\r\n"), 1);
    ofServer.parts.settled();
    expect(ofServer.made.join("")).toBe("VALUE a 0 1\r\nx\r\nSERVER_ERROR out of memory\r\n(3)");
    const lost = merge(3);
    lost.parts.replies(bytes("END\r\n"), 1);
    lost.parts.failed(1, new BackendError("BACKEND_LOST", "lost"), true);
    lost.parts.failed(1, new BackendError("BACKEND_LOST", "lost"), false);
    lost.parts.settled();
    expect(lost.made).toEqual(["BACKEND_LOST torn", "(3)"]);
  });
});

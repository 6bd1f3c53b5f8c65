/** The entropy channel: the opener, fed in pieces, against the slow reader that has all of it at once. */
import { instantiateSync } from "@assemblyscript/loader";
import { type AesExports, aesFace } from "../../../src/codec/aes.ts";
import { type EntropyExports, entropyFace } from "../../../src/codec/entropy.ts";
import { CodecInstance } from "../../../src/codec/instance.ts";
import { readModule } from "../../../src/runtime/node/wasm-file.ts";
import { readSnapshot } from "../../reference/entropy.ts";
import { cutsOf } from "../cuts.ts";
import { EdgeMemory } from "../edge-memory.ts";
import { FUZZ_CIPHER, generateEntropy } from "../generate/entropy.ts";
import { Random } from "../random.ts";
import { type Coverage, expectSame, type FuzzTarget, Mismatch, same } from "../target.ts";

const CODES = [
  "ENTROPY_BAD_MAGIC",
  "ENTROPY_BAD_COMMAND",
  "ENTROPY_BAD_HEADER_SIZE",
  "ENTROPY_BAD_BUFFER_SIZE",
  "ENTROPY_BAD_CIPHER_SIZE",
  "ENTROPY_BAD_FLAG",
  "ENTROPY_TOO_LARGE",
  "ENTROPY_NO_KEY",
  "ENTROPY_NOT_ENCRYPTED",
  "ENTROPY_EMPTY_CHUNK",
  "ENTROPY_CHUNK_TOO_LONG",
  "ENTROPY_OVERSHOOT",
  "ENTROPY_TRAILING",
  "ENTROPY_TRUNCATED",
  "DECRYPT_FAILED",
];

const STATES = [
  "finished",
  "encrypted",
  "plain",
  "no chunks",
  "cut in the negotiation",
  "cut in the header",
  "cut in a chunk",
];

type Exports = EntropyExports & AesExports;

export function entropyTarget(): FuzzTarget {
  const exports = instantiateSync(readModule("codec")).instance.exports as unknown as Exports;
  const instance = new CodecInstance(exports);
  const face = entropyFace(instance, aesFace(instance));
  const edge = new EdgeMemory<Exports>();
  const random = new Random(0);

  function check(input: Uint8Array, variant: number, coverage: Coverage): void {
    random.seed(variant);
    const options = {
      ...(random.oneIn(6) ? {} : { cipher: FUZZ_CIPHER }),
      ...(random.oneIn(8) ? {} : { allowPlain: true }),
      ...(random.oneIn(12) ? { maxTotalBytes: 20 } : {}),
    };
    const slow = readSnapshot(input, options);
    const opener = face.openSnapshot(options);
    const chunks: Uint8Array[] = [];
    let status = "";
    let at = 0;
    try {
      for (const cut of cutsOf(random, input.length)) {
        chunks.push(...opener.push(input.subarray(at, cut)));
        at = cut;
        if (!opener.finished)
          coverage.hit(
            opener.header
              ? "cut in a chunk"
              : opener.negotiation
                ? "cut in the header"
                : "cut in the negotiation",
          );
      }
      opener.end();
      status = "finished";
    } catch (error) {
      status = (error as { code?: string }).code ?? String(error);
      expectSame(
        "error after an error",
        codeOf(() => opener.push(input)),
        status,
      );
    }
    expectSame("status", status === "ENTROPY_TRUNCATED" ? "incomplete" : status, slow.status);
    // The chunks of the piece that brought an error are not handed out.
    const whole = status === "finished" || status === "ENTROPY_TRUNCATED";
    const wanted = whole ? slow.chunks : slow.chunks.slice(0, chunks.length);
    if (!same(chunks.map(plain), wanted.map(plain))) expectSame("chunks", chunks, wanted);
    if (input.length >= 20) atEdge(input);
    edge.checkSize();
    coverage.hit(status);
    if (status !== "finished") return;
    coverage.hit(opener.header!.encrypted ? "encrypted" : "plain");
    if (chunks.length === 0) coverage.hit("no chunks");
  }

  /** The checks of the kernel read nothing behind the fields they are given. */
  function atEdge(input: Uint8Array): void {
    const { entropyNegotiation, entropySnapshotHeader, entropyChunkLength } = edge.exports;
    const calls = [
      [20, entropyNegotiation],
      [8, entropySnapshotHeader],
      [4, (pointer: number) => entropyChunkLength(pointer, 1000)],
    ] as const;
    for (const [length, call] of calls) {
      const field = input.subarray(0, length);
      const atEnd = call(edge.placeAtEnd(field));
      if (atEnd !== call(edge.placeInside(field, input.length))) {
        throw new Mismatch("a header's answer depends on what lies around it");
      }
    }
  }

  return {
    name: "entropy",
    states: STATES,
    codes: CODES,
    generate: generateEntropy,
    check,
    memoryBytes: () => exports.memory.buffer.byteLength,
  };
}

function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return "none";
}

import { describe, expect, it } from "vitest";
import { loadCodec as loadBun } from "../../../src/runtime/bun/codec.ts";
import { loadCodec as loadDeno } from "../../../src/runtime/deno/codec.ts";
import { loadCodec as loadNode } from "../../../src/runtime/node/codec.ts";
import { readModule } from "../../../src/runtime/node/wasm-file.ts";
import { loadCodec as loadWeb } from "../../../src/runtime/web/codec.ts";

const token = { signum: 1, words: [3587224931] };

// That each loader finds its own module in the built package is a system test; what they share is tested here.
describe.each([
  ["node", loadNode],
  ["deno", loadDeno],
  ["bun", loadBun],
  ["web", loadWeb],
])("loadCodec of %s", (_name, loadCodec) => {
  it("takes the module compiled, as bytes, and as an ArrayBuffer", () => {
    const bytes = readModule("codec");
    const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    for (const source of [new WebAssembly.Module(bytes), bytes, buffer]) {
      expect(loadCodec(source).hashKey("murmur", "user:1")).toEqual(token);
    }
  });

  it("refuses what is no module", () => {
    expect(() => loadCodec(Uint8Array.of(1, 2, 3))).toThrow(WebAssembly.CompileError);
  });
});

describe("loadCodec on disk", () => {
  it.each([
    ["node", loadNode],
    ["deno", loadDeno],
    ["bun", loadBun],
  ])("finds the module by itself (%s)", (_name, loadCodec) => {
    expect(loadCodec().hashKey("murmur", "user:1")).toEqual(token);
  });

  it("makes instances that share nothing", () => {
    const [first, second] = [loadNode(), loadNode()];
    expect(first).not.toBe(second);
    first.hashKey("murmur", new Uint8Array(1 << 20));
    expect(second.hashKey("murmur", "user:1")).toEqual(token);
  });
});

describe("codec.wasm", () => {
  it("imports nothing", () => {
    expect(WebAssembly.Module.imports(new WebAssembly.Module(readModule("codec")))).toEqual([]);
  });
});

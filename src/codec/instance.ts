/**
 * One instance of `codec.wasm` with its scratch memory: the only place of the codec that touches linear memory by address.
 *
 * A call writes its input at `scratch`, has the kernel put its output behind it, and copies that out before it returns,
 * so nothing survives between two calls and an instance can be shared by everything in one thread.
 */
export class CodecInstance<Exports extends CodecMemoryExports = CodecMemoryExports> {
  readonly exports: Exports;
  #bytes: Uint8Array;
  #data: DataView;

  constructor(exports: Exports) {
    this.exports = exports;
    this.#bytes = new Uint8Array(exports.memory.buffer);
    this.#data = new DataView(exports.memory.buffer);
  }

  /** The whole linear memory; made anew when the memory has grown. Valid until the next call into the module. */
  get bytes(): Uint8Array {
    if (this.#bytes.byteLength === 0) this.#refresh();
    return this.#bytes;
  }

  /** The same memory for little-endian reads and writes. */
  get data(): DataView {
    if (this.#bytes.byteLength === 0) this.#refresh();
    return this.#data;
  }

  /**
   * Reserves `length` bytes of scratch and returns their address (16-byte aligned, always the same one).
   * Throws RangeError when the module's memory cannot hold them.
   */
  reserve(length: number): number {
    const pointer = this.exports.reserve(length) >>> 0;
    if (pointer === 0) throw new RangeError(`codec memory cannot hold ${length} bytes`);
    return pointer;
  }

  /** Reserves room for `input` and `extra` bytes behind it, writes `input`, and returns its address. */
  place(input: Uint8Array, extra = 0): number {
    const pointer = this.reserve(input.length + extra);
    this.bytes.set(input, pointer);
    return pointer;
  }

  /** Copies `length` bytes at `pointer` out of the memory. */
  copy(pointer: number, length: number): Uint8Array {
    return this.bytes.slice(pointer, pointer + length);
  }

  #refresh(): void {
    this.#bytes = new Uint8Array(this.exports.memory.buffer);
    this.#data = new DataView(this.exports.memory.buffer);
  }
}

/** What every module of the codec exports beside its functions. */
export interface CodecMemoryExports {
  readonly memory: WebAssembly.Memory;
  reserve(bytes: number): number;
}

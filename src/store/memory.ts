/**
 * Views of the kernel's linear memory. They are made anew when the memory has grown, which any call into the kernel may cause:
 * read `bytes` and `words` afresh after each call.
 */
export class KernelMemory {
  readonly #memory: WebAssembly.Memory;
  #bytes: Uint8Array<ArrayBuffer>;
  #words: Uint32Array<ArrayBuffer>;
  #data: DataView<ArrayBuffer>;

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
    const buffer = memory.buffer as ArrayBuffer;
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Uint32Array(buffer);
    this.#data = new DataView(buffer);
  }

  /** All bytes. */
  get bytes(): Uint8Array<ArrayBuffer> {
    if (this.#bytes.byteLength === 0) this.#refresh();
    return this.#bytes;
  }

  /** All aligned 32-bit words, by address / 4. */
  get words(): Uint32Array<ArrayBuffer> {
    if (this.#words.byteLength === 0) this.#refresh();
    return this.#words;
  }

  /** For little-endian reads of 64 bits. */
  get data(): DataView<ArrayBuffer> {
    if (this.#bytes.byteLength === 0) this.#refresh();
    return this.#data;
  }

  #refresh(): void {
    const buffer = this.#memory.buffer as ArrayBuffer;
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Uint32Array(buffer);
    this.#data = new DataView(buffer);
  }
}

// A context: what one feed() works in. The node has one for its connections, and takes another for each command that runs
// others (EXEC, the API). 64 KiB of header and batch, then the regions:
//
//   header (u32 fields, below) · batch (32 entries × 16 bytes at 256, 32 hashes, 32 slots)
//   | index 512 KiB | output 256 KiB | input 256 KiB
//
// The header is how the kernel and its host speak: the host reads the fields after each return, and writes OUT_LENGTH.

import { freePages, PAGE_BYTES, takePages } from "./pages";
import { takePagesForHost } from "./room";
import { OUTPUT_BYTES } from "./commands/get";

/** Why feed() or resume() returned, a STATUS_. */
export const CTX_STATUS: u32 = 0;
/** Address behind the last command that is done (or handed over): where the rest of the input begins. */
export const CTX_CONSUMED: u32 = 4;
/** Bytes in the output region; the host sets it to 0 when it has taken them, or counts its own reply in. */
export const CTX_OUT_LENGTH: u32 = 8;
/** The command for the host: number of arguments, and address of their (address, length) pairs. */
export const CTX_ARGC: u32 = 12;
export const CTX_ARGV: u32 = 16;
/** At the end of the input: bytes that the command in progress still needs at least, 0 for none in progress. */
export const CTX_WANTED: u32 = 20;
/** The command's number in the kernel, 0 for one it does not know. */
export const CTX_COMMAND: u32 = 24;
/** The value to reply with STATUS_LARGE: address and length. */
export const CTX_LARGE: u32 = 28;
export const CTX_LARGE_LENGTH: u32 = 32;
/** 1 while objects wait for takeReleased(). */
export const CTX_RELEASED: u32 = 36;
/** Addresses and lengths of the regions. */
export const CTX_INPUT: u32 = 40;
export const CTX_INPUT_BYTES: u32 = 44;
export const CTX_OUTPUT: u32 = 48;
export const CTX_OUTPUT_BYTES: u32 = 52;
/** With STATUS_PROTOCOL_ERROR: the REQUEST_ code of the parser. */
export const CTX_ERROR: u32 = 56;

// What only the kernel uses.
export const CTX_INDEX: u32 = 64;
export const CTX_END: u32 = 68;
export const CTX_CONNECTION: u32 = 72;
export const CTX_PARSED: u32 = 76;
export const CTX_BATCH_COUNT: u32 = 80;
export const CTX_BATCH_NEXT: u32 = 84;
export const CTX_PARSE_STATUS: u32 = 88;
export const CTX_BIG_INDEX: u32 = 92;
export const CTX_BIG_INDEX_PAGES: u32 = 96;
export const CTX_BIG_INPUT: u32 = 100;
export const CTX_BIG_INPUT_PAGES: u32 = 104;
/** Layout of the table that the slots of the batch belong to. */
export const CTX_LAYOUT: u32 = 108;
export const CTX_BATCH: u32 = 256;

/** Commands that are parsed, hashed and looked up together. */
export const BATCH_COMMANDS: u32 = 32;
/** Of each of them: the hash of its key, and the slot that most likely holds it (0: none), both u32. */
export const CTX_HASHES: u32 = CTX_BATCH + BATCH_COMMANDS * 16;
export const CTX_SLOTS: u32 = CTX_HASHES + BATCH_COMMANDS * 4;

// Per command in a batch.
export const BATCH_ENTRY_BYTES: u32 = 16;
export const BATCH_ARGV: u32 = 0;
export const BATCH_ARGC: u32 = 4;
export const BATCH_COMMAND: u32 = 8;
export const BATCH_END: u32 = 12;

const INDEX_BYTES: u32 = 512 * 1024;
/** Arguments that the index of a context holds. */
export const INDEX_ENTRIES: u32 = INDEX_BYTES >> 3;
/** An inline command has at most this many arguments; the index always has room for one. */
export const INLINE_ARGUMENTS: u32 = 32769;
/** Bytes of an input region; longer input has pages of its own while it lasts. */
export const INPUT_BYTES: u32 = 256 * 1024;
const CONTEXT_PAGES: u32 = 1 + ((INDEX_BYTES + OUTPUT_BYTES + INPUT_BYTES) >> 16);

/** Makes a context and returns its address, 0 at the ceiling. */
export function contextOpen(): u32 {
  const context = takePages(CONTEXT_PAGES, 1);
  if (context == 0) return 0;
  memory.fill(context, 0, PAGE_BYTES);
  const index = context + PAGE_BYTES;
  const output = index + INDEX_BYTES;
  store<u32>(context, index, CTX_INDEX);
  store<u32>(context, output, CTX_OUTPUT);
  store<u32>(context, OUTPUT_BYTES, CTX_OUTPUT_BYTES);
  store<u32>(context, output + OUTPUT_BYTES, CTX_INPUT);
  store<u32>(context, INPUT_BYTES, CTX_INPUT_BYTES);
  return context;
}

/** Gives a context's memory back. */
export function contextClose(context: u32): void {
  releaseBigInput(context);
  releaseBigIndex(context);
  freePages(context, CONTEXT_PAGES);
}

/** Address for `bytes` bytes of input: the context's region, or pages taken until the next call; 0 at the ceiling. */
export function inputReserve(context: u32, bytes: u32): u32 {
  releaseBigInput(context);
  if (bytes <= INPUT_BYTES) return load<u32>(context, CTX_INPUT);
  const pages = (bytes + PAGE_BYTES - 1) >> 16;
  const address = takePagesForHost(pages);
  if (address == 0) return 0;
  store<u32>(context, address, CTX_BIG_INPUT);
  store<u32>(context, pages, CTX_BIG_INPUT_PAGES);
  return address;
}

/** Gives the pages of long input back. */
function releaseBigInput(context: u32): void {
  const address = load<u32>(context, CTX_BIG_INPUT);
  if (address == 0) return;
  freePages(address, load<u32>(context, CTX_BIG_INPUT_PAGES));
  store<u32>(context, 0, CTX_BIG_INPUT);
}

/** Address of an index of `entries` arguments in pages of its own, 0 at the ceiling. */
export function bigIndexReserve(context: u32, entries: u32): u32 {
  releaseBigIndex(context);
  const pages = ((entries << 3) + PAGE_BYTES - 1) >> 16;
  const address = takePages(pages, 1);
  if (address == 0) return 0;
  store<u32>(context, address, CTX_BIG_INDEX);
  store<u32>(context, pages, CTX_BIG_INDEX_PAGES);
  return address;
}

export function releaseBigIndex(context: u32): void {
  const address = load<u32>(context, CTX_BIG_INDEX);
  if (address == 0) return;
  freePages(address, load<u32>(context, CTX_BIG_INDEX_PAGES));
  store<u32>(context, 0, CTX_BIG_INDEX);
}

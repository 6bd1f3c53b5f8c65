// Blocks: memory for what waits on other nodes: replies in streams, and what slots keep. Three sizes are cut from pages, larger
// ones are runs of pages. A page whose blocks are all free goes back, but for the last one of its size.
//
//   page of blocks   0 u32 first free block (each links the next at offset 0)   4 u32 offset of what was never used
//                    8 u32 blocks in use   12 u32 next and 16 u32 previous page with free blocks   then blocks, from the
//                    first multiple of their size on

import { freePages, PAGE_BYTES, takePages } from "../pages";

const SMALL_BYTES: u32 = 256;
const MIDDLE_BYTES: u32 = 1024;
const LARGE_BYTES: u32 = 4096;

const FREE: u32 = 0;
const UNUSED: u32 = 4;
const USED: u32 = 8;
const NEXT: u32 = 12;
const PREVIOUS: u32 = 16;

/** First page with free blocks of each size. */
const partial: usize = memory.data(3 * 4, 4);

/** Bytes of blocks in use, and pages that hold blocks. */
export let blockBytes: u64 = 0;
export let blockPages: u32 = 0;

export function blocksInit(): void {
  memory.fill(partial, 0, 12);
  blockBytes = 0;
  blockPages = 0;
}

// @ts-ignore: decorator
@inline
function sizeOf(bytes: u32): u32 {
  return bytes <= SMALL_BYTES ? SMALL_BYTES : bytes <= MIDDLE_BYTES ? MIDDLE_BYTES : LARGE_BYTES;
}

// @ts-ignore: decorator
@inline
function listOf(size: u32): usize {
  return partial + (size == SMALL_BYTES ? 0 : size == MIDDLE_BYTES ? 4 : 8);
}

// @ts-ignore: decorator
@inline
function pagesOf(bytes: u32): u32 {
  return (bytes + PAGE_BYTES - 1) >> 16;
}

/** A block of at least so many bytes, with anything in it; 0 at the ceiling. Moves no records. */
export function blockTake(bytes: u32): u32 {
  if (bytes > LARGE_BYTES) {
    const pages = pagesOf(bytes);
    const address = takePages(pages, 1);
    if (address == 0) return 0;
    blockPages += pages;
    blockBytes += <u64>pages << 16;
    return address;
  }
  const size = sizeOf(bytes);
  const list = listOf(size);
  let page = load<u32>(list);
  if (page == 0) {
    page = takePages(1, 1);
    if (page == 0) return 0;
    blockPages++;
    store<u32>(page, 0, FREE);
    store<u32>(page, size, UNUSED);
    store<u32>(page, 0, USED);
    link(list, page);
  }
  let block = load<u32>(page, FREE);
  if (block != 0) {
    store<u32>(page, load<u32>(block), FREE);
  } else {
    const unused = load<u32>(page, UNUSED);
    block = page + unused;
    store<u32>(page, unused + size, UNUSED);
  }
  store<u32>(page, load<u32>(page, USED) + 1, USED);
  if (isFull(page)) unlink(list, page);
  blockBytes += size;
  return block;
}

/** Gives a block back; `bytes`: as many as were asked for. */
export function blockFree(block: u32, bytes: u32): void {
  if (bytes > LARGE_BYTES) {
    const pages = pagesOf(bytes);
    freePages(block, pages);
    blockPages -= pages;
    blockBytes -= <u64>pages << 16;
    return;
  }
  const size = sizeOf(bytes);
  const list = listOf(size);
  const page = block & ~(PAGE_BYTES - 1);
  const wasFull = isFull(page);
  const used = load<u32>(page, USED) - 1;
  store<u32>(block, load<u32>(page, FREE));
  store<u32>(page, block, FREE);
  store<u32>(page, used, USED);
  blockBytes -= size;
  if (wasFull) link(list, page);
  if (used != 0 || (load<u32>(list) == page && load<u32>(page, NEXT) == 0)) return;
  unlink(list, page);
  freePages(page, 1);
  blockPages--;
}

// @ts-ignore: decorator
@inline
function isFull(page: u32): bool {
  return load<u32>(page, FREE) == 0 && load<u32>(page, UNUSED) >= PAGE_BYTES;
}

function link(list: usize, page: u32): void {
  const next = load<u32>(list);
  store<u32>(page, next, NEXT);
  store<u32>(page, 0, PREVIOUS);
  if (next != 0) store<u32>(next, page, PREVIOUS);
  store<u32>(list, page);
}

function unlink(list: usize, page: u32): void {
  const next = load<u32>(page, NEXT);
  const previous = load<u32>(page, PREVIOUS);
  if (next != 0) store<u32>(next, previous, PREVIOUS);
  if (previous != 0) store<u32>(previous, next, NEXT);
  else store<u32>(list, next);
}

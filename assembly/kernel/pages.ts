// Pages of linear memory: the only place that grows it. A page is 64 KiB; runs of pages are handed out first-fit, lowest first,
// so that freed runs are used again before the memory grows.
//
//   0 ............ __heap_base .................................................. limit
//   static tables  | pages (first whole page behind the heap base)                | one spare page, never handed out
//
// pageMap holds one byte per page: 0 free, 1 taken. Code may read up to 64 KiB behind a region; it never traps.

export const PAGE_BYTES: u32 = 65536;
/** Pages that wasm32 can address, less a margin so that no address computation wraps. */
export const MAX_PAGES: u32 = 65520;
/** Fewest pages by which the memory grows: growing detaches the host's views and may start its garbage collector. */
const GROW_PAGES: u32 = 512;

const pageMap: usize = memory.data(65536, 16);

let limitPages: u32 = MAX_PAGES;
let firstPage: u32 = 0;
/** No page below is free. */
let hint: u32 = 0;
/** Pages handed out. */
export let takenPages: u32 = 0;

/** Takes over all memory behind the static data; at most `ceilingBytes` of memory are used. */
export function pagesInit(ceilingBytes: u32): void {
  firstPage = (<u32>__heap_base + PAGE_BYTES - 1) >> 16;
  hint = firstPage;
  takenPages = 0;
  memory.fill(pageMap, 0, 65536);
  const pages = ceilingBytes >> 16;
  limitPages = pages < firstPage + 64 ? firstPage + 64 : pages > MAX_PAGES ? MAX_PAGES : pages;
}

/** Pages that may still be taken before the ceiling. */
export function pagesLeft(): u32 {
  const taken = firstPage + takenPages;
  return taken >= limitPages ? 0 : limitPages - taken;
}

/** Pages below the ceiling, taken or not. */
export function pagesOverall(): u32 {
  return limitPages - firstPage;
}

/**
 * Takes `count` pages in a row, the first at a multiple of `align` pages, and returns their address, 0 at the ceiling. The
 * content is not cleared.
 */
export function takePages(count: u32, align: u32): u32 {
  const page = findPages(count, align);
  return page == 0 ? 0 : take(page, count);
}

/** Whether takePages() would find them. */
export function hasPages(count: u32, align: u32): bool {
  return findPages(count, align) != 0;
}

/** The first of `count` free pages in a row below the ceiling, at a multiple of `align`; 0 when there are none. */
function findPages(count: u32, align: u32): u32 {
  let page = (hint + align - 1) / align * align;
  while (page + count <= limitPages) {
    let free: u32 = 0;
    while (free < count && load<u8>(pageMap + page + free) == 0) free++;
    if (free == count) return page;
    page += free + 1;
    page = (page + align - 1) / align * align;
  }
  return 0;
}

function take(page: u32, count: u32): u32 {
  // One page more than is taken: reads may run over the end of a region.
  const needed = page + count + 1;
  const have = <u32>memory.size();
  if (needed > have) {
    const grow = needed - have;
    // An eighth of what there is: pages that nothing has touched take no resident memory.
    const step = max(min(max(have >> 3, GROW_PAGES), limitPages + 1 - min(have, limitPages)), grow);
    if (memory.grow(step) < 0 && memory.grow(grow) < 0) return 0;
  }
  memory.fill(pageMap + page, 1, count);
  takenPages += count;
  if (page == hint) hint = page + count;
  return page << 16;
}

/** Gives `count` pages at `address` back. */
export function freePages(address: u32, count: u32): void {
  const page = address >> 16;
  memory.fill(pageMap + page, 0, count);
  takenPages -= count;
  if (page < hint) hint = page;
}

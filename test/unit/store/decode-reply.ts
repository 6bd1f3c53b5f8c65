/** Replies as plain values, for tests that look at one at a time. */

/** An error of the server; everything else is a plain value. */
export interface DecodedError {
  readonly error: string;
}

/** Strings are one character per byte; a simple string looks like a bulk string, a map like an array of its pairs. */
export type Decoded = string | number | bigint | boolean | null | DecodedError | readonly Decoded[];

/** Reads the only reply in `text`, which is one character per byte. */
export function decodeReply(text: string): Decoded {
  const { value, end } = readReply(text, 0);
  if (end !== text.length) throw new Error(`more than one reply: ${JSON.stringify(text)}`);
  return value;
}

/** Thrown where a reply goes on behind the text, unless what is missing is the end of a string. */
export class HalfReply extends Error {}

/** Reads the reply at `start`; `end` is where the next one begins. */
export function readReply(text: string, start: number): { value: Decoded; end: number } {
  const lineEnd = text.indexOf("\r\n", start);
  if (lineEnd < 0) throw new HalfReply(`half a reply: ${shown(text, start)}`);
  const line = text.slice(start + 1, lineEnd);
  const end = lineEnd + 2;
  switch (text[start]) {
    case "+":
      return { value: line, end };
    case "-":
      return { value: { error: line }, end };
    case ":":
      return { value: readInteger(line), end };
    case "_":
      return { value: null, end };
    case "#":
      return { value: line === "t", end };
    case ",":
      return { value: Number(line), end };
    case "(":
      return { value: BigInt(line), end };
    case "=":
    case "$":
      if (line === "-1") return { value: null, end };
      return { value: text.slice(end, end + Number(line)), end: end + Number(line) + 2 };
    case "*":
    case "~":
      return line === "-1" ? { value: null, end } : readItems(text, end, Number(line));
    case "%":
      return readItems(text, end, Number(line) * 2);
  }
  throw new Error(`no reply: ${shown(text, start)}`);
}

const shown = (text: string, start: number): string =>
  JSON.stringify(text.slice(start, start + 99));

function readItems(text: string, start: number, count: number): { value: Decoded; end: number } {
  const items: Decoded[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    const { value, end } = readReply(text, at);
    items.push(value);
    at = end;
  }
  return { value: items, end: at };
}

function readInteger(line: string): number | bigint {
  const value = Number(line);
  return Number.isSafeInteger(value) ? value : BigInt(line);
}

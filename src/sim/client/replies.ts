/** Reads RESP 2 replies as they come, cut anywhere. Written apart from the codec, so that the one checks the other. */

/** A reply; strings are one character per byte. */
export type Reply = string | number | null | ReplyError | readonly Reply[];

export interface ReplyError {
  readonly error: string;
}

export function isError(reply: Reply | undefined): reply is ReplyError {
  return typeof reply === "object" && reply !== null && "error" in reply;
}

export class ReplyReader {
  #text = "";

  push(bytes: Uint8Array): void {
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    this.#text += text;
  }

  /** The next reply that has come whole; undefined: none. Throws where what came is no reply. */
  next(): Reply | undefined {
    const read = readReply(this.#text, 0);
    if (read === undefined) return undefined;
    this.#text = this.#text.slice(read.end);
    return read.reply;
  }
}

interface Read {
  readonly reply: Reply;
  readonly end: number;
}

function readReply(text: string, start: number): Read | undefined {
  const lineEnd = text.indexOf("\r\n", start);
  if (lineEnd < 0) return undefined;
  const line = text.slice(start + 1, lineEnd);
  const end = lineEnd + 2;
  switch (text[start]) {
    case "+":
      return { reply: line, end };
    case "-":
      return { reply: { error: line }, end };
    case ":":
      return { reply: Number(line), end };
    case "$":
      return readBulk(text, end, Number(line));
    case "*":
      return readItems(text, end, Number(line));
  }
  throw new Error(`no reply: ${JSON.stringify(text.slice(start, start + 99))}`);
}

function readBulk(text: string, start: number, length: number): Read | undefined {
  if (length < 0) return { reply: null, end: start };
  const end = start + length + 2;
  if (text.length < end) return undefined;
  return { reply: text.slice(start, end - 2), end };
}

function readItems(text: string, start: number, count: number): Read | undefined {
  if (count < 0) return { reply: null, end: start };
  const items: Reply[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    const item = readReply(text, at);
    if (item === undefined) return undefined;
    items.push(item.reply);
    at = item.end;
  }
  return { reply: items, end: at };
}

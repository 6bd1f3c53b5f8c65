/** RESP requests read slowly, from the specification and the rules of Redis 7 alone. */
import { Incomplete, latin1, readAll, type SlowStream } from "./cut.ts";

const MAX_LINE = 65536;
const MAX_ARGUMENTS = 1024 * 1024;
const MAX_BULK = 512 * 1024 * 1024;

/** The commands of `bytes`, the empty ones included. Arguments are text of one character per byte. */
export function readRequests(
  bytes: Uint8Array,
  unauthenticated = false,
  most?: number,
): SlowStream<string[]> {
  const text = latin1(bytes);
  return readAll(
    text.length,
    (at) => (text[at] === "*" ? readArray(text, at, unauthenticated) : readInline(text, at)),
    most,
  );
}

function readArray(text: string, at: number, unauthenticated: boolean): [string[], number] {
  const [count, behindCount] = readNumber(text, at + 1, "RESP_BAD_COUNT", "RESP_LONG_COUNT");
  if (count > MAX_ARGUMENTS) throw "RESP_BAD_COUNT";
  if (count > 10 && unauthenticated) throw "RESP_UNAUTHENTICATED_COUNT";
  const args: string[] = [];
  let next = behindCount;
  for (let i = 0; i < count; i++) {
    if (next >= text.length) throw new Incomplete(next + 1);
    if (text[next] !== "$") throw "RESP_NO_DOLLAR";
    const [length, start] = readNumber(text, next + 1, "RESP_BAD_LENGTH", "RESP_LONG_LENGTH");
    if (length < 0 || length > MAX_BULK) throw "RESP_BAD_LENGTH";
    if (length > 16384 && unauthenticated) throw "RESP_UNAUTHENTICATED_LENGTH";
    const end = start + length;
    if (text.length < end + 2) throw new Incomplete(end + 2);
    if (text.slice(end, end + 2) !== "\r\n") throw "RESP_NO_CRLF";
    args.push(text.slice(start, end));
    next = end + 2;
  }
  return [args, next];
}

/** A number and its CR LF. A line is judged when its CR has come. */
function readNumber(text: string, at: number, bad: string, long: string): [number, number] {
  const cr = text.indexOf("\r", at);
  if (cr < 0 || cr - at >= MAX_LINE) {
    if (text.length - at >= MAX_LINE) throw long;
    throw new Incomplete(text.length + 1);
  }
  const digits = text.slice(at, cr);
  if (!/^(0|-?[1-9][0-9]*)$/.test(digits) || BigInt.asIntN(64, BigInt(digits)) !== BigInt(digits)) {
    // Minus zero is found out only when the line is whole.
    if (digits === "-0" && cr + 1 === text.length) throw new Incomplete(text.length + 1);
    throw bad;
  }
  if (cr + 1 === text.length) throw new Incomplete(text.length + 1);
  if (text[cr + 1] !== "\n") throw bad;
  return [Number(digits), cr + 2];
}

function readInline(text: string, at: number): [string[], number] {
  const lf = text.indexOf("\n", at);
  if (lf < 0 || lf - at > MAX_LINE) {
    if (text.length - at > MAX_LINE) throw "RESP_LONG_INLINE";
    throw new Incomplete(text.length + 1);
  }
  const line = text.slice(at, lf);
  const nul = line.indexOf("\0");
  return [splitLine(nul < 0 ? line.replace(/\r$/, "") : line.slice(0, nul)), lf + 1];
}

const ESCAPES: Record<string, string> = { n: "\n", r: "\r", t: "\t", b: "\b", a: "\x07" };

/** Splits a line as redis-cli writes it. */
function splitLine(line: string): string[] {
  const words: string[] = [];
  let rest = line.replace(/^[ \t\n\v\f\r]+/, "");
  while (rest !== "") {
    const bare = /^[^ \t\n\r"']*/.exec(rest)![0];
    let word = bare;
    rest = rest.slice(bare.length);
    const quote = rest[0];
    if (quote === '"' || quote === "'") {
      const pattern = quote === '"' ? /^"((?:\\[\s\S]|[^"\\])*)"/ : /^'((?:\\'|[^'\\]|\\(?!'))*)'/;
      const quoted = pattern.exec(rest);
      if (quoted === null) throw "RESP_QUOTES";
      word += quote === '"' ? unescapeQuoted(quoted[1]!) : quoted[1]!.replaceAll("\\'", "'");
      rest = rest.slice(quoted[0].length);
      if (rest !== "" && !/^[ \t\n\v\f\r]/.test(rest)) throw "RESP_QUOTES";
    }
    words.push(word);
    rest = rest.replace(/^[ \t\n\v\f\r]+/, "");
  }
  return words;
}

function unescapeQuoted(text: string): string {
  return text.replace(/\\(x[0-9a-fA-F]{2}|[\s\S])/g, (_, what: string) => {
    if (what.length === 3) return String.fromCharCode(Number.parseInt(what.slice(1), 16));
    return ESCAPES[what] ?? what;
  });
}

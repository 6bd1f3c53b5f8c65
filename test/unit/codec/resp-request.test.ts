import { describe, expect, it } from "vitest";
import { codec, codeOf } from "./codec-under-test.ts";

const ascii = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
const commands = (input: string) =>
  codec.parseRequests(ascii(input)).commands.map((args) => args.map(text));
const long = (count: number, letter = "x") => letter.repeat(count);

describe("RESP requests", () => {
  it("are arrays of bulk strings and inline commands, in any order", () => {
    const input = "*2\r\n$3\r\nGET\r\n$0\r\n\r\nPING\r\n*1\r\n$4\r\n\r\n\0\xff\r\nset a 'b c'\n";
    const found = codec.parseRequests(ascii(input));
    expect(found.commands.map((args) => args.map(text))).toEqual([
      ["GET", ""],
      ["PING"],
      ["\r\n\0\xff"],
      ["set", "a", "b c"],
    ]);
    expect(found).toMatchObject({
      status: "complete",
      consumed: input.length,
      wanted: 0,
      error: null,
    });
  });

  it("are views of the input, and copies where they came inline", () => {
    const input = ascii('*1\r\n$1\r\na\r\n"\\x41b"\r\n');
    const [[array], [inline]] = codec.parseRequests(input).commands as [[Uint8Array], [Uint8Array]];
    expect(array.buffer).toBe(input.buffer);
    expect(text(inline)).toBe("Ab");
    expect(text(input)).toBe('*1\r\n$1\r\na\r\n"\\x41b"\r\n');
    codec.parseRequests(ascii("other\r\n"));
    expect(text(inline)).toBe("Ab");
  });

  it("are read at every cut of every command", () => {
    const input =
      '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$12\r\nhello\r\nworld\r\nset "a b" c\r\n*0\r\n*1\r\n$4\r\nPING\r\n';
    const whole = commands(input);
    for (let cut = 0; cut <= input.length; cut++) {
      const first = codec.parseRequests(ascii(input.slice(0, cut)));
      expect(first.error).toBeNull();
      const second = codec.parseRequests(ascii(input.slice(first.consumed)));
      expect([...first.commands, ...second.commands].map((args) => args.map(text))).toEqual(whole);
    }
  });

  it.each([
    ["*2\r\n$3\r\nGET\r\n", 1],
    ["*2\r\n$3\r\nGET\r\n$5\r\nab", 5],
    ["*3\r\n$3\r\nGET\r\n$5\r\nab", 5],
    ["*2\r", 1],
    ["*2\r\n$", 1],
    ["GET", 1],
  ])("say what %j needs at least", (input, wanted) => {
    expect(codec.parseRequests(ascii(input))).toMatchObject({
      status: "incomplete",
      consumed: 0,
      wanted,
    });
  });

  it("of a count of 0 or less, and empty lines, are passed over", () => {
    const input = "*0\r\n*-1\r\n*-9223372036854775808\r\n\r\n\n  \r\nPING\r\n";
    expect(commands(input)).toEqual([["PING"]]);
    expect(codec.parseRequests(ascii(input)).consumed).toBe(input.length);
  });

  it.each([
    ["*x\r\n", "RESP_BAD_COUNT", "Protocol error: invalid multibulk length"],
    ["*\r\n", "RESP_BAD_COUNT", "Protocol error: invalid multibulk length"],
    ["*01\r\n", "RESP_BAD_COUNT", "Protocol error: invalid multibulk length"],
    ["*+1\r\n", "RESP_BAD_COUNT", "Protocol error: invalid multibulk length"],
    ["*-0\r\n", "RESP_BAD_COUNT", "Protocol error: invalid multibulk length"],
    ["*1\rx", "RESP_BAD_COUNT", "Protocol error: invalid multibulk length"],
    ["*1048577\r\n", "RESP_BAD_COUNT", "Protocol error: invalid multibulk length"],
    ["*3000000000\r\n", "RESP_BAD_COUNT", "Protocol error: invalid multibulk length"],
    ["*-92233720368547758080\r\n", "RESP_BAD_COUNT", "Protocol error: invalid multibulk length"],
    [`*${long(65536)}`, "RESP_LONG_COUNT", "Protocol error: too big mbulk count string"],
    ["*1\r\nx", "RESP_NO_DOLLAR", "Protocol error: expected '$', got 'x'"],
    ["*1\r\n$-1\r\n", "RESP_BAD_LENGTH", "Protocol error: invalid bulk length"],
    ["*1\r\n$blah\r\n", "RESP_BAD_LENGTH", "Protocol error: invalid bulk length"],
    ["*1\r\n$536870913\r\n", "RESP_BAD_LENGTH", "Protocol error: invalid bulk length"],
    ["*1\r\n$2000000000\r\n", "RESP_BAD_LENGTH", "Protocol error: invalid bulk length"],
    [`*1\r\n$${long(65536)}`, "RESP_LONG_LENGTH", "Protocol error: too big bulk count string"],
    ["*1\r\n$1\r\nab\r\n", "RESP_NO_CRLF", "Protocol error: expected CR LF after bulk string"],
    [long(65537), "RESP_LONG_INLINE", "Protocol error: too big inline request"],
    ['set "a\r\n', "RESP_QUOTES", "Protocol error: unbalanced quotes in request"],
    ["set 'a'b\r\n", "RESP_QUOTES", "Protocol error: unbalanced quotes in request"],
  ])("such as %.30j are refused, and what was before them is not", (input, code, message) => {
    const found = codec.parseRequests(ascii(`PING\r\n${input}`));
    expect(found).toMatchObject({
      status: "error",
      consumed: 6,
      wanted: 0,
      error: { code, message },
    });
    expect(found.commands).toHaveLength(1);
  });

  it("have room up to each limit", () => {
    expect(codec.parseRequests(ascii("*1048576\r\n")).status).toBe("incomplete");
    expect(codec.parseRequests(ascii("*1\r\n$536870912\r\n")).wanted).toBe(536870914);
    expect(commands(`${long(65536)}\n`)).toEqual([[long(65536)]]);
    expect(codec.parseRequests(ascii(`*${long(65535)}`)).status).toBe("incomplete");
  });

  it("of a client without its password have narrower limits", () => {
    const code = (input: string) =>
      codec.parseRequests(ascii(input), { unauthenticated: true }).error?.code;
    expect(code("*11\r\n")).toBe("RESP_UNAUTHENTICATED_COUNT");
    expect(code("*10\r\n")).toBeUndefined();
    expect(code("*1\r\n$16385\r\n")).toBe("RESP_UNAUTHENTICATED_LENGTH");
    expect(code("*1\r\n$16384\r\n")).toBeUndefined();
  });

  it.each([
    ['"\\n\\r\\t\\b\\a\\q\\\\\\""', ['\n\r\t\b\x07q\\"']],
    ['"\\x00\\xFf\\xg1\\x4"', ["\0\xffxg1x4"]],
    ["'a\\'b\\n' c", ["a'b\\n", "c"]],
    ["a\"b c\" d'e'", ["ab c", "de"]],
    [" \t a \t b\v c", ["a", "b\v", "c"]],
    ["\"\" ''", ["", ""]],
    ["GET a\0 b", ["GET", "a"]],
    ["a\\nb \\", ["a\\nb", "\\"]],
  ])("read the inline command %j as redis-cli writes it", (line, args) => {
    expect(commands(`${line}\r\n`)).toEqual([args]);
  });

  it("may be more than the index has room for, and longer than the window", () => {
    const many = Array.from(
      { length: 40_000 },
      (_, i) => `*1\r\n$${String(i).length}\r\n${i}\r\n`,
    ).join("");
    const wide = `*50000\r\n${"$1\r\na\r\n".repeat(50_000)}`;
    const large = `*2\r\n$3\r\nSET\r\n$2000000\r\n${long(2_000_000)}\r\n`;
    const found = codec.parseRequests(ascii(`${many}${wide}${large}${many}*1\r\n$4\r\nPI`));
    expect(found).toMatchObject({ status: "incomplete", wanted: 4 });
    expect(found.commands.length).toBe(80_002);
    expect(found.commands[40_000]!.length).toBe(50_000);
    expect(found.commands[40_001]![1]!.length).toBe(2_000_000);
    expect(text(found.commands[80_001]![0]!)).toBe("39999");
  });

  it("are written as arrays of bulk strings", () => {
    const written = codec.writeRequest(["SET", Uint8Array.of(0, 255), "é", 12, 34n, ""]);
    expect(text(written)).toBe(
      "*6\r\n$3\r\nSET\r\n$2\r\n\0\xff\r\n$2\r\n\xc3\xa9\r\n$2\r\n12\r\n$2\r\n34\r\n$0\r\n\r\n",
    );
    expect(codec.parseRequests(written).commands[0]).toHaveLength(6);
    expect(codeOf(() => codec.writeRequest([]))).toBe("RESP_EMPTY_COMMAND");
  });
});

// The smoke test of `ringlet/codec` as it is installed: plain JavaScript that uses nothing but the language, so that one module
// runs in every runtime. It is copied beside an installed package, with the hash vectors as `vectors.mjs`.
import { CodecError, DNODE_TYPE, loadCodec } from "ringlet/codec";
import { vectors } from "./vectors.mjs";

/** Runs every check; throws at the first that fails. Returns how many there were. */
export function smoke() {
  const codec = loadCodec();
  const checks = [
    ...hashChecks(codec),
    [
      "a key as text",
      () => equal(codec.hashKey("murmur", "foo"), codec.hashKey("murmur", bytes("foo"))),
    ],
    ["the order of tokens", () => equal(codec.compareTokens(token(1), token(2)), -1)],
    ["a dnode frame there and back", () => dnode(codec)],
    ["a dnode frame in two parts", () => dnodeInParts(codec)],
    ["capabilities there and back", () => capabilities(codec)],
    [
      "capabilities that are cut",
      () => refused(() => codec.decodeCapabilities(bytes("CAP")), "CAP_TRUNCATED"),
    ],
    ["AES by the standard's example", () => aesExample(codec)],
    ...[0, 1, 15, 16, 1000, 100_000].map((length) => [
      `AES of ${length} bytes there and back`,
      () => aesRoundTrip(codec, length),
    ]),
    ["a chunk there and back", () => chunk(codec)],
    ["a chunk under another key", () => foreignChunk(codec)],
    ["requests in RESP", () => requests(codec)],
    ["replies in RESP 2 and 3", () => replies(codec)],
    [
      "a protocol error",
      () => equal(codec.parseRequests(bytes("*-x\r\n")).error.code, "RESP_BAD_COUNT"),
    ],
    [
      "a second codec of its own",
      () => equal(loadCodec().hashKey("crc32a", "a"), codec.hashKey("crc32a", "a")),
    ],
  ];
  for (const [name, check] of checks) {
    try {
      check();
    } catch (error) {
      throw new Error(`${name}: ${error.message}`, { cause: error });
    }
  }
  return checks.length;
}

function hashChecks(codec) {
  return vectors.keys.flatMap(({ label, key, tokens }) =>
    Object.entries(tokens)
      .filter(([, expected]) => expected !== null)
      .map(([name, expected]) => [
        `${name} of ${label}`,
        () => equal(codec.hashKey(name, fromHex(key)).words, [expected].flat()),
      ]),
  );
}

const FRAME = {
  id: 42n,
  type: DNODE_TYPE.request,
  flags: 0,
  sameDc: true,
  data: bytes("d"),
  payload: bytes("*1\r\n$4\r\nPING\r\n"),
};

function dnode(codec) {
  const { status, frame } = codec.parseDnode(codec.writeDnode(FRAME));
  equal(status, "complete");
  for (const [field, value] of Object.entries(FRAME)) equal(frame[field], value);
}

function dnodeInParts(codec) {
  const whole = codec.writeDnode(FRAME);
  for (let length = 0; length < whole.length; length++) {
    equal(codec.parseDnode(whole.subarray(0, length)).status, "incomplete");
  }
}

function capabilities(codec) {
  const entries = [
    { name: "compression", values: [bytes("none"), bytes("zstd")] },
    { name: "ringlet_framing", values: [Uint8Array.of(2)] },
  ];
  equal(codec.decodeCapabilities(codec.encodeCapabilities(entries)), entries);
}

/** NIST SP 800-38A, F.2.1, first block. */
function aesExample(codec) {
  const key = fromHex("2b7e151628aed2a6abf7158809cf4f3c");
  const iv = fromHex("000102030405060708090a0b0c0d0e0f");
  const sealed = codec.aesEncrypt(key, iv, fromHex("6bc1bee22e409f96e93d7e117393172a"));
  equal(sealed.subarray(0, 16), fromHex("7649abac8119b246cee98e9b12e9197d"));
}

const KEY = fromHex("000102030405060708090a0b0c0d0e0f");
const CIPHER = { key: KEY, iv: KEY };

function aesRoundTrip(codec, length) {
  const plain = Uint8Array.from({ length }, (_, index) => (index * 31) & 255);
  const sealed = codec.aesEncrypt(KEY, KEY, plain);
  equal(sealed.length, length - (length % 16) + 16);
  equal(codec.aesDecrypt(KEY, KEY, sealed), plain);
}

function chunk(codec) {
  const plain = bytes("a snapshot's bytes");
  equal(codec.openChunk(codec.sealChunk(plain, CIPHER), { cipher: CIPHER }).plain, plain);
}

function foreignChunk(codec) {
  const sealed = codec.sealChunk(bytes("a snapshot's bytes"), CIPHER);
  const cipher = { key: fromHex("ff0102030405060708090a0b0c0d0e0f"), iv: KEY };
  refused(() => codec.openChunk(sealed, { cipher }), "DECRYPT_FAILED");
}

function requests(codec) {
  const input = bytes("*2\r\n$3\r\nGET\r\n$1\r\na\r\nPING\r\n*1\r\n$4\r\nQU");
  const { commands, status, consumed } = codec.parseRequests(input);
  equal(commands, [[bytes("GET"), bytes("a")], [bytes("PING")]]);
  equal([status, consumed], ["incomplete", 26]);
  equal(codec.writeRequest(["GET", "a"]), input.subarray(0, 20));
}

function replies(codec) {
  for (const reply of [
    "+OK\r\n",
    "$1\r\na\r\n",
    ":1\r\n",
    "*1\r\n_\r\n",
    "%1\r\n+a\r\n#t\r\n",
    ",1.5\r\n",
  ]) {
    const read = codec.parseReply(bytes(`${reply}+NEXT\r\n`));
    equal([read.status, read.end], ["complete", reply.length]);
  }
}

function refused(action, code) {
  try {
    action();
  } catch (error) {
    equal(error instanceof CodecError, true);
    equal(error.code, code);
    return;
  }
  throw new Error(`was not refused with ${code}`);
}

function token(word) {
  return { signum: 1, words: [word] };
}

function equal(actual, expected) {
  if (show(actual) !== show(expected)) {
    throw new Error(`expected ${show(expected).slice(0, 200)}, got ${show(actual).slice(0, 200)}`);
  }
}

function show(value) {
  return JSON.stringify(value, (_, inner) => {
    if (typeof inner === "bigint") return `${inner}n`;
    return ArrayBuffer.isView(inner) ? Array.from(inner) : inner;
  });
}

function bytes(text) {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

function fromHex(text) {
  return Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

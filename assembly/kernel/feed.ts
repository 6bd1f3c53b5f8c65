// feed(): one call per socket chunk. Up to 32 commands are parsed, hashed and their slots and records loaded, so that their
// cache misses overlap; then they run one after the other. A command the kernel does not answer stops the run: the host
// replies into the output and calls resume().

import { arenaMaintain } from "./arena";
import { batchHash, batchLookUp, batchNote, batchSlot } from "./batch";
import { countCall, countLarge } from "./calls";
import { hasReleased } from "./entries";
import {
  connectionDatabase,
  connectionFlags,
  connectionLeft,
  connectionProgress,
  connectionRead,
  CONNECTION_HOST,
  CONNECTION_NO_TOUCH,
  CONNECTION_RESP3,
  CONNECTION_UNAUTHENTICATED,
  connectionIsOfRing,
} from "./connection";
import {
  BATCH_ARGC,
  BATCH_ARGV,
  BATCH_COMMAND,
  BATCH_COMMANDS,
  BATCH_END,
  BATCH_ENTRY_BYTES,
  bigIndexReserve,
  CTX_ARGC,
  CTX_ARGV,
  CTX_BATCH,
  CTX_BATCH_COUNT,
  CTX_BATCH_NEXT,
  CTX_COMMAND,
  CTX_CONNECTION,
  CTX_CONSUMED,
  CTX_END,
  CTX_ERROR,
  CTX_INDEX,
  CTX_LARGE,
  CTX_LARGE_LENGTH,
  CTX_OUT_LENGTH,
  CTX_OUTPUT,
  CTX_PARSE_STATUS,
  CTX_PARSED,
  CTX_RELEASED,
  CTX_STATUS,
  CTX_WANTED,
  INDEX_ENTRIES,
  INLINE_ARGUMENTS,
  releaseBigIndex,
} from "./context";
import {
  parseRequest,
  REQUEST_COMPLETE,
  REQUEST_INCOMPLETE,
  REQUEST_INDEX_FULL,
  REQUEST_BAD_COUNT,
  REQUEST_BAD_LENGTH,
  REQUEST_LONG_COUNT,
  REQUEST_LONG_INLINE,
  REQUEST_LONG_LENGTH,
  REQUEST_NO_CRLF,
  REQUEST_NO_DOLLAR,
  REQUEST_QUOTES,
  REQUEST_UNAUTHENTICATED_COUNT,
  REQUEST_UNAUTHENTICATED_LENGTH,
  requestArgc,
  requestByte,
  requestLeft,
  requestPos,
  requestResume,
  requestWanted,
} from "../codec/resp-request";
import { DONE, FULL, HOST, LARGE, largeLength, largePointer, setDatabase } from "./commands/command";
import { OUTPUT_BYTES } from "./commands/get";
import { hashed, identify, run } from "./commands/dispatch";
import { clientBegin, clientEnd, PEERS } from "./ring/client";
import { coordinate } from "./ring/coordinate";
import { ringOn } from "./ring/route";
import { MIN_ROOM, outEnd, outNext, replyErrorByte, replyErrorWith, setOutput, setProtocol } from "./reply";
import { siphash } from "./siphash";
import { tableHint, tableHome } from "./table";

/** All of the input is done but for a command in progress, if CTX_WANTED is not 0. */
export const STATUS_DONE: i32 = 0;
/** The host must run the command in CTX_ARGC and CTX_ARGV, put its reply into the output, and resume. */
export const STATUS_HOST: i32 = 1;
/** The output must leave; then resume. */
export const STATUS_OUTPUT_FULL: i32 = 2;
/**
 * The host must reply the value in CTX_LARGE as a bulk string behind the output, and resume. CTX_CONSUMED is in front of the
 * command: a host that cannot send so much now may stop here, and feed the command again later.
 */
export const STATUS_LARGE: i32 = 3;
/** The error is in the output; the connection must close. */
export const STATUS_PROTOCOL_ERROR: i32 = 4;
/** A command has more arguments than memory can hold now; the connection must close. */
export const STATUS_NO_MEMORY: i32 = 5;
/** The outbox of a link is full: the host must seal, send and flush all of them, and resume. */
export const STATUS_OUTBOX_FULL: i32 = 6;

/** A part of a command that is shorter than this is simply read again when the rest has come. */
const REREAD_BYTES: u32 = 16 * 1024;

/** Runs the commands in `length` bytes at `input`, which lie in the context's input. Returns a STATUS_. */
export function feed(context: u32, connection: u32, input: u32, length: u32): i32 {
  store<u32>(context, connection, CTX_CONNECTION);
  store<u32>(context, input, CTX_CONSUMED);
  store<u32>(context, input, CTX_PARSED);
  store<u32>(context, input + length, CTX_END);
  store<u32>(context, 0, CTX_OUT_LENGTH);
  store<u32>(context, 0, CTX_BATCH_COUNT);
  store<u32>(context, 0, CTX_BATCH_NEXT);
  store<u32>(context, 0, CTX_WANTED);
  store<u32>(context, REQUEST_COMPLETE, CTX_PARSE_STATUS);
  connectionProgress(connection, 0, 0);
  return resume(context);
}

/**
 * Reads on in a long command that came in part, without running it: `length` bytes at `input` follow what has been read of it
 * (word 2 of the connection). Returns whether the command may be whole now, so that all of it is worth a feed(); if not,
 * CTX_WANTED says how many more bytes it needs at least.
 */
export function scan(context: u32, connection: u32, input: u32, length: u32): bool {
  const unauthenticated = (connectionFlags(connection) & CONNECTION_UNAUTHENTICATED) != 0;
  requestResume(input, connectionLeft(connection));
  if (parseRequest(input + length, 0, 0, unauthenticated) == REQUEST_INCOMPLETE) {
    connectionProgress(connection, connectionRead(connection) + (requestPos - input), requestLeft);
    store<u32>(context, requestWanted, CTX_WANTED);
    return false;
  }
  connectionProgress(connection, 0, 0);
  return true;
}

/**
 * Goes on after a return of feed() or resume() with STATUS_HOST, STATUS_OUTPUT_FULL, STATUS_LARGE or STATUS_OUTBOX_FULL.
 */
export function resume(context: u32): i32 {
  const output = load<u32>(context, CTX_OUTPUT);
  setOutput(output + load<u32>(context, CTX_OUT_LENGTH), output + OUTPUT_BYTES);
  const connection = load<u32>(context, CTX_CONNECTION);
  const flags = connectionFlags(connection);
  setProtocol((flags & CONNECTION_RESP3) != 0);
  setDatabase(connectionDatabase(connection), (flags & CONNECTION_NO_TOUCH) != 0);
  const ofRing = ringOn && connectionIsOfRing(connection);
  if (ofRing) clientBegin(connection, output);
  let status = runAll(context, connection, flags, ofRing);
  if (ofRing && !clientEnd()) status = STATUS_NO_MEMORY;
  return finish(context, status);
}

/** Runs and parses batches until the input is through, or something stops it; a STATUS_. */
function runAll(context: u32, connection: u32, flags: u32, ofRing: bool): i32 {
  while (true) {
    const status = runBatch(context, (flags & CONNECTION_HOST) != 0, ofRing);
    if (status != STATUS_DONE) return status;
    const parsed = load<i32>(context, CTX_PARSE_STATUS);
    if (parsed == REQUEST_INCOMPLETE) return STATUS_DONE;
    if (parsed == REQUEST_INDEX_FULL) return STATUS_NO_MEMORY;
    if (parsed != REQUEST_COMPLETE) {
      if (outEnd - outNext < MIN_ROOM) return STATUS_OUTPUT_FULL;
      replyProtocolError(load<u32>(context, CTX_ERROR), parsed);
      return STATUS_PROTOCOL_ERROR;
    }
    if (load<u32>(context, CTX_PARSED) == load<u32>(context, CTX_END)) return STATUS_DONE;
    parseBatch(context, connection, (flags & CONNECTION_UNAUTHENTICATED) != 0);
  }
}

// @ts-ignore: decorator
@inline
function finish(context: u32, status: i32): i32 {
  store<u32>(context, outNext - load<u32>(context, CTX_OUTPUT), CTX_OUT_LENGTH);
  store<i32>(context, status, CTX_STATUS);
  store<u32>(context, hasReleased() ? 1 : 0, CTX_RELEASED);
  return status;
}

/** Parses up to 32 commands, and loads what they will look up. */
function parseBatch(context: u32, connection: u32, unauthenticated: bool): void {
  releaseBigIndex(context);
  const database = connectionDatabase(connection);
  const end = load<u32>(context, CTX_END);
  const index = load<u32>(context, CTX_INDEX);
  let at = load<u32>(context, CTX_PARSED);
  let argv = index;
  let room = INDEX_ENTRIES;
  let count: u32 = 0;
  let entry = context + CTX_BATCH;
  let status = REQUEST_COMPLETE;
  while (count < BATCH_COMMANDS && at < end && room >= INLINE_ARGUMENTS) {
    requestResume(at, 0);
    status = parseRequest(end, argv, room, unauthenticated);
    if (status == REQUEST_INDEX_FULL) {
      // Many arguments: the rest of the batch first; then in an index of its own.
      status = REQUEST_COMPLETE;
      if (count != 0) break;
      argv = bigIndexReserve(context, requestArgc);
      requestResume(at, 0);
      status = argv == 0 ? REQUEST_INDEX_FULL : parseRequest(end, argv, requestArgc, unauthenticated);
      if (status == REQUEST_COMPLETE) room = 0;
    }
    if (status != REQUEST_COMPLETE) break;
    const argc = requestArgc;
    at = requestPos;
    if (argc == 0) {
      // An empty command is skipped; its end counts when nothing waits before it.
      if (count == 0) store<u32>(context, at, CTX_CONSUMED);
      else store<u32>(entry - BATCH_ENTRY_BYTES, at, BATCH_END);
      continue;
    }
    const command = identify(load<u32>(argv), load<u32>(argv, 4), argc);
    store<u32>(entry, argv, BATCH_ARGV);
    store<u32>(entry, argc, BATCH_ARGC);
    store<u32>(entry, command, BATCH_COMMAND);
    store<u32>(entry, at, BATCH_END);
    if (hashed(command)) {
      const hash = siphash(load<u32>(argv, 8), load<u32>(argv, 12));
      batchNote(context, count, hash, tableHome(database, hash));
    } else {
      batchNote(context, count, 0, 0);
    }
    entry += BATCH_ENTRY_BYTES;
    count++;
    if (room == 0) break;
    argv += argc << 3;
    room -= argc;
  }
  if (status == REQUEST_INCOMPLETE) {
    store<u32>(context, requestWanted, CTX_WANTED);
    const read = requestPos - at;
    if (read >= REREAD_BYTES) connectionProgress(connection, read, requestLeft);
  } else if (status != REQUEST_COMPLETE) {
    store<u32>(context, requestByte, CTX_ERROR);
  }
  store<u32>(context, at, CTX_PARSED);
  store<i32>(context, status, CTX_PARSE_STATUS);
  store<u32>(context, count, CTX_BATCH_COUNT);
  store<u32>(context, 0, CTX_BATCH_NEXT);
  batchLookUp(context, count);
}

/** Runs what is left of the batch; STATUS_DONE when it is through. */
function runBatch(context: u32, toHost: bool, ofRing: bool): i32 {
  let next = load<u32>(context, CTX_BATCH_NEXT);
  const count = load<u32>(context, CTX_BATCH_COUNT);
  // A command whose value the host sends counts as done when the host resumes.
  if (next != 0) store<u32>(context, load<u32>(context + CTX_BATCH + (next - 1) * BATCH_ENTRY_BYTES, BATCH_END), CTX_CONSUMED);
  while (next < count) {
    const entry = context + CTX_BATCH + next * BATCH_ENTRY_BYTES;
    const command = load<u32>(entry, BATCH_COMMAND);
    const argv = load<u32>(entry, BATCH_ARGV);
    const argc = load<u32>(entry, BATCH_ARGC);
    const reply = outNext;
    let outcome = HOST;
    if (command != 0 && !toHost) {
      const hash = batchHash(context, next);
      tableHint(batchSlot(context, next));
      if (outEnd - outNext < MIN_ROOM) outcome = FULL;
      else if (ofRing) outcome = coordinate(command, argv, argc, hash, reply);
      else outcome = run(command, argv, argc, hash);
    }
    if (outcome == FULL || outcome == PEERS) {
      store<u32>(context, next, CTX_BATCH_NEXT);
      return outcome == FULL ? STATUS_OUTPUT_FULL : STATUS_OUTBOX_FULL;
    }
    next++;
    if (outcome != LARGE) store<u32>(context, load<u32>(entry, BATCH_END), CTX_CONSUMED);
    if (outcome == DONE) {
      countCall(command, reply);
      arenaMaintain();
      continue;
    }
    store<u32>(context, next, CTX_BATCH_NEXT);
    store<u32>(context, command, CTX_COMMAND);
    if (outcome == LARGE) {
      countLarge(command);
      store<u32>(context, largePointer, CTX_LARGE);
      store<u32>(context, largeLength, CTX_LARGE_LENGTH);
      return STATUS_LARGE;
    }
    store<u32>(context, argc, CTX_ARGC);
    store<u32>(context, argv, CTX_ARGV);
    return STATUS_HOST;
  }
  store<u32>(context, 0, CTX_BATCH_COUNT);
  store<u32>(context, 0, CTX_BATCH_NEXT);
  return STATUS_DONE;
}

function replyProtocolError(byte: u32, status: i32): void {
  let text = "";
  switch (status) {
    case REQUEST_BAD_COUNT:
      text = "invalid multibulk length";
      break;
    case REQUEST_LONG_COUNT:
      text = "too big mbulk count string";
      break;
    case REQUEST_BAD_LENGTH:
      text = "invalid bulk length";
      break;
    case REQUEST_LONG_LENGTH:
      text = "too big bulk count string";
      break;
    case REQUEST_LONG_INLINE:
      text = "too big inline request";
      break;
    case REQUEST_QUOTES:
      text = "unbalanced quotes in request";
      break;
    case REQUEST_NO_CRLF:
      text = "expected CR LF after bulk string";
      break;
    case REQUEST_UNAUTHENTICATED_COUNT:
      text = "unauthenticated multibulk length";
      break;
    case REQUEST_UNAUTHENTICATED_LENGTH:
      text = "unauthenticated bulk length";
      break;
    case REQUEST_NO_DOLLAR:
      // The byte itself, but never one that would end the line.
      replyErrorByte("ERR Protocol error: expected '$', got '", byte == 13 || byte == 10 ? 32 : byte, "'");
      return;
  }
  replyErrorWith("ERR Protocol error: ", 0, 0, text);
}

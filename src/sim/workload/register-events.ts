/**
 * What operations say about registers: a string key, or a field of a hash ("key/field"), each holding a value or nothing. The
 * workload writes every value once, so a value tells which write it came from.
 */
import { isError, type Reply } from "../client/replies.ts";
import type { Operation } from "../history.ts";

export interface RegisterWrite {
  readonly kind: "write";
  readonly register: string;
  /** null: the register is emptied. */
  readonly value: string | null;
  readonly operation: Operation;
}

export interface RegisterRead {
  readonly kind: "read";
  readonly register: string;
  /** null: nothing was there; undefined: something, and it was not said what. */
  readonly value: string | null | undefined;
  readonly operation: Operation;
}

export type RegisterEvent = RegisterWrite | RegisterRead;

/** Keys that hold registers begin with one of these; others are not looked at. */
const STRING_PREFIX = "r";
const HASH_PREFIX = "h";

/** The events of a whole history, by register. */
export function registerEvents(operations: readonly Operation[]): Map<string, RegisterEvent[]> {
  const fields = fieldsOf(operations);
  const events = new Map<string, RegisterEvent[]>();
  for (const operation of operations) {
    for (const event of eventsOf(operation, fields)) {
      const list = events.get(event.register);
      if (list === undefined) events.set(event.register, [event]);
      else list.push(event);
    }
  }
  return events;
}

/** The fields of each hash that the history names. */
function fieldsOf(operations: readonly Operation[]): Map<string, Set<string>> {
  const fields = new Map<string, Set<string>>();
  for (const { command } of operations) {
    const [name, key] = command;
    if (key === undefined || !key.startsWith(HASH_PREFIX)) continue;
    const known = fields.get(key) ?? new Set();
    fields.set(key, known);
    if (name === "HSET") for (let i = 2; i < command.length; i += 2) known.add(command[i]!);
    if (name === "HGET" || name === "HDEL" || name === "HMGET") {
      for (const field of command.slice(2)) known.add(field);
    }
  }
  return fields;
}

type Fields = ReadonlyMap<string, ReadonlySet<string>>;

function eventsOf(operation: Operation, fields: Fields): RegisterEvent[] {
  const { command, reply } = operation;
  const [name = "", ...args] = command;
  const key = args[0] ?? "";
  const write = (register: string, value: string | null): RegisterEvent[] =>
    isRegister(register) ? [{ kind: "write", register, value, operation }] : [];
  const read = (register: string, value: string | null | undefined): RegisterEvent[] =>
    isRegister(register) ? [{ kind: "read", register, value, operation }] : [];
  const isAnswered = reply !== undefined && !isError(reply);
  switch (name) {
    case "SET":
      // With NX, nothing was written where the answer is nil.
      return isAnswered && reply === null ? [] : write(key, args[1]!);
    case "GETSET":
      return write(key, args[1]!);
    case "MSET":
      return args.flatMap((word, i) => (i % 2 === 0 ? write(word, args[i + 1]!) : []));
    case "DEL":
    case "UNLINK":
      return args.flatMap((word) => deletion(word, fields).flatMap((each) => write(each, null)));
    case "HSET":
      return args.flatMap((word, i) => (i % 2 === 1 ? write(`${key}/${word}`, args[i + 1]!) : []));
    case "HDEL":
      return args.slice(1).flatMap((field) => write(`${key}/${field}`, null));
  }
  if (!isAnswered) return [];
  switch (name) {
    case "GET":
      return read(key, text(reply));
    case "MGET":
      return args.flatMap((word, i) => read(word, text(item(reply, i))));
    case "EXISTS":
      return args.length === 1 ? read(key, reply === 0 ? null : undefined) : [];
    case "HGET":
      return read(`${key}/${args[1]}`, text(reply));
    case "HMGET":
      return args.slice(1).flatMap((field, i) => read(`${key}/${field}`, text(item(reply, i))));
    case "HGETALL":
      return hashRead(key, reply, fields).flatMap(([field, value]) =>
        read(`${key}/${field}`, value),
      );
  }
  return [];
}

function isRegister(register: string): boolean {
  return register.startsWith(STRING_PREFIX) || register.startsWith(HASH_PREFIX);
}

function deletion(key: string, fields: Fields): string[] {
  if (!key.startsWith(HASH_PREFIX)) return [key];
  return [...(fields.get(key) ?? [])].map((field) => `${key}/${field}`);
}

/** What HGETALL says of every field that the history knows. */
function hashRead(key: string, reply: Reply, fields: Fields): [string, string | null][] {
  const found = new Map<string, string>();
  const items = Array.isArray(reply) ? reply : [];
  for (let i = 0; i + 1 < items.length; i += 2) found.set(String(items[i]), String(items[i + 1]));
  const names = new Set([...(fields.get(key) ?? []), ...found.keys()]);
  return [...names].map((field) => [field, found.get(field) ?? null]);
}

function item(reply: Reply, index: number): Reply {
  return Array.isArray(reply) ? (reply[index] ?? null) : null;
}

function text(reply: Reply): string | null {
  return typeof reply === "string" ? reply : null;
}

// What the EXPIRE family and the TTL family share.

import type { Arguments } from "../../arguments.ts";
import { type Call, CommandError } from "../command.ts";
import { type ExpiryForm, invalidExpiry, MAX_EXPIRY_MS, readInteger } from "../parse.ts";

/**
 * EXPIRE and its kin: sets the expiry of the key from argument 2, when the options behind it allow, and replies whether it has.
 * A time that has passed removes the key; one beyond MAX_EXPIRY_MS becomes that.
 */
export function setExpiry(call: Call, form: ExpiryForm): void {
  const { args, database, reply } = call;
  const options = readOptions(args);
  const unit = BigInt(form.unitMs);
  const time = readInteger(args, 2) * unit;
  // The milliseconds must fit into 64 bits before and after the time of the clock is added.
  const expiry = time + (form.absolute ? 0n : BigInt(call.store.now));
  if (BigInt.asIntN(64, time) !== time || BigInt.asIntN(64, expiry) !== expiry) {
    throw invalidExpiry(call);
  }
  const entry = database.find(call.key(1));
  if (entry === 0 || !isAllowed(options, database.expiry(entry), expiry)) {
    reply.integer(0);
    return;
  }
  if (expiry <= call.store.now) database.remove(call.key(1));
  else database.setExpiry(call.key(1), Math.min(Number(expiry), MAX_EXPIRY_MS));
  reply.integer(1);
}

type Option = "nx" | "xx" | "gt" | "lt";

const OPTIONS: ReadonlySet<string> = new Set<Option>(["nx", "xx", "gt", "lt"]);

function readOptions(args: Arguments): ReadonlySet<Option> {
  const options = new Set<Option>();
  for (let i = 3; i < args.length; i++) {
    const word = args.word(i);
    if (!OPTIONS.has(word)) throw unsupported(args.text(i));
    options.add(word as Option);
  }
  if (options.has("nx") && options.size > 1) {
    throw new CommandError("ERR NX and XX, GT or LT options at the same time are not compatible");
  }
  if (options.has("gt") && options.has("lt")) {
    throw new CommandError("ERR GT and LT options at the same time are not compatible");
  }
  return options;
}

/** C shows a text up to its first NUL. */
const unsupported = (option: string): CommandError =>
  new CommandError(`ERR Unsupported option ${option.split("\0", 1)[0]}`);

/** Whether the options allow to replace an expiry, 0 being never and for GT and LT the latest of all. */
function isAllowed(options: ReadonlySet<Option>, before: number, after: bigint): boolean {
  if (options.has("nx") && before !== 0) return false;
  if (options.has("xx") && before === 0) return false;
  if (options.has("gt") && (before === 0 || after <= BigInt(before))) return false;
  if (options.has("lt") && before !== 0 && after >= BigInt(before)) return false;
  return true;
}

/** TTL and its kin: replies when the key expires; -1: never, -2: there is no key. */
export function replyExpiry(call: Call, form: ExpiryForm): void {
  const { database, reply, store } = call;
  const entry = database.peek(call.key(1));
  if (entry === 0) {
    reply.integer(-2);
    return;
  }
  const expiry = database.expiry(entry);
  const time = form.absolute ? expiry : expiry - store.now;
  reply.integer(expiry === 0 ? -1 : Math.floor((time + form.unitMs / 2) / form.unitMs));
}

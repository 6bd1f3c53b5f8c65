// What the kernel counts of the commands that it answers: calls and errors by command, errors by their code word.

/** Commands that counters have room for. */
const COMMANDS: u32 = 64;
const COUNTER_BYTES: u32 = COMMANDS * 8;
const MINUS: u32 = 45;
const LETTER_O: u32 = 79;
const LETTER_W: u32 = 87;

/** By a command's number (commands/dispatch.ts): calls, calls that replied an error, and refusals for want of memory. */
const calls: usize = memory.data(COUNTER_BYTES, 16);
const failed: usize = memory.data(COUNTER_BYTES, 16);
const rejected: usize = memory.data(COUNTER_BYTES, 16);

/** Error replies that begin with ERR, WRONGTYPE and OOM. */
export let plainErrors: u64 = 0;
export let wrongTypeErrors: u64 = 0;
export let outOfMemoryErrors: u64 = 0;

export function callsInit(): void {
  memory.fill(calls, 0, COUNTER_BYTES);
  memory.fill(failed, 0, COUNTER_BYTES);
  memory.fill(rejected, 0, COUNTER_BYTES);
  plainErrors = 0;
  wrongTypeErrors = 0;
  outOfMemoryErrors = 0;
}

/** Counts a command that has written its reply at `reply`. */
// @ts-ignore: decorator
@inline
export function countCall(command: u32, reply: u32): void {
  if (load<u8>(reply) == MINUS) countError(command, load<u8>(reply, 1));
  else increment(calls, command);
}

/** Counts a command whose reply the host writes from its place. */
export function countLarge(command: u32): void {
  increment(calls, command);
}

/** Counts a command that has replied an error; `letter`: the first of its code word. */
function countError(command: u32, letter: u32): void {
  if (letter == LETTER_O) {
    outOfMemoryErrors++;
    increment(rejected, command);
    return;
  }
  if (letter == LETTER_W) wrongTypeErrors++;
  else plainErrors++;
  increment(calls, command);
  increment(failed, command);
}

// @ts-ignore: decorator
@inline
function increment(counters: usize, command: u32): void {
  store<u64>(counters + (command << 3), load<u64>(counters + (command << 3)) + 1);
}

/** Calls of a command, those that failed included. */
export function callsOf(command: u32): f64 {
  return <f64>load<u64>(calls + (command << 3));
}

/** Calls of a command that replied an error. */
export function failedOf(command: u32): f64 {
  return <f64>load<u64>(failed + (command << 3));
}

/** Commands that were refused for want of memory. */
export function rejectedOf(command: u32): f64 {
  return <f64>load<u64>(rejected + (command << 3));
}

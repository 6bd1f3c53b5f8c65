// Which command a name is, and which function runs it. A number here is the command's for good: the host's table uses it too.
// Adding a command: a row in identify(), one in run(), and, when its first argument is its only key, one in hashed().

import { commandAppend, commandIncrby, incrementBy } from "./change";
import { DONE, HOST, argumentLength, word } from "./command";
import { commandEcho, commandExists, commandGet, commandGetDel, commandMget, commandStrlen } from "./get";
import { commandDel, commandExpire, commandPersist, commandTtl } from "./key";
import { commandGetset, commandMset, commandSet, commandSetex, commandSetnx } from "./set";
import { replyText } from "../reply";

export const GET: u32 = 1;
export const SET: u32 = 2;
export const SETNX: u32 = 3;
export const GETSET: u32 = 4;
export const INCR: u32 = 5;
export const DECR: u32 = 6;
export const INCRBY: u32 = 7;
export const DECRBY: u32 = 8;
export const APPEND: u32 = 9;
export const STRLEN: u32 = 10;
export const EXPIRE: u32 = 11;
export const PEXPIRE: u32 = 12;
export const TTL: u32 = 13;
export const PTTL: u32 = 14;
export const PERSIST: u32 = 15;
export const SETEX: u32 = 16;
export const PSETEX: u32 = 17;
export const GETDEL: u32 = 18;
export const EXPIREAT: u32 = 19;
// Up to here the first argument is the only key.
const LAST_HASHED: u32 = 19;
export const MGET: u32 = 20;
export const MSET: u32 = 21;
export const DEL: u32 = 22;
export const UNLINK: u32 = 23;
export const EXISTS: u32 = 24;
export const TOUCH: u32 = 25;
export const PING: u32 = 26;
export const ECHO: u32 = 27;

/** Whether the hash of argv[1] is part of the batch. */
// @ts-ignore: decorator
@inline
export function hashed(command: u32): bool {
  return command - 1 < LAST_HASHED;
}

/** The number of a command that the kernel runs with this many arguments, 0 for any other: that is the host's. */
export function identify(name: u32, length: u32, argc: u32): u32 {
  switch (length) {
    case 3: {
      const text = word(name, 3);
      if (text == 0x746567) return argc == 2 ? GET : 0;
      if (text == 0x746573) return argc >= 3 ? SET : 0;
      if (text == 0x6c6564) return argc >= 2 ? DEL : 0;
      if (text == 0x6c7474) return argc == 2 ? TTL : 0;
      return 0;
    }
    case 4: {
      const text = word(name, 4);
      if (text == 0x72636e69) return argc == 2 ? INCR : 0;
      if (text == 0x72636564) return argc == 2 ? DECR : 0;
      if (text == 0x7465676d) return argc >= 2 ? MGET : 0;
      if (text == 0x7465736d) return argc >= 3 && argc & 1 ? MSET : 0;
      if (text == 0x6c747470) return argc == 2 ? PTTL : 0;
      if (text == 0x676e6970) return argc <= 2 ? PING : 0;
      if (text == 0x6f686365) return argc == 2 ? ECHO : 0;
      return 0;
    }
    case 5: {
      const text = word(name, 5);
      if (text == 0x786e746573) return argc == 3 ? SETNX : 0;
      if (text == 0x7865746573) return argc == 4 ? SETEX : 0;
      if (text == 0x6863756f74) return argc >= 2 ? TOUCH : 0;
      return 0;
    }
    case 6: {
      const text = word(name, 6);
      if (text == 0x746573746567) return argc == 3 ? GETSET : 0;
      if (text == 0x796272636e69) return argc == 3 ? INCRBY : 0;
      if (text == 0x796272636564) return argc == 3 ? DECRBY : 0;
      if (text == 0x646e65707061) return argc == 3 ? APPEND : 0;
      if (text == 0x6e656c727473) return argc == 2 ? STRLEN : 0;
      if (text == 0x657269707865) return argc == 3 ? EXPIRE : 0;
      if (text == 0x737473697865) return argc >= 2 ? EXISTS : 0;
      if (text == 0x6b6e696c6e75) return argc >= 2 ? UNLINK : 0;
      if (text == 0x6c6564746567) return argc == 2 ? GETDEL : 0;
      if (text == 0x786574657370) return argc == 4 ? PSETEX : 0;
      return 0;
    }
    case 7: {
      const text = word(name, 7);
      if (text == 0x65726970786570) return argc == 3 ? PEXPIRE : 0;
      if (text == 0x74736973726570) return argc == 2 ? PERSIST : 0;
      return 0;
    }
    case 8:
      return word(name, 8) == 0x7461657269707865 && argc == 3 ? EXPIREAT : 0;
  }
  return 0;
}

/** Runs a command by its number: DONE, HOST, FULL or LARGE. */
// @ts-ignore: decorator
@inline
export function run(command: u32, argv: u32, argc: u32, hash: u32): i32 {
  switch (command) {
    case GET:
      return commandGet(argv, hash);
    case SET:
      return commandSet(argv, argc, hash);
    case SETNX:
      return commandSetnx(argv, hash);
    case GETSET:
      return commandGetset(argv, hash);
    case INCR:
      return incrementBy(argv, hash, 1);
    case DECR:
      return incrementBy(argv, hash, -1);
    case INCRBY:
      return commandIncrby(argv, hash, false);
    case DECRBY:
      return commandIncrby(argv, hash, true);
    case APPEND:
      return commandAppend(argv, hash);
    case STRLEN:
      return commandStrlen(argv, hash);
    case EXPIRE:
      return commandExpire(argv, hash, 1000, false);
    case PEXPIRE:
      return commandExpire(argv, hash, 1, false);
    case EXPIREAT:
      return commandExpire(argv, hash, 1000, true);
    case TTL:
      return commandTtl(argv, hash, 1000);
    case PTTL:
      return commandTtl(argv, hash, 1);
    case PERSIST:
      return commandPersist(argv, hash);
    case SETEX:
      return commandSetex(argv, hash, 1000);
    case PSETEX:
      return commandSetex(argv, hash, 1);
    case GETDEL:
      return commandGetDel(argv, hash);
    case MGET:
      return commandMget(argv, argc);
    case MSET:
      return commandMset(argv, argc);
    case DEL:
    case UNLINK:
      return commandDel(argv, argc);
    case EXISTS:
      return commandExists(argv, argc, false);
    case TOUCH:
      return commandExists(argv, argc, true);
    case PING:
      if (argc == 2) return commandEcho(argv, argumentLength(argv, 1));
      replyText("+PONG\r\n");
      return DONE;
    case ECHO:
      return commandEcho(argv, argumentLength(argv, 1));
  }
  return HOST;
}

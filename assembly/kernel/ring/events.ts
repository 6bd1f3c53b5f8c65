// Events for the host: slots of its own that are decided, and requests of clients that it must run again. They wait in a queue
// that runs through the slots themselves.
//
//   event   u32 words: 0 kind   1 handle of the slot   2 tag; of a retry: database   3 acknowledgements got   4 needed
//           5 connection   6 address and 7 length of the request (RESP)   8 1: a replica answered STALE

import { connectionDatabase } from "../connection";
import { ATTACHMENT_REQUEST, attachmentBody, attachmentFind, attachmentLength } from "./attachments";
import {
  handleOf,
  KIND_HOST,
  SLOT_QUEUED,
  SLOT_STALE,
  slotAt,
  slotClear,
  slotConnection,
  slotDropQueued,
  slotEventLink,
  slotExtra,
  slotGot,
  slotHas,
  slotKind,
  slotNeed,
  slotNumber,
  slotSet,
  slotState,
  slotTag,
  STATE_FREE,
  STATE_RETRY,
} from "./slot";
import { slotDone } from "./slots";

/** A slot of the host has the acknowledgements that it needs; or will not get them. */
export const EVENT_DECIDED: u32 = 1;
export const EVENT_FAILED: u32 = 2;
/** The host must run the client's request again, and answer by slotFulfil(). */
export const EVENT_RETRY: u32 = 3;

const event: usize = memory.data(9 * 4, 8);

/** First and last slot in the queue, and what each links: number of the slot + 1, 0 for none. */
let first: u32 = 0;
let last: u32 = 0;

export function eventsInit(): void {
  first = 0;
  last = 0;
}

/** Puts a slot at the end of the queue. */
export function queueEvent(slot: u32): void {
  if (slotHas(slot, SLOT_QUEUED)) return;
  slotSet(slot, SLOT_QUEUED);
  store<u32>(slotEventLink(slot), 0);
  const number = slotNumber(slot) + 1;
  if (last == 0) first = number;
  else store<u32>(slotEventLink(slotAt(last - 1)), number);
  last = number;
}

/** The next event for the host: its address, 0 when there is none. Valid until the next call. */
export function nextEvent(): u32 {
  while (first != 0) {
    const slot = slotAt(first - 1);
    first = load<u32>(slotEventLink(slot));
    if (first == 0) last = 0;
    slotClear(slot, SLOT_QUEUED);
    const state = slotState(slot);
    if (state == STATE_FREE) {
      slotDropQueued(slot);
      continue;
    }
    const ofHost = slotKind(slot) == KIND_HOST;
    if (!ofHost && state != STATE_RETRY) continue;
    fillEvent(slot, ofHost);
    if (ofHost) slotDone(slot);
    return <u32>event;
  }
  return 0;
}

function fillEvent(slot: u32, ofHost: bool): void {
  const got = slotGot(slot);
  const need = slotNeed(slot);
  store<u32>(event, handleOf(slot), 4);
  store<u32>(event, got, 12);
  store<u32>(event, need, 16);
  store<u32>(event, slotHas(slot, SLOT_STALE) ? 1 : 0, 32);
  if (ofHost) {
    store<u32>(event, got < need ? EVENT_FAILED : EVENT_DECIDED);
    store<u32>(event, slotTag(slot), 8);
    store<u32>(event, 0, 20);
    store<u64>(event, 0, 24);
    return;
  }
  const connection = slotConnection(slot);
  const request = attachmentFind(slotExtra(slot), ATTACHMENT_REQUEST);
  store<u32>(event, EVENT_RETRY);
  store<u32>(event, connectionDatabase(connection), 8);
  store<u32>(event, connection, 20);
  store<u32>(event, attachmentBody(request), 24);
  store<u32>(event, attachmentLength(request), 28);
}

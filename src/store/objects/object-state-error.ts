import { RingletError } from "../../base/errors.ts";

/**
 * What another node tells of an object cannot be taken in, and nothing of it was: MALFORMED_OBJECT (its bytes are no object's),
 * STAMP_CONFLICT, OBJECT_TOO_LARGE.
 */
export class ObjectStateError extends RingletError {}

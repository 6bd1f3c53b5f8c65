/** The error of every function of the codec. The codes are listed at the function that throws them. */
import { RingletError } from "../base/errors.ts";

export class CodecError extends RingletError {}

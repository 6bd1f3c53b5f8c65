/**
 * A duplex stream of bytes: what a transport gives for a dialled or accepted connection. TCP, WebSocket and the simulated
 * network all look like this.
 */
export interface ByteStream {
  /** Where the other side is, "host:port" or what the transport has. */
  readonly remoteAddress: string;
  /** Where this side is. */
  readonly localAddress: string;
  /** Whether what is sent is encrypted on its way by the transport; left out: it is not. */
  readonly isEncrypted?: boolean;
  /** Bytes written that the transport has not handed to the network yet. */
  readonly bufferedBytes: number;
  /** Says who hears of what happens; the stream begins to read. Call it once, in the turn that delivered the stream. */
  start(handler: StreamHandler): void;
  /** Sends bytes. They are the caller's again when this returns: a transport that cannot send them at once copies them. */
  write(bytes: Uint8Array): void;
  /** Stops reading until resume(). What has arrived already may still be delivered. */
  pause(): void;
  resume(): void;
  /** Sends what is buffered, then closes. */
  end(): void;
  /** Closes now; what is buffered is lost. */
  destroy(): void;
}

/** Who hears of a stream. No call comes before start() or after closed(). */
export interface StreamHandler {
  /** Bytes came. They are there until this returns: what is to be kept must be copied. */
  received(bytes: Uint8Array): void;
  /** The other side sends nothing more. */
  ended(): void;
  /** All that was buffered has been handed to the network. */
  drained(): void;
  /** The stream is gone; `error` where it did not end as it should. Called once. */
  closed(error?: Error): void;
}

/** A place that streams come in at. */
export interface Listener {
  /** Where it listens, with the port that was chosen when 0 was asked for. */
  readonly host: string;
  readonly port: number;
  /** Takes no more streams; those that are open go on. */
  close(): Promise<void>;
}

/** A connection that came in and that the transport made no stream of: the other side is not trusted, or does not speak as it must. */
export interface RefusedStream {
  /** Where the other side is. */
  readonly remoteAddress: string;
  /** What is wrong with it, as the end of a sentence. */
  readonly reason: string;
  /** Where it can be told so, once; it is to be ended then. Left out: it has been told, or cannot be. */
  readonly stream?: ByteStream;
}

import type { ByteStream, Listener, RefusedStream } from "./stream.ts";

/** Where a node listens for its peers. */
export interface PeerAddress {
  readonly host: string;
  readonly port: number;
}

/** Dials and listens: TCP in production, the simulated network on tests. */
export interface Transport {
  /**
   * Opens a stream to an address. Resolves when it is connected and not started yet; rejects with a RingletError
   * (DIAL_REFUSED, DIAL_TIMEOUT, DIAL_FAILED, DIAL_UNTRUSTED).
   */
  dial(address: PeerAddress, timeoutMs: number): Promise<ByteStream>;
  /** Takes streams in at an address (port 0: any that is free). `refused` hears of connections that become none. */
  listen(
    address: PeerAddress,
    accept: (stream: ByteStream) => void,
    refused?: (connection: RefusedStream) => void,
  ): Promise<Listener>;
}

// What the server behind a node knows of a client that has a connection of its own.

import type { OwnConnection } from "../../store/backend/backend.ts";
import type { BackendConnection } from "../../store/backend/connection.ts";
import { BackendError } from "../../store/backend/failure.ts";

export class OwnState implements OwnConnection {
  readonly connection: BackendConnection;
  readonly database: number;
  protocol: 2 | 3;
  /** Between MULTI and EXEC. */
  inMulti = false;
  /** A command of the transaction was refused here: EXEC must not run the others. */
  isSpoilt = false;
  /** WATCH has been sent, and what ends it has not. */
  isWatching = false;
  /** A command that may take as long as it likes has no reply yet. */
  isBlocking = false;
  /** All bytes pass as they come, to the end. */
  isRaw = false;
  /** It may differ from how it began in more than is known here. */
  isChanged = false;

  constructor({ connection, protocol, database }: OwnConnection) {
    this.connection = connection;
    this.protocol = protocol;
    this.database = database;
  }

  /** Whether nothing is lost with it but what its client can choose again here. */
  get isClean(): boolean {
    return !(this.inMulti || this.isWatching || this.isRaw || this.isChanged);
  }

  /** EXEC or DISCARD has been sent. */
  endTransaction(): void {
    this.inMulti = false;
    this.isSpoilt = false;
    this.isWatching = false;
  }

  discard(): void {
    this.connection.close(new BackendError("BACKEND_LOST", "its client is gone"));
  }
}

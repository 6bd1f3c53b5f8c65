// What is counted of the server behind a node, from its start; the names are the C engine's in camel case where it has them.

export class BackendCounters {
  /** Connections that were made. */
  connects = 0;
  /** Connections that the server closed. */
  eof = 0;
  /** Connections that failed: refused, cut, or with bytes that are no reply. */
  err = 0;
  /** Connections that were closed because a reply was too late. */
  timedout = 0;
  /** Times the server began to count as down. */
  ejects = 0;
  requests = 0;
  requestBytes = 0;
  responses = 0;
  responseBytes = 0;
  /** Requests that ended with an error of ours: nothing was sent, the connection was lost, no reply in time. */
  droppedRequests = 0;
  timedoutRequests = 0;
}

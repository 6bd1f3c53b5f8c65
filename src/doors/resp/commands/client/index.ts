// CLIENT: what a client can ask and say about its connection, and about others'.

import { container, type SessionCommand } from "../../session-command.ts";
import { clientId } from "./id.ts";
import { kill } from "./kill.ts";
import { clientInfo, list } from "./list.ts";
import { getname, setinfo, setname } from "./name.ts";
import { noEvict, noTouch } from "./no-evict.ts";
import { pause, unpause } from "./pause.ts";
import { reply } from "./reply.ts";
import { caching, getredir, tracking, trackinginfo } from "./tracking.ts";
import { unblock } from "./unblock.ts";

export const client: SessionCommand = container(
  {
    name: "client",
    group: "connection",
    since: "2.4.0",
    summary: "The connections of clients.",
  },
  [
    caching,
    getname,
    getredir,
    clientId,
    clientInfo,
    kill,
    list,
    noEvict,
    noTouch,
    pause,
    reply,
    setinfo,
    setname,
    tracking,
    trackinginfo,
    unblock,
    unpause,
  ],
);

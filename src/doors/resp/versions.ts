// The version of Redis whose commands the node speaks: what clients look at before they use a command.

export const REDIS_VERSION = "7.2.4";

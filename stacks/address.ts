/** A host name or an IP address, IPv6 without brackets. A port has a setting of its own. */
export const ADDRESS = /^(?:[A-Za-z0-9][A-Za-z0-9._-]*|[0-9A-Fa-f]*(?::[0-9A-Fa-f.]*){2,})$/;

/** What to say that was expected. */
export const ADDRESS_EXPECTED = "a host name or an IP address, without a port";

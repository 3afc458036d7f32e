/**
 * ICE servers as node-datachannel can read them: it refuses every connection for one address that it cannot read (`stuns:`,
 * TURN without credentials), and writes name and secret into the address as they are, where `:` and `@` end them.
 */
export function readableIceServers(given: readonly RTCIceServer[]): RTCIceServer[] {
  return given.flatMap(({ urls, username, credential }) => {
    const kind = username && credential ? /^(stun|turns?):/ : /^stun:/
    const readable = [urls].flat().filter((url) => kind.test(url))
    return readable.length === 0
      ? []
      : {
          urls: readable,
          ...(username && credential && { username: encodeURIComponent(username) }),
          ...(username && credential && { credential: encodeURIComponent(credential) })
        }
  })
}

/**
 * A peer that closes its RTCPeerConnection, or whose page is closed, ends the SCTP association at once. The
 * connection that all data channels ran over is then of no use, but its `connectionState` stays "connected" for
 * another 15 to 20 s, and libp2p listens to that alone. Here the end of the association closes the connection,
 * and says so. Import before `libp2p`.
 */
export function installHangUpShim(target: { RTCPeerConnection?: typeof RTCPeerConnection }): void {
  const prototype = target.RTCPeerConnection?.prototype
  if (prototype === undefined || patched.has(prototype)) {
    return
  }
  patched.add(prototype)
  // the old forms with callbacks, which give a promise too, are all that the casts leave out
  const setLocal = prototype.setLocalDescription as SetLocal
  const setRemote = prototype.setRemoteDescription as SetRemote
  // the association of an offer is there after the answer, on either side
  prototype.setLocalDescription = async function (
    this: RTCPeerConnection,
    description?: RTCLocalSessionDescriptionInit
  ) {
    await setLocal.call(this, description)
    watch(this)
  }
  prototype.setRemoteDescription = async function (
    this: RTCPeerConnection,
    description: RTCSessionDescriptionInit
  ) {
    await setRemote.call(this, description)
    watch(this)
  }
}

type SetLocal = (description?: RTCLocalSessionDescriptionInit) => Promise<void>
type SetRemote = (description: RTCSessionDescriptionInit) => Promise<void>

const patched = new WeakSet<object>()
const watched = new WeakSet<RTCSctpTransport>()

function watch(connection: RTCPeerConnection): void {
  const association = connection.sctp
  if (!association || watched.has(association)) {
    return // some browsers have no such property
  }
  watched.add(association)
  association.addEventListener('statechange', () => {
    if (association.state === 'closed' && connection.connectionState !== 'closed') {
      connection.close()
      connection.dispatchEvent(new Event('connectionstatechange'))
    }
  })
}

installHangUpShim(globalThis)

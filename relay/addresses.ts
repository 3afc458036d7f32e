import { isIPv4, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'

/** Multiaddrs of a relay's one port. */

/** `/ip4/127.0.0.1/tcp/8080/ws`, `/dns4/example.org/tcp/443/tls/ws`. */
export function webSocketAddress(host: string, port: number, secure: boolean): string {
  const kind = isIPv4(host) ? 'ip4' : isIPv6(host) ? 'ip6' : 'dns4'
  return `/${kind}/${host}/tcp/${port}${secure ? '/tls' : ''}/ws`
}

/** What a relay announces when nobody told it: where it listens; on every interface, all the addresses of the machine. */
export function listeningAddresses(host: string, port: number): string[] {
  if (host !== '0.0.0.0' && host !== '::') {
    return [webSocketAddress(host, port, false)]
  }
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, address }) => family === 'IPv4' || (host === '::' && !address.startsWith('fe80:')))
    .map(({ address }) => webSocketAddress(address, port, false))
}

const HOST = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9.-]{1,253})(?::(\d{1,5}))?$/i

/** A Host header as an address; undefined if it is none. */
export function addressOfHostHeader(header: string | undefined, secure: boolean): string | undefined {
  const match = HOST.exec(header ?? '')
  if (match?.[1] === undefined) {
    return undefined
  }
  const port = match[2] === undefined ? (secure ? 443 : 80) : Number(match[2])
  const host = match[1].replace(/^\[|\]$/g, '')
  const bad = port === 0 || port > 65_535 || (match[1].startsWith('[') && !isIPv6(host))
  return bad ? undefined : webSocketAddress(host, port, secure)
}

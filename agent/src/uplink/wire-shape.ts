/** One signed request to the gateway, and what came back. Rejects when the line, not the gateway, failed. */
export interface WireRequest {
  method: string
  /** Path and query. */
  path: string
  headers: Record<string, string>
  body: Uint8Array
}

export interface WireAnswer {
  status: number
  body: Uint8Array
}

export interface WireSocket {
  send(text: string): void
  close(): void
}

export interface SocketEvents {
  opened(): void
  heard(text: string): void
  /** Once, whether it ever opened or not. */
  closed(): void
}

/** The line to the gateway: `wire.ts` in production, the simulated network in `test/sim`. */
export interface Wire {
  request(request: WireRequest): Promise<WireAnswer>
  connect(request: { path: string; headers: Record<string, string> }, events: SocketEvents): WireSocket
}

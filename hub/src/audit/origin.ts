/** The log's name in its checkpoints, unique per operator. */
export function auditOrigin(operator: string): string {
  return `kakehashi.vault/${operator}`
}

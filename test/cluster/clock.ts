// Loaded into a node before it starts. Each SIGWINCH sets the offset of the node's wall clock to the next of these
// values.
const OFFSETS_MS = [10_800_000, -10_800_000, 0]

const now = Date.now.bind(Date)
let moves = 0
let offset = 0

class MovedDate extends Date {
  constructor(...args: [] | [value: string | number]) {
    if (args.length === 0) super(now() + offset)
    else super(...args)
  }

  static override now(): number {
    return now() + offset
  }
}

globalThis.Date = MovedDate as DateConstructor
process.on('SIGWINCH', () => {
  offset = OFFSETS_MS[moves++ % OFFSETS_MS.length] ?? 0
})

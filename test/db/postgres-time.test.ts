import { test } from 'tap'
import { createDatabaseTime } from '../../db/postgres/time.ts'

/** Creates a database's time, on a machine whose wall clock is wrong. `ask` simulates a round trip. */
const createWorld = () => {
  let monotonic = 1000
  const time = createDatabaseTime({ monotonic: () => monotonic, wall: () => 5_000_000 })
  const pass = (ms: number): void => {
    monotonic += ms
  }
  const ask = async (reply: number | undefined, roundTripMs: number): Promise<void> => {
    await time.set(
      async () => {
        pass(roundTripMs)
        return reply
      },
      result => result
    )
  }
  return { now: time.now, pass, ask }
}

test("the time is the one in the database's last reply, plus the time since then", async t => {
  const { now, pass, ask } = createWorld()
  t.equal(now(), 5_000_000, "the machine's time is used before the first reply")
  await ask(9_000_000, 40)
  t.equal(now(), 9_000_020, 'the reply was sent in the middle of the round trip')
  pass(500)
  t.equal(now(), 9_000_520)
})

test('a slow reply, or one without a time, is ignored if an earlier one is recent', async t => {
  const { now, pass, ask } = createWorld()
  await ask(9_000_000, 0)
  await ask(9_900_000, 200)
  t.equal(now(), 9_000_200)
  await ask(undefined, 0)
  t.equal(now(), 9_000_200)
  pass(10_000)
  await ask(9_900_000, 200)
  t.equal(now(), 9_900_100)
})

// Lists every app, page by page. It needs nothing but Node.js:
//
//   KEY_ACCESS_TOKEN=… BASE=http://localhost:3000 node examples/fetch.js
//
// BASE may have a path: https://example.com/keys

const { BASE = 'http://localhost:3000', KEY_ACCESS_TOKEN = '' } = process.env

const PAGE_SIZE = 10

/** The reply to a GET request. Throws an Error with the detail of the problem where the service reports a failure. */
const get = async url => {
  const response = await fetch(url, { headers: { authorization: `Bearer ${KEY_ACCESS_TOKEN}` } })
  if (!response.ok) throw new Error(`${response.status}: ${await detailOf(response)}`)
  return response
}

/** A problem document (RFC 9457) says what went wrong. A proxy in between may answer something else. */
const detailOf = async response => {
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json')
  return isProblem ? (await response.json()).detail : response.statusText
}

/** The URL of the next page, from a header such as: Link: </apps?limit=10&after=…>; rel="next" */
const nextOf = response => {
  const [, path] = /<([^>]*)>; *rel="next"/.exec(response.headers.get('link') ?? '') ?? []
  return path === undefined ? null : new URL(path, response.url)
}

const listApps = async function* () {
  let url = `${BASE}/apps?limit=${PAGE_SIZE}`
  while (url !== null) {
    const response = await get(url)
    yield* await response.json()
    url = nextOf(response)
  }
}

try {
  for await (const { name, descriptive_name: title, owner_type: type, owner_id: id } of listApps()) {
    console.log(`${name}  ${title} (${type} ${id})`)
  }
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}

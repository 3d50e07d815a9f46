// Lists all apps, page by page. Requires only Node.js:
//
//   KEY_ACCESS_TOKEN=… BASE=http://localhost:3000 node examples/fetch.js
//
// BASE can have a path: https://example.com/keys

const { BASE = 'http://localhost:3000', KEY_ACCESS_TOKEN = '' } = process.env

const PAGE_SIZE = 10

/** Sends a GET request, and returns the response. Throws an Error with the reason if the request fails. */
const get = async url => {
  const response = await fetch(url, { headers: { authorization: `Bearer ${KEY_ACCESS_TOKEN}` } })
  if (!response.ok) throw new Error(`${response.status}: ${await detailOf(response)}`)
  return response
}

/**
 * Returns the detail of a problem document (RFC 9457), or the status text of any other response, such as one from a
 * proxy.
 */
const detailOf = async response => {
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json')
  return isProblem ? (await response.json()).detail : response.statusText
}

/** Returns the URL of the next page from a header such as: Link: </apps?limit=10&after=…>; rel="next" */
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

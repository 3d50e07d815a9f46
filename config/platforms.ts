const QUOTED = /^\s*(["'`]).*\1\s*$/s
const SERVICE_LINK = /^(?:tcp|udp|sctp):\/\//
// A target platform of conda's compilers, such as x86_64-conda-linux-gnu, x86_64-conda_cos6-linux-gnu or
// arm64-apple-darwin20.0.0.
const CONDA_HOST = /^\w+-(?:conda(?:_cos\d+)?-linux-gnu|apple-darwin\d[\d.]*)$/

/**
 * Returns what is wrong with a value that a platform is known to set or change, or null if the value is fine. The
 * string completes a sentence and never contains the value.
 */
export const platformIssue = (name: string, value: string): string | null => {
  if (QUOTED.test(value)) return 'has quotes around its value, which docker --env-file keeps. Remove the quotes'
  if (SERVICE_LINK.test(value) && name.endsWith('PORT')) {
    return (
      'contains the URL that Kubernetes sets for a Service of that name. Set enableServiceLinks: false in the Pod, ' +
      'or rename the Service'
    )
  }
  if (CONDA_HOST.test(value) && name.endsWith('HOST')) {
    return 'contains a compiler target, which conda sets. Set it to 127.0.0.1, or to the address to listen on'
  }
  return null
}

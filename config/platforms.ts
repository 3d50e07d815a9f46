const QUOTED = /^\s*(["'`]).*\1\s*$/s
const SERVICE_LINK = /^(?:tcp|udp|sctp):\/\//
const CONDA_HOST = /^(?:x86_64|aarch64|arm64|ppc64le|s390x)-/

/**
 * What is wrong with a value that a platform is known to set or to change, as the end of a sentence that never repeats
 * the value; null: nothing is.
 */
export const platformIssue = (name: string, value: string): string | null => {
  if (QUOTED.test(value)) return 'has quotes around its value, which docker --env-file keeps. Remove the quotes'
  if (SERVICE_LINK.test(value) && name.endsWith('PORT')) {
    return (
      'has the URL that Kubernetes sets for a Service of that name. Set enableServiceLinks: false in the Pod, ' +
      'or rename the Service'
    )
  }
  if (CONDA_HOST.test(value) && name.endsWith('HOST')) {
    return 'has the name of a compiler target, which conda sets. Set it to 127.0.0.1, or to the address to listen on'
  }
  return null
}

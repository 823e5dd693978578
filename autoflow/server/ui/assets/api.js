// @ts-check
/** The wire as a page speaks it: one POST a method, errors with the server's own words. */

/** What the server refused, or that it could not be reached. */
export class WireError extends Error {
  /**
   * @param {string} message the server's words
   * @param {number} status HTTP's, 0 when there was no answer
   */
  constructor(message, status) {
    super(message);
    this.name = "WireError";
    this.status = status;
  }
}

const METHODS = "/public/api/v3/";

/**
 * Asks a method.
 * @param {string} method its name on the wire
 * @param {object} [body] what it takes
 * @param {AbortSignal} [signal] ends the waiting
 * @returns {Promise<any>} its answer
 * @throws {WireError}
 */
export async function call(method, body = {}, signal) {
  const sent = {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal: signal ?? null,
  };
  let answer;
  try {
    answer = await fetch(METHODS + method, sent);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new WireError("The server cannot be reached.", 0);
  }
  const read = await answer.json().catch(() => null);
  if (!answer.ok) throw new WireError(read?.details?.message ?? `The server answered ${answer.status}.`, answer.status);
  return read;
}

// @ts-check
/** The client of the server's API: one POST request a method. */

/** @import { Methods } from "./contract.js" */

/** A method that the server refused, or that could not reach it. */
export class ApiError extends Error {
  /**
   * @param {string} message the server's
   * @param {number} status of HTTP, 0 if there was no response
   */
  constructor(message, status) {
    super(message);
    this.name = "ApiError";
    this.status = status;
  }
}

/** Whether the server answers; its event `change` is sent when the server is lost, and when it is back. */
class Connection extends EventTarget {
  isReachable = true;

  /** @param {boolean} isReachable */
  set(isReachable) {
    if (this.isReachable === isReachable) return;
    this.isReachable = isReachable;
    this.dispatchEvent(new Event("change"));
  }
}

export const connection = new Connection();

const METHODS = "/public/api/v3/";

/**
 * Call a method.
 * @template {keyof Methods} Name
 * @param {Name} method its name on the wire
 * @param {Methods[Name]["request"]} body the parameters
 * @param {AbortSignal} [signal] cancels the request
 * @returns {Promise<Methods[Name]["response"]>} the response
 * @throws {ApiError}
 */
export async function call(method, body, signal) {
  const options = {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal: signal ?? null,
  };
  let response;
  try {
    response = await fetch(METHODS + method, options);
  } catch (error) {
    if (signal?.aborted) throw error;
    connection.set(false);
    throw new ApiError("The server cannot be reached.", 0);
  }
  connection.set(true);
  let data;
  try {
    data = await response.json();
  } catch (error) {
    if (signal?.aborted) throw error;
    if (response.ok) throw new ApiError("The connection was lost before the answer was complete.", response.status);
  }
  if (response.ok) return data;
  throw new ApiError(data?.details?.message ?? `The server answered with status ${response.status}.`, response.status);
}
